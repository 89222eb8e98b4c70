"""The audit of the state: every row that the gateway goes by, recomputed from the entries that the log proves.

An entry cannot be changed unnoticed (`gateway.ledger.verify`); a status, a pin or a number beside it could. So whatever
decides where and whether something is posted, and who asked what, is compared with what the entries tell. What no entry
tells (names of imported masters, leases, links of a document's text) is not judged here.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.ledger.state.accesses import AuditedAccesses, audit_accesses
from gateway.ledger.state.activations import AuditedActivations, audit_activations
from gateway.ledger.state.compare import (
    Adopted,
    document_findings,
    key_findings,
    number_findings,
    payload_findings,
    pin_findings,
    transaction_findings,
)
from gateway.ledger.state.exceptions import exception_findings
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told import Number, Told
from gateway.store.state_reads import StatePart

PART: Final = 200
"""Lineages of one look."""
MOST: Final = 100
"""Findings after which the audit ends: it is wrong by then."""

AuditProgress = Callable[[int], None]
"""Called with the lineages that were compared so far."""


class AuditedState(AuditedActivations, AuditedAccesses, Protocol):
    """What the audit reads; the store's reads are one."""

    async def state_part(self, after: str, most: int) -> StatePart: ...
    async def traces_without_row(self) -> Sequence[str]: ...
    async def transactions_without_lineage(self) -> Sequence[str]: ...


async def audit_state(
    state: AuditedState,
    commitment_key: bytes | None = None,
    progress: AuditProgress | None = None,
    gone: Collection[Month] = (),
) -> list[Finding]:
    """Compare everything; what differs, at most `MOST`. Others may write meanwhile.

    Args:
        commitment_key: opens the committed names in entries; without it natural keys are compared by row only.
        progress: called now and then.
        gone: months that were taken out of the ledger. What only their entries tell is not judged.
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
        found += await asyncio.to_thread(_listed, part, commitment_key, gone)
        after, done = part.lineage_ids[-1], done + len(part.lineage_ids)
        if progress is not None:
            progress(done)
    # what is done to the rules and asked of the ledger belongs to no month, so that it is judged always
    for beside in (audit_activations, audit_accesses):
        if len(found) < MOST:
            found += await beside(state, MOST - len(found))
    return found[:MOST]


def _listed(part: StatePart, commitment_key: bytes | None, gone: Collection[Month]) -> list[Finding]:
    return list(part_findings(part, commitment_key, gone))


def part_findings(part: StatePart, commitment_key: bytes | None, gone: Collection[Month] = ()) -> Iterator[Finding]:
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
    exceptions, moves = defaultdict(list), defaultdict(list)
    for end in part.exceptions:
        exceptions[end.transaction_id].append(end)
    for move in part.moves:
        moves[move.exception_id].append(move)
    archived = {one.transaction_id for one in part.transactions if Month.of_trace(one.transaction_id) in gone}
    # of a lineage with one of these, nobody can tell the pin and the documents from the rest
    unjudged = {one.lineage_id for one in part.transactions if one.transaction_id in archived}
    for record in part.transactions:
        if record.transaction_id in archived:
            continue
        entries = told[record.transaction_id]
        yield from transaction_findings(record, entries, commitment_key)
        yield from payload_findings(record, payloads.get(record.payload_id), entries)
        ends = exceptions[record.transaction_id]
        yield from exception_findings(
            record, ends, [one for end in ends for one in moves[end.exception_id]], entries, payloads
        )
    judged = replace(
        part,
        lineage_ids=[one for one in part.lineage_ids if one not in unjudged],
        transactions=[one for one in part.transactions if one.lineage_id not in unjudged],
        documents=[one for one in part.documents if one.lineage_id not in unjudged],
    )
    yield from _pins(judged, told, adopted)
    yield from _documents(judged, told, adopted)


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
