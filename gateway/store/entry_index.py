"""The index of the ledger's entries as its filler writes it: batches of entries that follow each other in the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.indexed_entries import RULE, IndexedEntry, PlacedBody
from gateway.store import schema
from gateway.store.entries import ENTRIES, of_entry
from gateway.store.kept import Kept
from gateway.store.log import LOG
from gateway.store.log_schema import log_entries
from gateway.store.reader import Reader
from gateway.store.schema_queries import (
    indexed_blocks,
    indexed_entries,
    indexed_terms,
    indexed_transactions,
    indexed_until,
)
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """The first and the last time (µs) that entries of a block bear."""

    block: int
    at_first: int
    at_last: int


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """From which place of the log to which a transaction was under way; None: it is."""

    trace: str
    first_index: int
    ended_index: int | None


@dataclass(frozen=True, slots=True)
class MendedBlock:
    """What of a block differs from what an earlier rule made of its entries. `new`, `gone`: terms. `ended`: by trace,
    where transactions that begin there ended; None: not."""

    block: int
    rows: Sequence[IndexedEntry]
    new: frozenset[str]
    gone: frozenset[str]
    ended: Sequence[tuple[str, int | None]]

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        return not (self.rows or self.new or self.gone or self.ended)


INDEXED: Final = Kept(indexed_entries, IndexedEntry)
BLOCKS: Final = Kept(indexed_blocks, BlockRecord)
SPANS: Final = Kept(indexed_transactions, SpanRecord)


def _count(column: int) -> int:
    return column


_until: Final = indexed_until.c
_place: Final = log_entries.c
_entry: Final = schema.ledger_entries.c
_transaction: Final = schema.transactions.c
_lineage: Final = schema.lineages.c
_root: Final = schema.documents.c

ALL: Final = 2**53
"""More entries than there are."""
OF_RULE: Final = f"{LOG}, rule {RULE}"
"""The row that says how many of the first entries are in the index as the rule of now reads them."""
_SET_BY_RULE: Final = Command(
    insert(indexed_until)
    .values(log=OF_RULE, size=bindparam("size"))
    .on_conflict_do_update(index_elements=["log"], set_={"size": bindparam("size")})
)
BY_RULE: Final = Query(select(_until.size).where(_until.log == OF_RULE), _count)
_UNINDEX: Final = Command(delete(indexed_entries).where(indexed_entries.c.log_index == bindparam("place")))
_FORGET_TERM: Final = Command(
    delete(indexed_terms).where(
        indexed_terms.c.term == bindparam("old_term"), indexed_terms.c.block == bindparam("of_block")
    )
)
_FIRST_SIZE: Final = Command(insert(indexed_until).values(log=LOG, size=0).on_conflict_do_nothing())
# An update that changes nothing: it holds the row until the unit ends, on both databases.
_HOLD_SIZE: Final = Query(
    update(indexed_until).where(_until.log == LOG).values(size=_until.size).returning(_until.size), _count
)
_EMPTY: Final = tuple(
    Command(delete(table)) for table in (indexed_entries, indexed_terms, indexed_blocks, indexed_transactions)
)
_SET_SIZE: Final = Command(update(indexed_until).where(_until.log == LOG).values(size=bindparam("grown")))
_TERM: Final = Command(
    insert(indexed_terms).values(term=bindparam("term"), block=bindparam("block")).on_conflict_do_nothing()
)
_BLOCK: Final = BLOCKS.by("block")
_SET_BLOCK: Final = BLOCKS.replace(("block",), ("at_first", "at_last"))
_END: Final = Command(
    update(indexed_transactions)
    .where(indexed_transactions.c.trace == bindparam("ended"))
    .values(ended_index=bindparam("place"))
)
# Cut off with LIMIT, so that what an entry says is looked up once for each, and not joined (`of_entry`).
_placed: Final = (
    select(
        _place.log_index,
        _place.trace,
        _place.seq,
        *(of_entry(column, _place.trace, _place.seq).label(column.name) for column in ENTRIES.columns[2:6]),
    )
    .where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end"))
    .order_by(_place.log_index)
    .limit(literal_column("1000000"))
    .subquery("placed")
)
PLACED_BODIES: Final = Query(
    select(
        _placed.c.log_index,
        _placed.c.trace,
        _placed.c.seq,
        _placed.c.kind,
        _placed.c.at,
        _placed.c.body,
        func.coalesce(_transaction.domain, _root.domain).label("domain"),
        func.coalesce(_transaction.business_unit, _root.business_unit).label("business_unit"),
        func.coalesce(_transaction.geography, _root.geography).label("geography"),
        func.coalesce(_transaction.company_code, _root.company_code).label("company_code"),
        _transaction.operation,
        _transaction.legs,
    )
    .select_from(
        _placed.outerjoin(schema.transactions, _transaction.transaction_id == _placed.c.trace)
        .outerjoin(
            schema.lineages,
            (_lineage.lineage_id == _placed.c.lineage_id) & _transaction.transaction_id.is_(None),
        )
        .outerjoin(schema.documents, _root.document_id == _lineage.root_document_id)
    )
    .where(_placed.c.body.is_not(None))
    .order_by(_placed.c.log_index),
    PlacedBody,
)
LOG_SIZE: Final = Query(select(func.coalesce(func.max(_place.log_index) + 1, 0).label("size")), _count)
INDEXED_SIZE: Final = Query(select(_until.size).where(_until.log == LOG), _count)


class EntryIndexWrites:
    """The index in a unit."""

    __slots__ = ()
    _unit: Unit

    async def hold_entry_index(self) -> int:
        """Lock the index until the unit ends; how many entries of the log are in it."""
        if await self._unit.run(_FIRST_SIZE):
            await self._unit.run(_SET_BY_RULE, {"size": ALL})
        return await self._unit.one(_HOLD_SIZE) or 0

    async def empty_entry_index(self) -> int:
        """Take everything out of the index, which then is filled again; how many entries it had."""
        size = await self.hold_entry_index()
        for command in _EMPTY:
            await self._unit.run(command)
        await self._unit.run(_SET_SIZE, {"grown": 0})
        await self._unit.run(_SET_BY_RULE, {"size": ALL})
        return size

    async def mend_entry_index(self, mended: MendedBlock | None, by_rule: int) -> None:
        """Replace what a block has by an earlier rule; so many of the first entries are by the rule of now then."""
        if mended is not None:
            await self._unit.run_many(_UNINDEX, [{"place": one.log_index} for one in mended.rows])
            await self._unit.run_many(INDEXED.insert, [INDEXED.params(one) for one in mended.rows])
            gone: list[Mapping[str, str | int]] = [
                {"old_term": term, "of_block": mended.block} for term in sorted(mended.gone)
            ]
            await self._unit.run_many(_FORGET_TERM, gone)
            await self._unit.run_many(_TERM, [(term, mended.block) for term in sorted(mended.new)])
            await self.index_transactions([], mended.ended)
        await self._unit.run(_SET_BY_RULE, {"size": by_rule})

    async def index_entries(
        self, entries: Sequence[IndexedEntry], terms: Iterable[str], block: BlockRecord, size: int
    ) -> None:
        """Put entries of one block into the index, which then has `size` of the log's entries."""
        await self._unit.run_many(INDEXED.insert, [INDEXED.params(one) for one in entries])
        await self._unit.run_many(_TERM, [(term, block.block) for term in terms])
        known = await self._unit.one(_BLOCK, {"block": block.block})
        if known is None:
            await self._unit.put(BLOCKS.insert, BLOCKS.params(block))
        else:
            first, last = min(known.at_first, block.at_first), max(known.at_last, block.at_last)
            await self._unit.run(_SET_BLOCK, {"block": block.block, "new_at_first": first, "new_at_last": last})
        await self._unit.run(_SET_SIZE, {"grown": size})

    async def index_transactions(self, begun: Sequence[SpanRecord], ended: Sequence[tuple[str, int | None]]) -> None:
        """Transactions that began, and those that ended, by trace, at these places; None: it goes on."""
        if begun:
            await self._unit.run_many(SPANS.insert, [SPANS.params(one) for one in begun])
        if ended:
            await self._unit.run_many(_END, [{"ended": trace, "place": place} for trace, place in ended])


class EntryIndexReads:
    """What the filler reads: committed entries that have a place never change."""

    _reader: Reader

    async def log_size(self) -> int:
        """How many entries have a place."""
        return await self._reader.one(LOG_SIZE) or 0

    async def indexed_size(self) -> int:
        """How many of them are in the index."""
        return await self._reader.one(INDEXED_SIZE) or 0

    async def indexed_by_rule(self) -> int:
        """How many of the first entries are in the index as the rule of now reads them; ALL, or more than there are,
        where none are left that an earlier rule put there."""
        return await self._reader.one(BY_RULE) or 0

    async def placed_bodies(self, first: int, end: int) -> Sequence[PlacedBody]:
        """The entries at the places [first, end), each with where it belongs."""
        return await self._reader.all(PLACED_BODIES, {"first": first, "end": end})
