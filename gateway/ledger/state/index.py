"""Making the index of the entries again, block by block, and comparing it with the one that answers questions.

The index is no evidence, but sums and filters are as true as its rows. What cannot be made again is not judged: entries
of months that were taken out, and where an entry of no transaction lay when its document has been changed since.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Protocol

from gateway.domain.indexed_entries import (
    BLOCK,
    UNDER_WAY_KINDS,
    IndexedEntry,
    PlacedBody,
    begins,
    indexed,
    is_end,
    terms_of,
)
from gateway.domain.months import Month
from gateway.ledger.state.findings import Finding
from gateway.store.entry_index import BlockRecord, MendedBlock, SpanRecord
from gateway.store.told_index import IndexPart, IndexRest, SpanBegin, TraceStep

PART: Final = 2_000
"""Rows of transactions of one look."""
_OF_ROOT: Final = ("business_unit", "geography", "company_code")
"""What a document may say otherwise later."""
_FIELDS: Final = tuple(one.name for one in fields(IndexedEntry))


class AuditedIndex(Protocol):
    """What is read of the index; the store's reads are one."""

    async def index_part(self, block: int) -> IndexPart | None: ...
    async def terms_there(self, block: int, terms: Sequence[str]) -> set[str]: ...
    async def terms_of_block(self, block: int) -> set[str]: ...
    async def index_rest(self) -> IndexRest: ...
    async def span_begins(self, after: str, most: int) -> Sequence[SpanBegin]: ...


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """A block as its entries make it: what differs in its rows, the terms that it must have, and whether all of its
    entries are stored, so that it must have no others."""

    findings: Sequence[Finding]
    terms: frozenset[str]
    complete: bool


async def audit_index(
    state: AuditedIndex,
    most: int,
    gone: Collection[Month] = (),
    rest: Callable[[float], Awaitable[None]] | None = None,
) -> list[Finding]:
    """All of it up to its own size; what differs, at most `most`. Others may write meanwhile, and it may lag behind.

    Args:
        gone: months that were taken out of the ledger.
        rest: called after each block, with the seconds that it took.
    """
    found: list[Finding] = []
    wanted: dict[int, int | None] = {}  # terms of each block that is full; None where nobody can tell
    block = 0
    while len(found) < most:
        begun = time.monotonic()
        part = await state.index_part(block)
        if part is None:
            break
        if not part.by_rule:  # the gateway has not come to it yet
            wanted[block] = None
            block += 1
            continue
        made = await asyncio.to_thread(_made, part, gone)
        found += made.findings
        there = part.terms
        if there is None:
            there = frozenset(await state.terms_there(block, sorted(made.terms)))
        found += [Finding(_of(block), f"term {term}", None, "there") for term in sorted(made.terms - there)]
        if part.terms is not None and made.complete:
            found += [Finding(_of(block), f"term {term}", "there", None) for term in sorted(there - made.terms)]
        wanted[block] = len(made.terms) if part.terms is None and made.complete else None
        block += 1
        if rest is not None:
            await rest(time.monotonic() - begun)
    if len(found) < most:
        beside = await state.index_rest()
        counts = dict(beside.terms)
        found += _beyond(beside)
        for number in sorted(counts):
            expected = wanted.get(number)
            if number in wanted and (expected is None or counts[number] <= expected):
                continue
            if number not in wanted and 0 <= number * BLOCK < beside.size:
                continue  # it began since
            found += await _surplus(state, number)
            if len(found) >= most:
                break
    after = ""
    while len(found) < most and (rows := await state.span_begins(after, PART)):
        after = rows[-1].trace
        found += [
            Finding(f"indexed_transactions, {one.trace}", "first_index", one.first_index, None)
            for one in rows
            if one.seq != 1 or one.began is None
        ]
    return found[:most]


async def _surplus(state: AuditedIndex, block: int) -> list[Finding]:
    """Terms that a block has and that none of its entries has."""
    there = await state.terms_of_block(block)
    part = await state.index_part(block) if block >= 0 else None
    told = frozenset[str]() if part is None else (await asyncio.to_thread(_made, part, ())).terms
    return [Finding(_of(block), f"term {term}", "there", None) for term in sorted(there - told)]


def _beyond(rest: IndexRest) -> Iterator[Finding]:
    if rest.size > rest.log_size:
        yield Finding("indexed_until", "size", rest.size, rest.log_size)
    for log_index in rest.rows:
        yield Finding(f"indexed_entries, place {log_index}", "the row", "there", None)
    for block in rest.blocks:
        yield Finding(f"indexed_blocks, block {block}", "the row", "there", None)


