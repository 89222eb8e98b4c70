"""`erp-gateway ledger audit`: the state that the gateway works with, recomputed from the ledger's entries."""

from __future__ import annotations

import sys

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    reading,
    settings_of,
)
from gateway.ledger.errors import KeyMisused
from gateway.ledger.key_files import KeyPurpose
from gateway.ledger.months.records import believed
from gateway.ledger.state.audit import MOST, audit_state
from gateway.ledger.state.findings import Finding
from gateway.store.store import Store
from gateway.wiring.ledger import key_files


def audit(data: DataOption = None, json: JsonOption = False) -> None:
    """Compare every status, decision, amount, pin, number, natural key and payload with what the entries tell.

    `ledger verify` says whether the entries are as they were signed; this, whether the rest is as they tell. The
    gateway may run meanwhile.
    """
    place = data_directory(data)
    try:
        files = key_files(place, settings_of(place))
        key, evidence = files.commitment_key(), files.signer(KeyPurpose.EVIDENCE).key
    except KeyMisused as error:
        raise Failure(str(error), 2) from error

    async def ask(store: Store) -> list[Finding]:
        gone = believed(await store.log.archived_months(), evidence)
        if gone and not json:
            print_line(f"archived, so not compared: {', '.join(map(str, sorted(gone)))}")
        return await audit_state(store.reads, key, _show if not json and sys.stderr.isatty() else None, gone)

    found = reading(place, ask)
    if json:
        print_json(
            {
                "findings": [
                    {"subject": one.subject, "what": one.what, "stored": one.stored, "told": one.told} for one in found
                ]
            }
        )
    for one in found if not json else ():
        print_line(str(one))
    if found:
        more = ", and perhaps more" if len(found) == MOST else ""
        raise Failure(
            f"{len(found)} things are not as the ledger tells{more}. Keep a copy of the database: it is evidence. "
            "docs/ledger.md, 'The state beside the ledger', says what to do."
        )
    if not json:
        print_line("everything is as the ledger tells")


def _show(lineages: int) -> None:
    sys.stderr.write(f"\r{lineages} lineages compared")
    sys.stderr.flush()
