"""Processes that sent what nobody knows the outcome of, and are not on record as ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, text

from gateway.domain.processes import Sender
from gateway.store import schema
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.reader import Reader
from gateway.store.schema_activations import heartbeats
from gateway.store.schema_processes import processes
from gateway.store.statement import Query

_process, _step = processes.c, schema.steps.c
_SENDERS: Final = Query(
    select(
        _process.process_id,
        _process.host,
        _process.registered_at,
        func.max(heartbeats.c.at).label("seen_at"),
        func.count(_step.transaction_id.distinct()).label("transactions"),
    )
    .select_from(schema.transactions)
    .join(schema.steps, _step.transaction_id == schema.transactions.c.transaction_id)
    .join(processes, _process.process_id == _step.process_id)
    .outerjoin(heartbeats, heartbeats.c.process_id == _process.process_id)
    .where(
        text(f"transactions.{OPEN_STATUS}"),
        _step.state.in_(["dispatched", "unknown"]),
        _step.closed_at.is_(None),
        _process.ended_at.is_(None),
    )
    .group_by(_process.process_id, _process.host, _process.registered_at)
    .order_by(_process.registered_at, _process.process_id),
    Sender,
)


class SenderReads:
    """Who must have ended before what it sent is sent again."""

    _reader: Reader

    async def senders_not_ended(self) -> Sequence[Sender]:
        """The oldest first."""
        return await self._reader.all(_SENDERS)
