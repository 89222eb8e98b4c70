"""Questions about the entries of the ledger, answered out of their index.

Nothing is left to a planner: a question looks at ranges of the log, which the caller chooses (`blocks_with`) and whose
size it limits; so it costs the same whatever it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, func, select, type_coerce

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.indexed_entries import IndexedEntry
from gateway.domain.queries import Visible
from gateway.store import schema
from gateway.store.entry_conditions import Ranges, in_order, in_ranges, of_filter
from gateway.store.entry_index import INDEXED, EntryIndexReads
from gateway.store.exact_sums import summed
from gateway.store.filters import padded
from gateway.store.log_reads import PlacedEntry, placed_at
from gateway.store.log_schema import log_checkpoints, log_entries
from gateway.store.reader import Reader
from gateway.store.schema_queries import indexed_blocks, indexed_entries, indexed_terms
from gateway.store.span_reads import SpanReads
from gateway.store.statement import Query

DAY: Final = 86_400_000_000
"""µs."""

_entry: Final = indexed_entries.c
_term: Final = indexed_terms.c
_block: Final = indexed_blocks.c
_place: Final = log_entries.c
_body: Final = schema.ledger_entries.c
_checkpoint: Final = log_checkpoints.c


@dataclass(frozen=True, slots=True)
class GroupSum:
    """Entries of one group, kind and currency: how many, and the sum of what those that have an amount bear."""

    key: tuple[str | int | None, ...]
    kind: str
    currency_code: str | None
    entries: int
    units: int
    millionths: int


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """An entry in short, and its place in the log; None: it has none yet."""

    trace: str
    seq: int
    kind: str
    at: int
    log_index: int | None


def _number(value: int) -> int:
    return value


def _maybe(value: int | None) -> int | None:
    return value


_ROWS: Final = INDEXED.query(INDEXED.selecting())
_BLOCKS: Final = Query(select(_term.block), _number)
_FIRST_BLOCK: Final = Query(
    select(func.min(_block.block).label("bound")).where(_block.at_last >= bindparam("at")), _maybe
)
_LAST_BLOCK: Final = Query(
    select(func.max(_block.block).label("bound")).where(_block.at_first < bindparam("at")), _maybe
)
_KNOWN_AT: Final = Query(
    select(func.max(_checkpoint.size).label("size")).where(
        _checkpoint.origin == bindparam("origin"), _checkpoint.kept_at <= bindparam("at")
    ),
    _maybe,
)
_KEPT_SINCE: Final = Query(
    select(func.min(_checkpoint.kept_at).label("kept_at")).where(_checkpoint.origin == bindparam("origin")), _maybe
)
_LAST_KEPT: Final = Query(
    select(_checkpoint.kept_at)
    .where(_checkpoint.origin == bindparam("origin"))
    .order_by(_checkpoint.size.desc())
    .limit(1),
    _maybe,
)
_steps = select(_body.trace, _body.seq, _body.kind, _body.at, _place.log_index).select_from(
    schema.ledger_entries.outerjoin(log_entries, (_body.trace == _place.trace) & (_body.seq == _place.seq))
)
_STEPS: Final = Query(_steps, PlacedStep)
_TRACES: Final = 500
"""Traces that are read at once."""


class EntryReads(EntryIndexReads, SpanReads):
    """Questions about entries."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def known_at(self, origin: str, at: int) -> int:
        """How many entries the newest checkpoint covered that was kept at that instant (µs); 0 before the first."""
        return await self._reader.one(_KNOWN_AT, {"origin": origin, "at": at}) or 0

    async def kept_since(self, origin: str) -> int | None:
        """Since when (µs) checkpoints say when they were kept."""
        return await self._reader.one(_KEPT_SINCE, {"origin": origin})

    async def last_kept(self, origin: str) -> int | None:
        """When (µs) the newest checkpoint was kept; None where there is none, or it does not say."""
        return await self._reader.one(_LAST_KEPT, {"origin": origin})

    async def blocks_between(self, at_from: int | None, at_until: int | None) -> tuple[int, int] | None:
        """The blocks [first, last] beside which no entry bears a time in [at_from, at_until); None: no block at all."""
        first: int | None = 0
        if at_from is not None:
            first = await self._reader.one(_FIRST_BLOCK, {"at": at_from})
        last: int | None = 2**53
        if at_until is not None:
            last = await self._reader.one(_LAST_BLOCK, {"at": at_until})
        return None if first is None or last is None or first > last else (first, last)

    async def blocks_with(self, groups: Sequence[Sequence[str]], first: int, last: int, limit: int) -> list[int]:
        """The first `limit` of the blocks [first, last] that have of every group at least one term, in order."""
        leading, *others = groups
        core = select(_term.block).where(_term.term.in_(padded(leading)), _term.block >= first, _term.block <= last)
        for terms in others:
            other = indexed_terms.alias()
            core = core.where(
                select(other.c.block).where(other.c.term.in_(padded(terms)), other.c.block == _term.block).exists()
            )
        if len(leading) > 1:
            core = core.distinct()
        return await self._reader.find(_BLOCKS, core.order_by(_term.block).limit(limit))

    async def rows(self, where: EntryFilter, visible: Visible, ranges: Ranges, limit: int) -> list[IndexedEntry]:
        """The first `limit` entries at these places, in order."""
        if not ranges:
            return []
        core = in_ranges(INDEXED.selecting(), ranges, sqlite=self._reader.is_sqlite)
        core = core.where(*of_filter(where, visible))
        return await self._reader.find(_ROWS, core.order_by(in_order(_entry.log_index, ranges)).limit(limit))

    async def sums(
        self, where: EntryFilter, visible: Visible, ranges: Ranges, group_by: Sequence[str]
    ) -> list[GroupSum]:
        """Counts and sums of the entries at these places. `group_by`: columns, or `day` (days since 1970 UTC)."""
        if not ranges:
            return []
        keys = [_key(name) for name in group_by]
        core: Select[Any] = (
            select(
                *keys,
                _entry.kind.label("kind_of"),
                _entry.currency_code.label("currency_of"),
                func.count().label("entries"),
                summed(_entry.amount_units).label("units"),
                summed(_entry.amount_millionths).label("millionths"),
            )
            .where(*of_filter(where, visible))
            .group_by(*keys, _entry.kind, _entry.currency_code)
        )
        width = len(group_by)

        def group(*columns: Any) -> GroupSum:
            return GroupSum(tuple(columns[:width]), *columns[width:])

        core = in_ranges(core, ranges, sqlite=self._reader.is_sqlite)
        return await self._reader.find(Query(core, group), core)

    async def placed_at(self, places: Sequence[int]) -> Mapping[int, PlacedEntry]:
        """The entries at these places."""
        return {one.log_index: one for one in await placed_at(self._reader, places)}

    async def steps_of(self, traces: Sequence[str]) -> Mapping[str, Sequence[PlacedStep]]:
        """The entries of these traces, by trace, in order; read where they are written, so nothing is late."""
        found: dict[str, list[PlacedStep]] = {}
        for start in range(0, len(traces), _TRACES):
            core = _steps.where(_body.trace.in_(padded(traces[start : start + _TRACES])))
            for one in await self._reader.find(_STEPS, core.order_by(_body.trace, _body.seq)):
                found.setdefault(one.trace, []).append(one)
        return found


def _key(name: str) -> Any:
    if name == "day":
        # Whole numbers on both databases: floor, for no time is before 1970.
        return type_coerce(_entry.at.op("/")(DAY), Integer()).label("day_of")
    return _entry[name].label(f"{name}_of")
