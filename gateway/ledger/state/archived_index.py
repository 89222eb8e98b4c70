"""The index of entries that are archived, beside their archives: then it is compared like that of others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from gateway.domain.indexed_entries import PlacedBody
from gateway.domain.records import EntryRecord
from gateway.ledger.state.index import AuditedIndex
from gateway.store.told_index import ArchivedPart, ArchivedPlace, IndexPart, IndexRest, SpanBegin, TraceStep

Entries = Mapping[tuple[str, int], EntryRecord]


class ArchivedIndexState(AuditedIndex, Protocol):
    """What is read of the index, and of the places of entries without bytes; the store's reads are one."""

    async def archived_part(self, first: int, end: int) -> ArchivedPart: ...


class ReadArchives(Protocol):
    """Entries of archived transactions."""

    def of(self, traces: Sequence[str]) -> Sequence[EntryRecord]: ...


class IndexWithArchives:
    """The index as the audit reads it, with the entries of archives in the parts that have places of theirs."""

    def __init__(self, state: ArchivedIndexState, archives: ReadArchives) -> None:
        self._state = state
        self._archives = archives

    async def index_part(self, block: int) -> IndexPart | None:
        """That block, as `ToldIndexReads.index_part` gives it. Raises ArchiveWrong."""
        part = await self._state.index_part(block)
        if part is None or len(part.placed) == part.end - part.first:
            return part
        beside = await self._state.archived_part(part.first, part.end)
        return await asyncio.to_thread(self._completed, part, beside)

    async def terms_there(self, block: int, terms: Sequence[str]) -> set[str]:
        """As the state has them; so are all others."""
        return await self._state.terms_there(block, terms)

    async def terms_of_block(self, block: int) -> set[str]:
        """All terms of a block."""
        return await self._state.terms_of_block(block)

    async def index_rest(self) -> IndexRest:
        """What lies beside the blocks."""
        return await self._state.index_rest()

    async def span_begins(self, after: str, most: int) -> Sequence[SpanBegin]:
        """The next rows of transactions."""
        return await self._state.span_begins(after, most)

    def _completed(self, part: IndexPart, beside: ArchivedPart) -> IndexPart:
        traces = sorted({one.trace for one in beside.places} | {one.trace for one in part.steps})
        entries = {(one.trace, one.seq): one for one in self._archives.of(traces)}
        archived = [
            _placed(place, entries[place.trace, place.seq])
            for place in beside.places
            if (place.trace, place.seq) in entries
        ]
        return replace(
            part,
            placed=sorted([*part.placed, *archived], key=lambda one: one.log_index),
            spans=[*part.spans, *beside.spans],
            steps=[_told(step, entries) for step in (*part.steps, *beside.steps)],
        )


def _placed(place: ArchivedPlace, entry: EntryRecord) -> PlacedBody:
    return PlacedBody(
        place.log_index,
        place.trace,
        place.seq,
        entry.kind,
        entry.at,
        entry.body,
        place.domain,
        place.business_unit,
        place.geography,
        place.company_code,
        place.operation,
        place.legs,
    )


def _told(step: TraceStep, entries: Entries) -> TraceStep:
    """With its kind, which only the archive tells."""
    entry = entries.get((step.trace, step.seq))
    return step if step.kind is not None or entry is None else replace(step, kind=entry.kind, body=entry.body)