def _made(part: IndexPart, gone: Collection[Month]) -> MadeBlock:
    entries = [_by_its_bytes(one) for one in part.placed]
    made = [indexed(one) for one in entries]
    complete = len(made) == part.end - part.first
    findings = [
        *row_findings(part, entries, made),
        *_block_findings(part, made, complete=complete),
        *span_findings(part, gone),
    ]
    return MadeBlock(findings, frozenset(term for one in made for term in terms_of(one)), complete)


def _by_its_bytes(entry: PlacedBody) -> PlacedBody:
    """Its columns are judged elsewhere (`entries`): here they must not make a changed index look right."""
    body = json.loads(entry.body)
    return replace(entry, at=body["at"], kind=body["kind"])


def row_findings(part: IndexPart, entries: Sequence[PlacedBody], made: Sequence[IndexedEntry]) -> Iterator[Finding]:
    """What rows say otherwise than entries. Pure. A row whose entry is not stored is not judged."""
    stored = {one.log_index: one for one in part.rows}
    for entry, told in zip(entries, made, strict=True):
        subject = f"indexed_entries, place {told.log_index}"
        row = stored.get(told.log_index)
        if row is None:
            yield Finding(subject, "the row", None, "there")
            continue
        if row == told:
            continue
        for what in _FIELDS:
            if entry.operation is None and what in _OF_ROOT and getattr(entry, what) is not None:
                continue
            if getattr(row, what) != getattr(told, what):
                yield Finding(subject, what, getattr(row, what), getattr(told, what))


def _block_findings(part: IndexPart, made: Sequence[IndexedEntry], *, complete: bool) -> Iterator[Finding]:
    """A block bears the times of all its entries; where some are not stored, it may reach further than the others."""
    subject, row = f"indexed_blocks, block {part.first // BLOCK}", part.block
    if row is None:
        yield Finding(subject, "the row", None, "there")
    elif made:
        times = [one.at for one in made]
        told = BlockRecord(row.block, min(times), max(times))
        if row.at_first > told.at_first or (complete and row.at_first != told.at_first):
            yield Finding(subject, "at_first", row.at_first, told.at_first)
        if row.at_last < told.at_last or (complete and row.at_last != told.at_last):
            yield Finding(subject, "at_last", row.at_last, told.at_last)


def span_findings(part: IndexPart, gone: Collection[Month]) -> Iterator[Finding]:
    """What the rows of transactions that begin here say otherwise than their entries. Pure."""
    stored = {one.trace: one for one in part.spans}
    steps: dict[str, list[TraceStep]] = defaultdict(list)
    for step in part.steps:
        steps[step.trace].append(step)
    for one in part.placed:
        if not begins(one) or Month.of_trace(one.trace) in gone:
            continue
        subject, row = f"indexed_transactions, {one.trace}", stored.get(one.trace)
        if row is None:
            yield Finding(subject, "the row", None, "there")
            continue
        told = SpanRecord(one.trace, one.log_index, _ended(steps[one.trace], one.legs))
        if row.first_index != told.first_index:
            yield Finding(subject, "first_index", row.first_index, told.first_index)
        if row.ended_index != told.ended_index:
            yield Finding(subject, "ended_index", row.ended_index, told.ended_index)


def mended(part: IndexPart) -> MendedBlock:
    """What a block has by an earlier rule, as the rule of now makes it. Pure. What is not stored stays as it was."""
    stored = {one.log_index: one for one in part.rows if one.log_index < part.end}
    made = {one.log_index: one for one in map(indexed, part.placed)}
    before = {term for one in stored.values() for term in terms_of(one)}
    after = {term for one in (stored | made).values() for term in terms_of(one)}
    steps: dict[str, list[TraceStep]] = defaultdict(list)
    for step in part.steps:
        steps[step.trace].append(step)
    legs = {one.trace: one.legs for one in part.placed}
    ends = [(one, _ended(steps[one.trace], legs.get(one.trace))) for one in part.spans]
    return MendedBlock(
        part.first // BLOCK,
        [one for place, one in made.items() if stored.get(place) != one],
        frozenset(after - before),
        frozenset(before - after),
        [(one.trace, ended) for one, ended in ends if one.ended_index != ended],
    )


def _ended(steps: Sequence[TraceStep], legs: str | None) -> int | None:
    """Where a transaction ended, as far as the index goes; what goes on after an end was not ended by it."""
    ended = None
    for step in steps:
        if step.kind is None:
            continue
        if is_end(step.kind, step.body, legs):
            ended = step.log_index
        elif step.kind in UNDER_WAY_KINDS:
            ended = None
    return ended


def _of(block: int) -> str:
    return f"indexed_terms, block {block}"
