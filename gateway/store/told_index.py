"""The index of the entries beside the entries that it was made of, block by block, each at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, case, func, null, or_, select

from gateway.domain.indexed_entries import BLOCK, END_KINDS, IndexedEntry, PlacedBody, begins
from gateway.store import schema
from gateway.store.entries import of_entry
from gateway.store.entry_index import (
    BLOCKS,
    BY_RULE,
    INDEXED,
    INDEXED_SIZE,
    LOG_SIZE,
    PLACED_BODIES,
    SPANS,
    BlockRecord,
    SpanRecord,
)
from gateway.store.filters import padded
from gateway.store.log_schema import log_entries
from gateway.store.reader import Moment, Reader
from gateway.store.schema_queries import indexed_blocks, indexed_entries, indexed_terms, indexed_transactions
from gateway.store.state_reads import STRAYS, among
from gateway.store.statement import Query

_CHUNK: Final = 512
"""Values in one IN list."""

_row: Final = indexed_entries.c
_term: Final = indexed_terms.c
_block: Final = indexed_blocks.c
_span: Final = indexed_transactions.c
_place: Final = log_entries.c
_entry: Final = schema.ledger_entries.c
_transaction: Final = schema.transactions.c


@dataclass(frozen=True, slots=True)
class TraceStep:
    """An entry of a transaction by its place; `kind` is None where the entry is not stored. `body`: of those kinds that
    are an end or look like one."""

    trace: str
    seq: int
    log_index: int
    kind: str | None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class ArchivedPlace:
    """The place of a transaction's entry that is not stored, with where the transaction says that it belongs."""

    log_index: int
    trace: str
    seq: int
    domain: str
    business_unit: str | None
    geography: str | None
    company_code: str | None
    operation: str
    legs: str | None = None


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """What an `IndexPart` lacks where entries are not stored. `spans`, `steps`: of transactions that begin there."""

    places: Sequence[ArchivedPlace]
    spans: Sequence[SpanRecord]
    steps: Sequence[TraceStep]


@dataclass(frozen=True, slots=True)
class IndexPart:
    """A block of the index, as far as it is filled: the places [first, end).

    Attributes:
        placed: its entries, as far as they are stored.
        rows: what the index has of these places, and of the rest of the block.
        terms: of a block that still grows; None of a full one, of which they can be asked for one by one.
        spans, steps: of the transactions that begin here, and all their entries that are in the index.
        by_rule: all of it was put there by the rule of now.
    """

    first: int
    end: int
    placed: Sequence[PlacedBody]
    rows: Sequence[IndexedEntry]
    block: BlockRecord | None
    terms: frozenset[str] | None
    spans: Sequence[SpanRecord]
    steps: Sequence[TraceStep]
    by_rule: bool = True


@dataclass(frozen=True, slots=True)
class IndexRest:
    """What lies beside the blocks, at one moment. `size`: entries that the index says to have; `log_size`: those with a
    place. `terms`: how many each block has. `rows`, `blocks`: numbers of the first of those beyond the size."""

    size: int
    log_size: int
    terms: Sequence[tuple[int, int]]
    rows: Sequence[int]
    blocks: Sequence[int]


@dataclass(frozen=True, slots=True)
class SpanBegin:
    """A row of a transaction, and whether one of that name begins at its first place."""

    trace: str
    first_index: int
    seq: int | None
    began: str | None


def _text(column: str) -> str:
    return column


def _number(column: int) -> int:
    return column


def _count(block: int, count: int) -> tuple[int, int]:
    return block, count


