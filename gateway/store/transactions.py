"""Transactions and their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, case, update

from gateway.domain.records import StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.store import schema
from gateway.store.columns import INT
from gateway.store.database_time import database_now
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.statement import Command
from gateway.store.unit import Unit

TRANSACTIONS: Final = Kept(schema.transactions, TransactionRecord, {"status": Status, "pinned": bool})
STEPS: Final = Kept(schema.steps, StepRecord)

_MUTABLE: Final = (
    "status",
    "updated_at",
    "entry_count",
    "system_id",
    "side",
    "stage",
    "table_version",
    "rule_row",
    "activation_number",
    "pinned",
    "explanation",
    "erp_document_type",
    "erp_document_number",
    "problem",
    "retry_after_s",
    "exception_id",
    "legs",
)
_LOCKED: Final = TRANSACTIONS.by("transaction_id", lock=True)
TRANSACTION: Final = TRANSACTIONS.by("transaction_id")
_REPLACE: Final = TRANSACTIONS.replace(["transaction_id"], _MUTABLE)

_STEP: Final = ("transaction_id", "step", "direction")
_STEP_MUTABLE: Final = tuple(name for name in STEPS.names if name not in _STEP)
STEPS_OF: Final = STEPS.query(
    STEPS.selecting()
    .where(schema.steps.c.transaction_id == bindparam("transaction_id"))
    .order_by(schema.steps.c.step, schema.steps.c.direction)
)
# An epoch never goes back: a process that was paused past its lease cannot write over its successor's step.
_REPLACE_STEP: Final = STEPS.replace(_STEP, _STEP_MUTABLE, schema.steps.c.epoch <= bindparam("new_epoch"))

_ATTEMPT: Final = (*_STEP, "attempt", "epoch", "process_id")
_AT: Final = bindparam("said_at", type_=INT)
# Not before the database's time: the clock of a machine that was stopped may be behind when it wakes, and the quiet
# time would be over as soon as it starts.
_CLOSE_ATTEMPT: Final = Command(
    update(schema.steps)
    .where(
        *(schema.steps.c[name] == bindparam(f"of_{name}") for name in _ATTEMPT),
        (schema.steps.c.state == "dispatched") | (schema.steps.c.state == "unknown"),
        schema.steps.c.closed_at.is_(None),
    )
    .values({schema.steps.c.closed_at: case((database_now() > _AT, database_now()), else_=_AT)})
)


class TransactionWrites:
    """Transactions and steps of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_transaction(self, record: TransactionRecord) -> None:
        await self._unit.put(TRANSACTIONS.insert, TRANSACTIONS.params(record))

    async def transaction(self, transaction_id: str) -> TransactionRecord | None:
        return await self._unit.one(_LOCKED, {"transaction_id": transaction_id})

    async def transactions(self, transaction_ids: Sequence[str]) -> Mapping[str, TransactionRecord]:
        found = await self._unit.each(TRANSACTION, [(one,) for one in transaction_ids])
        return {one.transaction_id: one for one in found}

    async def transactions_held(self, transaction_ids: Sequence[str]) -> Sequence[TransactionRecord]:
        return await self._unit.each(_LOCKED, [(one,) for one in transaction_ids])

    async def update_transaction(self, record: TransactionRecord) -> None:
        await replace_one(self._unit, _REPLACE, replacing(record, ["transaction_id"], _MUTABLE))

    async def steps(self, transaction_id: str) -> Sequence[StepRecord]:
        return await self._unit.all(STEPS_OF, {"transaction_id": transaction_id})

    async def insert_step(self, record: StepRecord) -> None:
        await self._unit.put(STEPS.insert, STEPS.params(record))

    async def update_step(self, record: StepRecord) -> None:
        """Raises Fenced if the step has a newer epoch."""
        await replace_one(self._unit, _REPLACE_STEP, replacing(record, _STEP, _STEP_MUTABLE))

    async def close_attempt(self, attempt: StepRecord, at: int) -> bool:
        params = {f"of_{name}": getattr(attempt, name) for name in _ATTEMPT}
        return await self._unit.run(_CLOSE_ATTEMPT, {**params, "said_at": at}) == 1
