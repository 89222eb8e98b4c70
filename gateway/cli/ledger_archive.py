"""`erp-gateway ledger archive MONTH DIR`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    settings_of,
    written,
)
from gateway.cli.ledger_log import log_signers
from gateway.cli.record import reading
from gateway.domain.months import Month, NoMonth
from gateway.ledger.errors import KeyMisused
from gateway.ledger.key_files import KeyPurpose
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.months.write import write_archive
from gateway.ledger.note_keys import SigningKey
from gateway.store.store import Store
from gateway.wiring.ledger_files import key_files

MonthArgument = Annotated[str, typer.Argument(help="Such as 2026-11: what was accepted in it, UTC.", metavar="MONTH")]


def archive(
    month: MonthArgument,
    directory: Annotated[Path, typer.Argument(help="An empty directory, or one that is made.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write all entries of a month as files that prove themselves. The gateway may run meanwhile.

    `ledger verify DIR --key …` checks them without a database; `ledger partitions detach` takes the month out of
    PostgreSQL then.
    """
    wanted, place = month_of(month), data_directory(data)
    keys = LogKeys.pinned(*(signer.key for signer in log_signers(place)))
    signer = evidence_signer(place)

    async def write(store: Store) -> dict[str, Any]:
        with written(directory):
            return await write_archive(store.log, keys, wanted, directory, signer, time.time_ns() // 1_000)

    told = reading(place, write)
    if json:
        print_json({**told, "directory": str(directory)})
    else:
        print_line(f"{told['entries']} entries of {told['traces']} transactions of {month} are in {directory}")


def month_of(text: str) -> Month:
    """Raises Failure."""
    try:
        return Month.parse(text)
    except NoMonth as error:
        raise Failure(str(error), 2) from error


def evidence_signer(place: Path) -> SigningKey:
    """The key that signs packs and archives. Raises Failure."""
    try:
        return key_files(place, settings_of(place)).signer(KeyPurpose.EVIDENCE)
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
