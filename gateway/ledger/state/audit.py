"""The audit of the state: every row that the gateway goes by, recomputed from the entries that the log proves.

An entry cannot be changed unnoticed (`gateway.ledger.verify`); a status, a pin or a number beside it could. So whatever
decides where and whether something is posted, and who asked what, is compared with what the entries tell. What no entry
tells (names of imported masters, leases, links of a document's text) is not judged here. A row that cannot be read is a
finding, and what stands beside it is judged all the same.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.ledger.state.accesses import AuditedAccesses, audit_accesses
from gateway.ledger.state.activations import AuditedActivations, audit_activations
from gateway.ledger.state.archived_index import ArchivedIndexState, IndexWithArchives
from gateway.ledger.state.checkpoints import AuditedLog, audit_checkpoints
from gateway.ledger.state.compare import (
    Adopted,
    document_findings,
    key_findings,
    number_findings,
    payload_findings,
    transaction_findings,
)
from gateway.ledger.state.customers import customer_findings
from gateway.ledger.state.decisions import decision_findings, problem_findings
from gateway.ledger.state.entries import AuditedEntries, audit_entries
from gateway.ledger.state.exceptions import exception_findings
from gateway.ledger.state.findings import NO_FINDING, UNREADABLE, Finding, unreadable
from gateway.ledger.state.index import audit_index
from gateway.ledger.state.lineages import root_findings
from gateway.ledger.state.overlays import AuditedOverlays, audit_overlays
from gateway.ledger.state.pins import pin_findings
from gateway.ledger.state.privacy import AuditedPrivacy, audit_privacy
from gateway.ledger.state.ruled import Ruled, read_ruled
from gateway.ledger.state.steps import step_findings
from gateway.ledger.state.told import Number, Told
from gateway.store.state_reads import StatePart

PART: Final = 200
"""Lineages of one look."""
MOST: Final = 100
"""Findings after which the audit ends: it is wrong by then."""

AuditProgress = Callable[[int], None]
"""Called with the lineages that were compared so far."""


Judge = Callable[[str, int], Awaitable[tuple[Sequence[str], list[Finding]]]]
"""Judges the next so many lineages after an id."""


class AuditedState(
    AuditedActivations, AuditedAccesses, AuditedPrivacy, AuditedOverlays, AuditedEntries, ArchivedIndexState, Protocol
):
    """What the audit reads; the store's reads are one."""

    async def state_part(self, after: str, most: int) -> StatePart: ...
    async def lineage_ids(self, after: str, most: int) -> Sequence[str]: ...
    async def traces_without_row(self) -> Sequence[str]: ...
    async def transactions_without_lineage(self) -> Sequence[str]: ...
    async def keys_without_document(self) -> Sequence[str]: ...
    async def statuses(self, transaction_ids: Sequence[str]) -> Mapping[str, Status]: ...


class AuditedArchives(Protocol):
    """Entries that are not in the database; `gateway.ledger.months.archived_entries.ArchivedEntries` is one."""

    @property
    def months(self) -> Collection[Month]: ...
    def of(self, traces: Sequence[str]) -> Sequence[EntryRecord]: ...
    def traces(self) -> Iterator[Sequence[str]]: ...


