"""`erp-gateway ledger audit`: the state that the gateway works with, recomputed from the ledger's entries."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_line, settings_of
from gateway.cli.record import reading
from gateway.ledger.errors import KeyMisused, Malformed
from gateway.ledger.key_files import KeyPurpose
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.months.archived_entries import opened_archives
from gateway.ledger.months.records import GoneMonth, believed
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.state.audit import MOST, audit_state
from gateway.ledger.state.checkpoints import AuditedLog
from gateway.ledger.state.findings import Finding
from gateway.store.store import Store
from gateway.wiring.ledger_files import key_files

ArchiveOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--archive", help="The directory of a month that was taken out: compare its transactions too; again for more."
    ),
]

KeyOption = Annotated[
    list[str] | None,
    typer.Option("--key", help="An older verifier key of this log, if an archive is of its time; again for more."),
]


@dataclass(frozen=True, slots=True)
class _Audited:
    """What differs, and the months whose transactions were not compared."""

    findings: Sequence[Finding]
    unread: Sequence[GoneMonth]

    def as_json(self) -> dict[str, Any]:
        return {
            "findings": [
                {"subject": one.subject, "what": one.what, "stored": one.stored, "told": one.told}
                for one in self.findings
            ],
            "archivedMonths": [str(one.month) for one in self.unread],
            "notComparedCount": sum(one.transactions for one in self.unread),
        }


def audit(
    archive: ArchiveOption = None, older: KeyOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """Compare every status, decision, amount, pin, number, natural key and payload with what the entries tell, and
    the index by which entries are found; and check the kept checkpoints.

    `ledger verify` says whether the entries are as they were signed; this, whether the rest is as they tell. The
    gateway may run meanwhile. Entries of months that were taken out are read from their archives if these are named.
    """
    place = data_directory(data)
    try:
        files = key_files(place, settings_of(place))
        key, evidence = files.commitment_key(), files.signer(KeyPurpose.EVIDENCE).key
        log_keys = [one.key for one in files.log_signers()]
        signing = LogKeys.pinned(*log_keys)
        archive_keys = [*log_keys, *(VerifierKey.parse(one) for one in older or ())]
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error

    async def ask(store: Store) -> _Audited:
        records = await store.log.archived_months()
        gone = believed(records, evidence)
        archives = await asyncio.to_thread(opened_archives, archive or (), records, archive_keys, evidence)
        unread = [gone[month] for month in sorted(gone.keys() - archives.months.keys())]
        if not json:
            _tell("archived, and compared with its archive", [gone[month] for month in sorted(archives.months)])
            _tell("archived, so not compared", unread)
        shown = _show if not json and sys.stderr.isatty() else None
        log = AuditedLog(store.log, signing)
        found = await audit_state(store.reads, key, shown, gone, log=log, archives=archives if archive else None)
        return _Audited(found, unread)

    audited = reading(place, ask)
    found = audited.findings
    if json:
        print_json(audited.as_json())
    for one in found if not json else ():
        print_line(str(one))
    if found:
        more = ", and perhaps more" if len(found) == MOST else ""
        raise Failure(
            f"{len(found)} things are not as the ledger tells{more}. Keep a copy of the database: it is evidence. "
            "docs/ledger.md, 'The state beside the ledger', says what to do."
        )
    if not json:
        print_line("everything is as the ledger tells" if not audited.unread else "all else is as the ledger tells")


def _tell(what: str, months: Sequence[GoneMonth]) -> None:
    if months:
        print_line(f"{what}: {', '.join(f'{one.month} ({one.transactions} transactions)' for one in months)}")


def _show(lineages: int) -> None:
    sys.stderr.write(f"\r{lineages} lineages compared")
    sys.stderr.flush()
