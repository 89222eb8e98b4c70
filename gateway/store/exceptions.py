"""Exceptions in the store: opened and moved with their transactions, listed for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, text

from gateway.domain.exceptions import (
    BulkItemRecord,
    BulkRecord,
    EarlierWords,
    ExceptionFilter,
    ExceptionRecord,
    MoveRecord,
    OpenExceptions,
)
from gateway.domain.queries import Visible
from gateway.store import schema as main
from gateway.store import schema_exceptions as schema
from gateway.store.filters import padded, seen
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.reader import Reader
from gateway.store.statement import Query
from gateway.store.unit import Unit

EXCEPTIONS: Final = Kept(schema.exceptions, ExceptionRecord)
EARLIER_WORDS: Final = Kept(schema.earlier_words, EarlierWords)
MOVES: Final = Kept(schema.exception_moves, MoveRecord)
BULKS: Final = Kept(schema.exception_bulks, BulkRecord)
BULK_ITEMS: Final = Kept(schema.exception_bulk_items, BulkItemRecord)

MOST_MOVES: Final = 100
"""Moves of one exception that are shown, the newest."""

_exception: Final = schema.exceptions.c
_item: Final = schema.exception_bulk_items.c

_LOCKED: Final = EXCEPTIONS.by("exception_id", lock=True)
_KEY: Final = ("exception_id",)
_MUTABLE: Final = (
    "system_id",
    "reason_code",
    "cause",
    "payload_id",
    "state",
    "updated_at",
    "owner_team",
    "owner_person",
    "move_id",
    "closed_at",
    "outcome",
    "replaced_by",
    "version",
)
_REPLACE: Final = EXCEPTIONS.replace(_KEY, _MUTABLE)
_LISTED: Final = EXCEPTIONS.query(EXCEPTIONS.selecting())
_transaction: Final = main.transactions.c
_STEPS: Final = (
    select(func.count()).where(main.steps.c.transaction_id == _transaction.transaction_id).correlate(main.transactions)
)
_SEVERAL: Final = Query(select(_transaction.transaction_id), str)
_OPEN: Final = Query(
    select(
        _exception.reason_code,
        _exception.owner_team,
        func.count().label("count"),
        func.min(_exception.opened_at).label("oldest_at"),
    )
    .where(text(schema.OPEN_STATE))
    .group_by(_exception.reason_code, _exception.owner_team)
    .order_by(_exception.reason_code, _exception.owner_team),
    OpenExceptions,
)

_MOVE: Final = MOVES.by("move_id")
_MOVE_LOCKED: Final = MOVES.by("move_id", lock=True)
_MOVE_KEY: Final = ("move_id",)
_MOVE_MUTABLE: Final = ("state", "approved_at", "approved_by", "approved_person", "finished_at", "result")
_REPLACE_MOVE: Final = MOVES.replace(_MOVE_KEY, _MOVE_MUTABLE)
_MOVES_OF: Final = MOVES.query(
    MOVES.selecting()
    .where(schema.exception_moves.c.exception_id == bindparam("exception_id"))
    .order_by(schema.exception_moves.c.move_id.desc())
    .limit(MOST_MOVES)
)

_BULK: Final = BULKS.by("bulk_id")
_BULK_LOCKED: Final = BULKS.by("bulk_id", lock=True)
_BULK_KEY: Final = ("bulk_id",)
_BULK_MUTABLE: Final = ("started_at", "started_by", "started_person")
_REPLACE_BULK: Final = BULKS.replace(_BULK_KEY, _BULK_MUTABLE)
_ITEM_KEY: Final = ("bulk_id", "position")
_REPLACE_ITEM: Final = BULK_ITEMS.replace(_ITEM_KEY, ("result",))
_DUE_ITEMS: Final = BULK_ITEMS.query(
    BULK_ITEMS.selecting()
    .where(_item.bulk_id == bindparam("bulk_id"), _item.result.is_(None))
    .order_by(_item.position)
    .limit(bindparam("most"))
)


def _tally(result: str | None, count: int) -> tuple[str | None, int]:
    return result, count


_TALLY: Final = Query(
    select(_item.result, func.count().label("count"))
    .where(_item.bulk_id == bindparam("bulk_id"))
    .group_by(_item.result)
    .order_by(_item.result),
    _tally,
)
_REFERENCED: Final = Query(
    select(main.steps.c.transaction_id).where(main.steps.c.external_reference == bindparam("external_reference")),
    str,
)


class ExceptionWrites:
    """Exceptions, moves and bulk moves of a unit. A transaction's row is taken before its exception's."""

    __slots__ = ()
    _unit: Unit

    async def insert_exception(self, record: ExceptionRecord) -> None:
        await self._unit.put(EXCEPTIONS.insert, EXCEPTIONS.params(record))

    async def exception(self, exception_id: str) -> ExceptionRecord | None:
        return await self._unit.one(_LOCKED, {"exception_id": exception_id})

    async def update_exception(self, record: ExceptionRecord) -> None:
        await replace_one(self._unit, _REPLACE, replacing(record, _KEY, _MUTABLE))

    async def insert_exception_move(self, record: MoveRecord) -> None:
        await self._unit.put(MOVES.insert, MOVES.params(record))

    async def exception_move(self, move_id: str) -> MoveRecord | None:
        return await self._unit.one(_MOVE_LOCKED, {"move_id": move_id})

    async def update_exception_move(self, record: MoveRecord) -> None:
        await replace_one(self._unit, _REPLACE_MOVE, replacing(record, _MOVE_KEY, _MOVE_MUTABLE))

    async def insert_bulk(self, record: BulkRecord, items: Sequence[BulkItemRecord]) -> None:
        await self._unit.put(BULKS.insert, BULKS.params(record))
        await self._unit.run_many(BULK_ITEMS.insert, [BULK_ITEMS.params(item) for item in items])

    async def bulk(self, bulk_id: str) -> BulkRecord | None:
        return await self._unit.one(_BULK_LOCKED, {"bulk_id": bulk_id})

    async def update_bulk(self, record: BulkRecord) -> None:
        await replace_one(self._unit, _REPLACE_BULK, replacing(record, _BULK_KEY, _BULK_MUTABLE))

    async def update_bulk_item(self, record: BulkItemRecord) -> None:
        await replace_one(self._unit, _REPLACE_ITEM, replacing(record, _ITEM_KEY, ("result",)))

    async def transaction_of_reference(self, external_reference: str) -> str | None:
        """The transaction of the step that has this external reference."""
        return await self._unit.one(_REFERENCED, {"external_reference": external_reference})


class ExceptionReads:
    """The same, asked."""

    _reader: Reader

    async def exception(self, exception_id: str, visible: Visible) -> ExceptionRecord | None:
        core = seen(EXCEPTIONS.selecting(), schema.exceptions, visible)
        rows = await self._reader.find(_LISTED, core.where(_exception.exception_id == exception_id))
        return rows[0] if rows else None

    async def exceptions(
        self, where: ExceptionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[ExceptionRecord]:
        """The oldest first: who waits longest is served first. `after`: the last id of the page before."""
        core = _of(where, seen(EXCEPTIONS.selecting(), schema.exceptions, visible))
        if after is not None:
            core = core.where(_exception.exception_id > after)
        return await self._reader.find(_LISTED, core.order_by(_exception.exception_id).limit(limit))

    async def open_exceptions(self) -> Sequence[OpenExceptions]:
        """How many are open for each reason, and since when the oldest is."""
        return await self._reader.all(_OPEN)

    async def exception_moves(self, exception_id: str) -> Sequence[MoveRecord]:
        """The newest first."""
        return await self._reader.all(_MOVES_OF, {"exception_id": exception_id})

    async def of_several_steps(self, transaction_ids: Sequence[str]) -> frozenset[str]:
        """Those of them that are a plan of several steps, or came to more than one."""
        if not transaction_ids:
            return frozenset()
        asked = _transaction.transaction_id.in_(padded(transaction_ids))
        several = _transaction.legs.is_not(None) | (_STEPS.scalar_subquery() > 1)
        return frozenset(await self._reader.find(_SEVERAL, select(_transaction.transaction_id).where(asked, several)))

    async def exception_move(self, move_id: str) -> MoveRecord | None:
        return await self._reader.one(_MOVE, {"move_id": move_id})

    async def bulk(self, bulk_id: str) -> BulkRecord | None:
        return await self._reader.one(_BULK, {"bulk_id": bulk_id})

    async def due_bulk_items(self, bulk_id: str, most: int) -> Sequence[BulkItemRecord]:
        """Those that were not dealt with yet, in their order."""
        return await self._reader.all(_DUE_ITEMS, {"bulk_id": bulk_id, "most": most})

    async def bulk_tally(self, bulk_id: str) -> Sequence[tuple[str | None, int]]:
        """How many came to which result; None: not dealt with yet."""
        return await self._reader.all(_TALLY, {"bulk_id": bulk_id})


def _of(where: ExceptionFilter, core: Select[Any]) -> Select[Any]:
    """With the filter's conditions."""
    equal = (
        "reason_code",
        "cause",
        "domain",
        "operation",
        "system_id",
        "company_code",
        "currency_code",
        "owner_team",
        "owner_person",
        "transaction_id",
        "lineage_id",
    )
    for name in equal:
        value = getattr(where, name)
        if value is not None:
            core = core.where(schema.exceptions.c[name] == value)
    if where.state == "open":
        core = core.where(text(schema.OPEN_STATE))
    elif where.state is not None:
        core = core.where(_exception.state == where.state)
    for name, nodes in (("business_unit", where.business_units), ("geography", where.geographies)):
        if nodes is not None:
            core = core.where(schema.exceptions.c[name].in_(sorted(nodes)))
    if where.opened_from is not None:
        core = core.where(_exception.opened_at >= where.opened_from)
    if where.opened_until is not None:
        core = core.where(_exception.opened_at < where.opened_until)
    return core
