"""Comparing the columns of entries with the bytes that the log proves: questions and views are answered by columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from gateway.domain.entries import leaf_hash
from gateway.domain.records import EntryRecord
from gateway.ledger.state.findings import UNREADABLE, Finding, unreadable

PART: Final = 1_000
"""Entries of one look."""
TRANSACTIONS: Final = ("txn_", "txn`")
"""Their traces lie between these; their entries are compared with their lineages."""
_END: Final = "\x7f"


class AuditedEntries(Protocol):
    """What is read of entries; the store's reads are one."""

    async def entries_between(self, after: tuple[str, int], until: str, most: int) -> Sequence[EntryRecord]: ...


async def audit_entries(state: AuditedEntries, most: int) -> list[Finding]:
    """The columns of every entry that is of no transaction; what differs, at most `most`."""
    found: list[Finding] = []
    for first, until in (("", TRANSACTIONS[0]), (TRANSACTIONS[1], _END)):
        after = (first, 0)
        while len(found) < most and (part := await state.entries_between(after, until, PART)):
            after = (part[-1].trace, part[-1].seq)
            for entry in part:
                try:
                    found += column_findings(entry, json.loads(entry.body))
                except UNREADABLE as error:
                    found.append(unreadable(f"{entry.trace}/{entry.seq}", "body of the entry", error))
    return found[:most]


def column_findings(entry: EntryRecord, body: Mapping[str, Any]) -> Iterator[Finding]:
    """What the columns of an entry say otherwise than its `body`, and a hash that is not its own. Pure."""
    columns = (entry.trace, entry.seq, entry.kind, entry.at, entry.lineage_id, entry.leaf_hash)
    told = (
        body.get("trace"),
        body.get("seq"),
        body.get("kind"),
        body.get("at"),
        body.get("lineageId"),
        leaf_hash(entry.body),
    )
    if columns == told:
        return
    for what, stored, said in zip(("trace", "seq", "kind", "at", "lineage_id"), columns, told, strict=False):
        if stored != said:
            yield Finding(f"{entry.trace}/{entry.seq}", f"{what} of the entry", stored, said)
    if columns[-1] != told[-1]:
        yield Finding(f"{entry.trace}/{entry.seq}", "leaf_hash of the entry", entry.leaf_hash.hex(), told[-1].hex())
