"""`erp-gateway ledger archive MONTH DIR`, and checking such an archive offline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    complain,
    data_directory,
    print_json,
    print_line,
    reading,
    settings_of,
)
from gateway.cli.ledger_log import log_signers
from gateway.domain.months import Month, NoMonth
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.errors import KeyMisused, LedgerError, Malformed
from gateway.ledger.key_files import KeyPurpose
from gateway.ledger.lines import base64_text
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.months.verify import verify_archive
from gateway.ledger.months.write import write_archive
from gateway.ledger.note_keys import SigningKey, VerifierKey
from gateway.store.store import Store
from gateway.wiring.ledger import key_files

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
        return await write_archive(store.log, keys, wanted, directory, signer, time.time_ns() // 1_000)

    told = reading(place, write)
    if json:
        print_json({**told, "directory": str(directory)})
    else:
        print_line(f"{told['entries']} entries of {told['traces']} transactions of {month} are in {directory}")


def check_archive(
    directory: Path,
    keys: Sequence[str],
    evidence_key: str | None,
    witnesses: Sequence[str],
    quorum: int,
    *,
    json: bool,
) -> None:
    """Tell what was found. Raises Failure: 1 if the archive is wrong, 2 for keys that are none."""
    try:
        known = [VerifierKey.parse(one) for one in keys]
        policy = WitnessPolicy(tuple(VerifierKey.parse(one) for one in witnesses), quorum)
        signer = None if evidence_key is None else VerifierKey.parse(evidence_key)
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    try:
        found = verify_archive(directory, known, evidence_key=signer, witnesses=policy)
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
    except LedgerError as error:
        if json:
            print_json({"ok": False, "wrong": str(error)})
        raise Failure(f"{directory} is NOT as it was signed: {error}") from error
    if json:
        print_json(found.as_json())
        return
    checkpoint = found.signed.checkpoint
    log = checkpoint.origin
    print_line(f"{directory}: {found.entries} entries of {found.month} are in the log of {log}, as signed")
    print_line(f"the log had {checkpoint.size} entries, root {base64_text(checkpoint.root)}")
    for one in found.cosignatures:
        print_line(f"cosigned by {one.key.name}, {one.time} s after 1970")
    if not found.vouched:
        complain("without --evidence-key nobody vouches that no entry of the month is left out")


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