_ROWS: Final = INDEXED.query(
    INDEXED.selecting()
    .where(_row.log_index >= bindparam("first"), _row.log_index < bindparam("end"))
    .order_by(_row.log_index)
)
_BLOCK: Final = BLOCKS.by("block")
_TERMS: Final = Query(select(_term.term), _text)
_kind: Final = of_entry(_entry.kind, _place.trace, _place.seq)
_steps_of: Final = select(
    _place.trace,
    _place.seq,
    _place.log_index,
    _kind.label("kind"),
    case((_kind.in_(sorted(END_KINDS)), of_entry(_entry.body, _place.trace, _place.seq)), else_=null()).label("body"),
)
_STEPS: Final = Query(_steps_of, TraceStep)
_WITHOUT_BYTES: Final = Query(
    select(
        _place.log_index,
        _place.trace,
        _place.seq,
        _transaction.domain,
        _transaction.business_unit,
        _transaction.geography,
        _transaction.company_code,
        _transaction.operation,
        _transaction.legs,
    )
    .select_from(log_entries.join(schema.transactions, _transaction.transaction_id == _place.trace))
    .where(
        _place.log_index >= bindparam("first"),
        _place.log_index < bindparam("end"),
        of_entry(_entry.kind, _place.trace, _place.seq).is_(None),
    )
    .order_by(_place.log_index),
    ArchivedPlace,
)
_COUNTS: Final = Query(select(_term.block, func.count().label("terms")).group_by(_term.block), _count)
_STRAY_ROWS: Final = Query(
    select(_row.log_index)
    .where(or_(_row.log_index >= bindparam("size"), _row.log_index < 0))
    .order_by(_row.log_index)
    .limit(STRAYS),
    _number,
)
_STRAY_BLOCKS: Final = Query(
    select(_block.block)
    .where(or_(_block.block >= bindparam("blocks"), _block.block < 0))
    .order_by(_block.block)
    .limit(STRAYS),
    _number,
)
_spans = (
    select(_span.trace, _span.first_index)
    .where(_span.trace > bindparam("after"))
    .order_by(_span.trace)
    .limit(bindparam("most"))
    .subquery("spans")
)
_BEGINS: Final = Query(
    select(_spans.c.trace, _spans.c.first_index, _place.seq, schema.transactions.c.transaction_id.label("began"))
    .select_from(
        _spans.outerjoin(
            log_entries, (_place.log_index == _spans.c.first_index) & (_place.trace == _spans.c.trace)
        ).outerjoin(schema.transactions, schema.transactions.c.transaction_id == _spans.c.trace)
    )
    .order_by(_spans.c.trace),
    SpanBegin,
)


class ToldIndexReads:
    """Questions of the audit about the index."""

    _reader: Reader

    async def index_part(self, block: int) -> IndexPart | None:
        """That block, as far as it is filled now; None: it has nothing."""
        first = block * BLOCK
        async with self._reader.moment() as moment:
            end = min(first + BLOCK, await _first(moment, INDEXED_SIZE))
            if end <= first:
                return None
            placed = await moment.all(PLACED_BODIES, {"first": first, "end": end})
            traces = [one.trace for one in placed if begins(one)]
            found = await moment.all(_BLOCK, {"block": block})
            terms = None
            if end < first + BLOCK:
                terms = frozenset(await moment.find(_TERMS, select(_term.term).where(_term.block == block)))
            return IndexPart(
                first=first,
                end=end,
                placed=placed,
                rows=await moment.all(_ROWS, {"first": first, "end": first + BLOCK}),
                block=found[0] if found else None,
                terms=terms,
                spans=await among(moment, SPANS, _span.trace, traces),
                steps=await _steps(moment, traces, await _first(moment, INDEXED_SIZE)),
                by_rule=end <= await _first(moment, BY_RULE),
            )

    async def archived_part(self, first: int, end: int) -> ArchivedPart:
        """What is there of the places [first, end) whose entries are not stored."""
        async with self._reader.moment() as moment:
            places = await moment.all(_WITHOUT_BYTES, {"first": first, "end": end})
            traces = [one.trace for one in places if one.seq == 1]
            spans = await among(moment, SPANS, _span.trace, traces)
            return ArchivedPart(places, spans, await _steps(moment, traces, await _first(moment, INDEXED_SIZE)))

    async def terms_there(self, block: int, terms: Sequence[str]) -> set[str]:
        """Which of these terms the block has."""
        found: set[str] = set()
        for start in range(0, len(terms), _CHUNK):
            part = padded(terms[start : start + _CHUNK])
            core = select(_term.term).where(_term.term.in_(part), _term.block == block)
            found.update(await self._reader.find(_TERMS, core))
        return found

    async def terms_of_block(self, block: int) -> set[str]:
        """All that it has. Reads all terms of all blocks."""
        return set(await self._reader.find(_TERMS, select(_term.term).where(_term.block == block)))

    async def index_rest(self) -> IndexRest:
        """What lies beside the blocks."""
        async with self._reader.moment() as moment:
            size = await _first(moment, INDEXED_SIZE)
            return IndexRest(
                size=size,
                log_size=await _first(moment, LOG_SIZE),
                terms=await moment.all(_COUNTS),
                rows=await moment.all(_STRAY_ROWS, {"size": size}),
                blocks=await moment.all(_STRAY_BLOCKS, {"blocks": -(-size // BLOCK)}),
            )

    async def span_begins(self, after: str, most: int) -> Sequence[SpanBegin]:
        """The next `most` rows of transactions after that trace."""
        return await self._reader.all(_BEGINS, {"after": after, "most": most})


async def _first(moment: Moment, query: Query[int]) -> int:
    found = await moment.all(query)
    return found[0] if found else 0


async def _steps(moment: Moment, traces: Sequence[str], size: int) -> list[TraceStep]:
    found: list[TraceStep] = []
    for start in range(0, len(traces), _CHUNK):
        part = padded(traces[start : start + _CHUNK])
        core = _steps_of.where(_place.trace.in_(part), _place.log_index < size)
        found += await moment.find(_STEPS, core)
    return sorted(found, key=lambda one: one.log_index)
