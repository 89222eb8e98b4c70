"""Comparing the rows of questions and exports with what the entries `queried` and `exported` tell of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from gateway.domain.accesses import AccessRecord
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord
from gateway.ledger.state.findings import Finding
from gateway.store.told_reads import AccessPart

PART: Final = 200
"""Questions of one look."""
_BEGUN: Final = "begun"


class AuditedAccesses(Protocol):
    """What is read of questions and exports; the store's reads are one."""

    async def access_part(self, after: str, most: int) -> AccessPart: ...


async def audit_accesses(state: AuditedAccesses, most: int) -> list[Finding]:
    """Every question and export; what differs, at most `most`. Others may write meanwhile."""
    found: list[Finding] = []
    after = ""
    while len(found) < most:
        part = await state.access_part(after, PART)
        if not part.query_ids:
            break
        found += access_findings(part)
        after = part.query_ids[-1]
    return found[:most]


def access_findings(part: AccessPart) -> Iterator[Finding]:
    """What differs in a part. Pure."""
    told: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in part.entries:
        told[entry.trace].append(json.loads(entry.body))
    stored = {one.query_id: one for one in part.accesses}
    payloads = {one.payload_id: one for one in part.payloads}
    for query_id in part.query_ids:
        record, entries = stored.get(query_id), told[query_id]
        if record is None or not entries:
            yield Finding(query_id, "the row", _there(record), _there(entries))
            continue
        yield from _differences(record, entries, payloads.get(record.payload_id))


def _differences(
    record: AccessRecord, entries: Sequence[Mapping[str, Any]], payload: PayloadRecord | None
) -> Iterator[Finding]:
    """An export has two entries, of how it began and how it ended; one that is under way, or whose process was killed,
    has the first alone. Nothing erases what was asked: where it is gone, somebody took it away."""
    first, last = entries[0], entries[-1]
    pairs = [
        ("kind", record.kind, first["kind"]),
        ("resource", record.resource, first["resource"]),
        ("asked_at", record.asked_at, first["at"]),
        ("client", record.client, first["actor"]),
        ("person", record.person, first["person"]),
        ("log_size", record.log_size, first["logSize"]),
        ("state", record.state, last["state"]),
        ("row_count", record.row_count, last.get("rows", 0)),
        ("answer_hash", record.answer_hash, last.get("answerHash")),
        ("ended_at", record.ended_at, None if last["state"] == _BEGUN else last["at"]),
        ("entry_count", record.entry_count, len(entries)),
    ]
    if payload is None or payload.body is None:
        pairs.append(("filter", "missing", "there, and never erased"))
    else:
        pairs.append(("filter (committed)", payload_commitment(payload.salt, payload.body), first["filterHash"]))
    for what, stored, said in pairs:
        if stored != said:
            yield Finding(record.query_id, what, stored, said)


def _there(one: object) -> str | None:
    return "there" if one else None
