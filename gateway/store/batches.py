"""Batches in the store: carried on by the newest request only, and asked for by their client."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from typing import Final

from sqlalchemy import bindparam, cast, func, or_, select, text

from gateway.domain.batches import BatchLineRecord, BatchLineShown, BatchPart, BatchProgress, BatchRecord, LineResult
from gateway.store import schema as main
from gateway.store.columns import INT
from gateway.store.exact_sums import amount_from, millionths_of, summed, whole_of
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.reader import Reader
from gateway.store.schema_batches import WAITING, batch_lines, batches
from gateway.store.statement import Query
from gateway.store.unit import Unit

BATCHES: Final = Kept(batches, BatchRecord)
LINES: Final = Kept(batch_lines, BatchLineRecord)
_line: Final = batch_lines.c
_transaction: Final = main.transactions.c

_BATCH: Final = BATCHES.by("batch_id")
_NAMED: Final = BATCHES.by("client", "idempotency_key", lock=True)
_KEY: Final = ("batch_id",)
_MUTABLE: Final = ("state", "received", "digest", "updated_at", "completed_at")
_CARRY_ON: Final = BATCHES.replace(_KEY, _MUTABLE, batches.c.epoch == bindparam("mine"))
_TAKEN_OVER: Final = ("epoch", "state", "updated_at")
_TAKE_OVER: Final = BATCHES.replace(_KEY, _TAKEN_OVER)
_OPEN: Final = BATCHES.query(
    BATCHES.selecting()
    .where(batches.c.state == "open", batches.c.updated_at < bindparam("before"))
    .order_by(batches.c.updated_at)
    .limit(bindparam("most"))
)
_LINE_KEY: Final = ("batch_id", "line_number")
_DECIDED: Final = ("result", "transaction_id", "replayed", "problem", "body")
_DECIDE: Final = LINES.replace(_LINE_KEY, _DECIDED)
_WAITING: Final = LINES.query(
    LINES.selecting()
    .where(text(WAITING), _line.batch_id == bindparam("batch_id"), _line.line_number > bindparam("after"))
    .order_by(_line.line_number)
    .limit(bindparam("most"))
)
_joined: Final = batch_lines.outerjoin(main.transactions, _transaction.transaction_id == _line.transaction_id)
_SHOWING: Final = select(
    _line.line_number,
    _line.result,
    _line.transaction_id,
    _line.replayed,
    _line.problem,
    _transaction.status,
).select_from(_joined)
_SHOWN: Final = Query(_SHOWING, BatchLineShown)
_TRANSACTION_ID: Final = Query(select(_line.transaction_id), str)


def _part(
    result: LineResult,
    status: str | None,
    currency_code: str | None,
    lines: int,
    replayed: int,
    transactions: int,
    whole: int,
    millionths: int,
) -> BatchPart:
    return BatchPart(result, status, currency_code, lines, replayed, transactions, amount_from(whole, millionths))


# One row for all lines that name one transaction: joined line by line, its amount would count as often as it was sent.
_told: Final = (
    select(
        _line.result,
        _line.transaction_id,
        cast(func.count(), INT).label("lines"),
        summed(_line.replayed).label("replayed"),
    )
    .where(_line.batch_id == bindparam("batch_id"))
    .group_by(_line.result, _line.transaction_id)
    .subquery("told")
)
_by: Final = (_told.c.result, _transaction.status, _transaction.currency_code)
_PARTS: Final = Query(
    select(
        *_by,
        summed(_told.c.lines).label("lines"),
        summed(_told.c.replayed).label("replayed"),
        cast(func.count(_transaction.transaction_id), INT).label("transactions"),
        summed(whole_of(_transaction.amount)).label("whole"),
        summed(millionths_of(_transaction.amount)).label("millionths"),
    )
    .select_from(_told.outerjoin(main.transactions, _transaction.transaction_id == _told.c.transaction_id))
    .group_by(*_by)
    .order_by(*_by),
    _part,
)


class BatchWrites:
    """Batches of a unit."""

    __slots__ = ()
    _unit: Unit

    async def batch_named(self, client: str, idempotency_key: str) -> BatchRecord | None:
        return await self._unit.one(_NAMED, {"client": client, "idempotency_key": idempotency_key})

    async def insert_batch(self, record: BatchRecord) -> None:
        await self._unit.put(BATCHES.insert, BATCHES.params(record))

    async def take_batch_over(self, record: BatchRecord) -> None:
        """`record` has the new epoch: whoever carried the batch on before writes no more."""
        await replace_one(self._unit, _TAKE_OVER, replacing(record, _KEY, _TAKEN_OVER))

    async def carry_batch_on(self, record: BatchRecord) -> None:
        """Raises Fenced if a newer request carries it on."""
        await replace_one(self._unit, _CARRY_ON, {**replacing(record, _KEY, _MUTABLE), "mine": record.epoch})

    async def insert_batch_lines(self, records: Sequence[BatchLineRecord]) -> None:
        await self._unit.run_many(LINES.insert, [LINES.params(one) for one in records])

    async def decide_batch_lines(self, records: Sequence[BatchLineRecord]) -> None:
        """Lines that waited wait no more."""
        await self._unit.run_many(_DECIDE, [replacing(one, _LINE_KEY, _DECIDED) for one in records])


class BatchReads:
    """The same, asked."""

    _reader: Reader

    async def batch(self, batch_id: str) -> BatchRecord | None:
        return await self._reader.one(_BATCH, {"batch_id": batch_id})

    async def open_batches(self, before: int, most: int) -> Sequence[BatchRecord]:
        """Open, and not carried on since then (µs); the oldest first."""
        return await self._reader.all(_OPEN, {"before": before, "most": most})

    async def batch_progress(self, batch_id: str) -> BatchProgress | None:
        async with self._reader.moment() as moment:
            found = await moment.all(_BATCH, {"batch_id": batch_id})
            parts = await moment.all(_PARTS, {"batch_id": batch_id}) if found else []
        return BatchProgress(found[0], parts) if found else None

    async def waiting_batch_lines(self, batch_id: str, after: int, most: int) -> Sequence[BatchLineRecord]:
        """In their order, above the line `after`."""
        return await self._reader.all(_WAITING, {"batch_id": batch_id, "after": after, "most": most})

    async def named_in_batches(self, batch: BatchRecord, transaction_ids: Collection[str]) -> Set[str]:
        """Which of these transactions a line of this batch names, or a line of another one of its client that had it
        accepted since this batch began."""
        core = (
            select(_line.transaction_id)
            .select_from(batch_lines.join(batches, batches.c.batch_id == _line.batch_id))
            .where(
                batches.c.client == batch.client,
                batches.c.updated_at >= batch.created_at,
                or_(_line.batch_id == batch.batch_id, _line.replayed == 0),
                _line.transaction_id.in_(transaction_ids),
            )
        )
        return frozenset(await self._reader.find(_TRANSACTION_ID, core))

    async def batch_lines(
        self, batch_id: str, after: int, most: int, result: LineResult | None = None
    ) -> Sequence[BatchLineShown]:
        """In their order, above the line `after`; those with one result if that is named."""
        core = _SHOWING.where(_line.batch_id == batch_id, _line.line_number > after)
        if result is not None:
            core = core.where(_line.result == result)
        return await self._reader.find(_SHOWN, core.order_by(_line.line_number).limit(most))
