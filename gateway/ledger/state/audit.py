"""The audit of the state: every row that the gateway goes by, recomputed from the entries that the log proves.

An entry cannot be changed unnoticed (`gateway.ledger.verify`); a status, a pin or a number beside it could. So whatever
decides where and whether something is posted is compared with what the entries tell. What no entry tells (names of
imported masters, leases, links of a document's text) is not judged here.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from gateway.domain.records import EntryRecord
from gateway.ledger.state.compare import (
    Adopted,
    document_findings,
    key_findings,
    number_findings,
    payload_findings,
    pin_findings,
    transaction_findings,
)
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told import Number, Told
from gateway.store.state_reads import StatePart

PART: Final = 200
"""Lineages of one look."""
MOST: Final = 100
"""Findings after which the audit ends: it is wrong by then."""

AuditProgress = Callable[[int], None]
"""Called with the lineages that were compared so far."""


class AuditedState(Protocol):
    """What the audit reads; the store's reads are one."""

    async def state_part(self, after: str, most: int) -> StatePart: ...
    async def traces_without_row(self) -> Sequence[str]: ...
    async def transactions_without_lineage(self) -> Sequence[str]: ...


async def audit_state(
    state: AuditedState, commitment_key: bytes | None = None, progress: AuditProgress | None = None
) -> list[Finding]:
    """Compare everything; what differs, at most `MOST`. Others may write meanwhile.

    Args:
        commitment_key: opens the committed names in entries; without it natural keys are compared by row only.
    """
    found = [Finding(one, "the row", None, "there") for one in await state.traces_without_row()]
    found += [
        Finding(one, "the row of its lineage", None, "there") for one in await state.transactions_without_lineage()
    ]
    after, done = "", 0
    while len(found) < MOST:
        part = await state.state_part(after, PART)
        if not part.lineage_ids:
            break
        found += await asyncio.to_thread(_listed, part, commitment_key)
        after, done = part.lineage_ids[-1], done + len(part.lineage_ids)
        if progress is not None:
            progress(done)
    return found[:MOST]


def _listed(part: StatePart, commitment_key: bytes | None) -> list[Finding]:
    return list(part_findings(part, commitment_key))


def part_findings(part: StatePart, commitment_key: bytes | None) -> Iterator[Finding]:
    """What differs in a part. Pure."""
    traces: dict[str, list[EntryRecord]] = defaultdict(list)
    for entry in part.entries:
        traces[entry.trace].append(entry)
    told = {
        record.transaction_id: Told.by(record.transaction_id, traces[record.transaction_id])
        for record in part.transactions
    }
    adopted = [Adopted.by(json.loads(entry.body)) for entry in part.adopted]
    payloads = {one.payload_id: one for one in part.payloads}
    for record in part.transactions:
        entries = told[record.transaction_id]
        yield from transaction_findings(record, entries, commitment_key)
        yield from payload_findings(record, payloads.get(record.payload_id), entries)
    yield from _pins(part, told, adopted)
    yield from _documents(part, told, adopted)


def _pins(part: StatePart, told: dict[str, Told], adopted: Sequence[Adopted]) -> Iterator[Finding]:
    of_lineage: dict[str, list[Told]] = defaultdict(list)
    for record in part.transactions:
        of_lineage[record.lineage_id].append(told[record.transaction_id])
    pins = {pin.lineage_id: pin for pin in part.pins}
    for lineage_id in part.lineage_ids:
        moved = [one for one in adopted if one.lineage_id == lineage_id]
        yield from pin_findings(lineage_id, pins.get(lineage_id), of_lineage[lineage_id], moved)


def _documents(part: StatePart, told: dict[str, Told], adopted: Sequence[Adopted]) -> Iterator[Finding]:
    numbers: dict[str, list[Number]] = defaultdict(list)
    for one in told.values():
        for number in one.numbers:
            numbers[number.document_id].append(number)
    stored = defaultdict(list)
    for row in part.numbers:
        stored[row.document_id].append(row)
    done = defaultdict(list)
    for record in part.transactions:
        done[record.document_id].append(record)
    known = {document.document_id for document in part.documents}
    for gone in sorted(done.keys() - known):
        yield Finding(gone, "the row", None, "there")
    keys = {(one.source, one.domain, one.external_id): one for one in part.natural_keys}
    for document in part.documents:
        if document.external_id is not None:
            yield from key_findings(document, keys.get((document.source, document.domain, document.external_id)))
        if document.transaction_id is None:
            continue  # imported: its numbers came without an entry
        yield from document_findings(document, done[document.document_id], told)
        moved = [one for one in adopted if one.old.document_id == document.document_id]
        yield from number_findings(document, stored[document.document_id], numbers[document.document_id], moved)