async def audit_state(
    state: AuditedState,
    commitment_key: bytes | None = None,
    progress: AuditProgress | None = None,
    gone: Collection[Month] = (),
    rest: Callable[[float], Awaitable[None]] | None = None,
    log: AuditedLog | None = None,
    archives: AuditedArchives | None = None,
) -> list[Finding]:
    """Compare everything; what differs, at most `MOST`. Others may write meanwhile.

    Args:
        commitment_key: opens the committed names in entries; without it natural keys are compared by row only.
        progress: called now and then.
        gone: months that were taken out of the ledger. What only their entries tell is not judged.
        rest: called after each part, with the seconds that it took.
        log: whose kept checkpoints are judged; without it they are not.
        archives: the entries of some of these months, so that their transactions are judged like others.

    Raises:
        ArchiveWrong: a file of an archive is another one since it was verified.
    """
    unread = set(gone) - set(archives.months if archives is not None else ())
    found = [Finding(one, "the row", None, "there") for one in await state.traces_without_row()]
    found += [
        Finding(one, "the row of its lineage", None, "there") for one in await state.transactions_without_lineage()
    ]
    found += [Finding(one, "an additional natural key", "there", None) for one in await state.keys_without_document()]
    if archives is not None:
        found += await _archived_without_row(state, archives)
    ruled = await _ruled(state)

    async def judged(after: str, most: int) -> tuple[Sequence[str], list[Finding]]:
        part = await state.state_part(after, most)
        if archives is not None:
            part = await asyncio.to_thread(_with_archived, part, archives)
        return part.lineage_ids, await asyncio.to_thread(_listed, part, commitment_key, unread, ruled)

    after, done = "", 0
    while len(found) < MOST:
        begun = time.monotonic()
        ids, differs = await _lineages(state, judged, after)
        if not ids:
            break
        found += differs
        after, done = ids[-1], done + len(ids)
        if progress is not None:
            progress(done)
        if rest is not None:
            await rest(time.monotonic() - begun)
    # what is done to the rules and asked of the ledger belongs to no month, so that it is judged always
    for what, beside in _BESIDE:
        if len(found) < MOST:
            found += await _as_far_as_readable(what, beside(state, MOST - len(found)))
    if len(found) < MOST:
        index = state if archives is None else IndexWithArchives(state, archives)
        found += await _as_far_as_readable("the index", audit_index(index, MOST - len(found), unread, rest))
    if log is not None and len(found) < MOST:
        found += await _as_far_as_readable("kept checkpoints", audit_checkpoints(log, MOST - len(found), rest))
    return found[:MOST]


_BESIDE: Final = (
    ("activations", audit_activations),
    ("questions and exports", audit_accesses),
    ("legal holds and erasures", audit_privacy),
    ("overlays", audit_overlays),
    ("entries of no transaction", audit_entries),
)


async def _lineages(state: AuditedState, judged: Judge, after: str) -> tuple[Sequence[str], list[Finding]]:
    """The next lineages and what differs in them; each by itself where a row of one of them cannot be read."""
    try:
        return await judged(after, PART)
    except NO_FINDING:
        raise
    except UNREADABLE:
        ids, found = await state.lineage_ids(after, PART), list[Finding]()
    for one in ids:
        try:
            _, differs = await judged(after, 1)
            found += differs
        except NO_FINDING:
            raise
        except UNREADABLE as error:
            found.append(unreadable(one, "a row of the lineage", error))
        after = one
    return ids, found


async def _as_far_as_readable(what: str, audit: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    """What an audit finds; that it cannot go on because of a row is one more finding."""
    try:
        return await audit
    except NO_FINDING:
        raise
    except UNREADABLE as error:
        return [unreadable(what, "a row", error)]


async def _ruled(state: AuditedState) -> Ruled:
    """What rulebooks say; nothing where an activation cannot be read, which the audit of these tells."""
    try:
        return await read_ruled(state)
    except NO_FINDING:
        raise
    except UNREADABLE:
        return Ruled()


async def _archived_without_row(state: AuditedState, archives: AuditedArchives) -> list[Finding]:
    """Transactions of archives that have no row; the first of them."""
    found: list[Finding] = []
    parts = archives.traces()
    while len(found) < MOST and (traces := await asyncio.to_thread(next, parts, None)) is not None:
        for start in range(0, len(traces), PART):
            named = traces[start : start + PART]
            known = await state.statuses(named)
            found += [Finding(one, "the row", None, "there") for one in named if one not in known]
    return found[:MOST]


def _with_archived(part: StatePart, archives: AuditedArchives) -> StatePart:
    """With the entries of its archived transactions beside those that are stored."""
    archived = archives.of([one.transaction_id for one in part.transactions])
    entries = {(one.trace, one.seq): one for one in (*archived, *part.entries)}
    return replace(part, entries=[entries[key] for key in sorted(entries)])


def _listed(part: StatePart, commitment_key: bytes | None, gone: Collection[Month], ruled: Ruled) -> list[Finding]:
    return list(part_findings(part, commitment_key, gone, ruled))


def part_findings(
    part: StatePart, commitment_key: bytes | None, gone: Collection[Month] = (), ruled: Ruled | None = None
) -> Iterator[Finding]:
    """What differs in a part. `ruled`: what rulebooks say; without it sides and teams are not judged. Pure."""
    ruled = ruled or Ruled()
    traces: dict[str, list[EntryRecord]] = defaultdict(list)
    for entry in part.entries:
        traces[entry.trace].append(entry)
    told = {
        record.transaction_id: Told.by(record.transaction_id, traces[record.transaction_id])
        for record in part.transactions
    }
    adopted = [Adopted.by(json.loads(entry.body)) for entry in part.adopted]
    payloads = {one.payload_id: one for one in part.payloads}
    exceptions, earlier_words, moves = defaultdict(list), defaultdict(list), defaultdict(list)
    for end in part.exceptions:
        exceptions[end.transaction_id].append(end)
    for words in part.earlier_words:
        earlier_words[words.exception_id].append(words)
    for move in part.moves:
        moves[move.exception_id].append(move)
    steps = defaultdict(list)
    for step in part.steps:
        steps[step.transaction_id].append(step)
    archived = {one.transaction_id for one in part.transactions if Month.of_trace(one.transaction_id) in gone}
    # of a lineage with one of these, nobody can tell the pin and the documents from the rest
    unjudged = {one.lineage_id for one in part.transactions if one.transaction_id in archived}

    def of_transaction(record: TransactionRecord) -> Iterator[Finding]:
        entries = told[record.transaction_id]
        yield from transaction_findings(record, entries, commitment_key)
        yield from decision_findings(record, entries, ruled)
        yield from problem_findings(record, entries)
        yield from step_findings(record.transaction_id, steps[record.transaction_id], entries.steps)
        yield from payload_findings(record, payloads.get(record.payload_id), entries)
        ends = exceptions[record.transaction_id]
        yield from exception_findings(
            record,
            ends,
            [one for end in ends for one in earlier_words[end.exception_id]],
            [one for end in ends for one in moves[end.exception_id]],
            entries,
            payloads,
            ruled,
        )

    for record in part.transactions:
        if record.transaction_id not in archived:
            yield from _of_readable(record.transaction_id, of_transaction(record))
    judged = replace(
        part,
        lineage_ids=[one for one in part.lineage_ids if one not in unjudged],
        transactions=[one for one in part.transactions if one.lineage_id not in unjudged],
        documents=[one for one in part.documents if one.lineage_id not in unjudged],
    )
    for document in judged.documents:
        yield from customer_findings(document, part.customers)
    yield from _pins(judged, told, adopted, ruled)
    yield from _documents(judged, told, adopted)


def _of_readable(subject: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except UNREADABLE as error:
        yield unreadable(subject, "one of its rows", error)


def _pins(part: StatePart, told: dict[str, Told], adopted: Sequence[Adopted], ruled: Ruled) -> Iterator[Finding]:
    of_lineage: dict[str, list[Told]] = defaultdict(list)
    for record in part.transactions:
        of_lineage[record.lineage_id].append(told[record.transaction_id])
    pins = {pin.lineage_id: pin for pin in part.pins}
    documents = defaultdict(list)
    for document in part.documents:
        documents[document.lineage_id].append(document)
    lineages = {one.lineage_id: one for one in part.lineages}
    for lineage_id in part.lineage_ids:
        yield from root_findings(lineages[lineage_id], documents[lineage_id], of_lineage[lineage_id])
        moved = [one for one in adopted if one.lineage_id == lineage_id]
        yield from pin_findings(lineage_id, pins.get(lineage_id), of_lineage[lineage_id], moved, ruled)


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
            yield from key_findings(
                document, keys.get((document.source, document.domain, document.external_id)), done[document.document_id]
            )
        if document.transaction_id is None and not any(one.operation == "create" for one in done[document.document_id]):
            continue  # imported: its numbers came without an entry
        yield from document_findings(document, done[document.document_id], told)
        moved = [one for one in adopted if one.old.document_id == document.document_id]
        yield from number_findings(document, stored[document.document_id], numbers[document.document_id], moved)
