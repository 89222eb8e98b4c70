"""What stands still and what waits for what: open transactions of lineages, their jobs, and the events of a lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import or_, select, text

from gateway.domain.queries import StreamMemory, Visible
from gateway.domain.records import JobRecord, OutboxRecord, TransactionRecord
from gateway.store import schema
from gateway.store.filters import seen
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.jobs import JOBS
from gateway.store.kept import Kept
from gateway.store.outbox import OUTBOX
from gateway.store.reader import Reader
from gateway.store.statement import Query
from gateway.store.transactions import TRANSACTIONS

MOST_STANDING: Final = 1_000
"""Transactions that stand still, or that wait for others, in one answer."""
MOST_EVENTS: Final = 1_000
"""Events of one lineage, the newest."""

_transaction: Final = schema.transactions.c
_job: Final = schema.jobs.c
_event: Final = schema.outbox.c
_step: Final = schema.steps.c

_STREAMS_KEPT: Final = Kept(schema.streams, StreamMemory)
_TRANSACTIONS: Final = TRANSACTIONS.query(TRANSACTIONS.selecting())
_JOBS: Final = JOBS.query(JOBS.selecting())
_EVENTS: Final = OUTBOX.query(OUTBOX.selecting())
_STREAMS: Final = _STREAMS_KEPT.query(_STREAMS_KEPT.selecting())


def _id(transaction_id: str) -> str:
    return transaction_id


_not_sent = select(_step.transaction_id).where(_step.state == "not_sent").distinct()
_NOT_SENT: Final = Query(_not_sent, _id)


class ProgressReads:
    """Questions about what has not ended. Each looks at few rows, by an index."""

    _reader: Reader

    async def standing_of(self, lineage_ids: Sequence[str], visible: Visible) -> Sequence[TransactionRecord]:
        """What has not ended in these lineages, or stands in front of a person; the oldest first, up to
        MOST_STANDING."""
        if not lineage_ids:
            return []
        core = seen(TRANSACTIONS.selecting(), schema.transactions, visible).where(
            _transaction.lineage_id.in_(list(lineage_ids)),
            # Not the very words of the partial index of what is open: a lineage has few transactions.
            or_(text(f"({OPEN_STATUS})"), _transaction.exception_id.is_not(None)),
        )
        return await self._reader.find(_TRANSACTIONS, core.order_by(_transaction.transaction_id).limit(MOST_STANDING))

    async def jobs_of(self, transaction_ids: Sequence[str]) -> Mapping[str, JobRecord]:
        """Their jobs, by transaction; what rests has none."""
        if not transaction_ids:
            return {}
        core = JOBS.selecting().where(_job.transaction_id.in_(list(transaction_ids)))
        return {one.transaction_id: one for one in await self._reader.find(_JOBS, core)}

    async def jobs_awaiting(self, transaction_ids: Sequence[str], limit: int) -> Sequence[JobRecord]:
        """The jobs that wait for one of these."""
        if not transaction_ids:
            return []
        core = JOBS.selecting().where(_job.waiting_for.in_(list(transaction_ids)))
        return await self._reader.find(_JOBS, core.order_by(_job.transaction_id).limit(limit))

    async def not_sent(self, transaction_ids: Sequence[str]) -> frozenset[str]:
        """Those with a step of which nothing has reached its ERP."""
        if not transaction_ids:
            return frozenset()
        core = _not_sent.where(_step.transaction_id.in_(list(transaction_ids)))
        return frozenset(await self._reader.find(_NOT_SENT, core))

    async def events_of(self, lineage_id: str) -> Sequence[OutboxRecord]:
        """The events of a lineage that are still kept, in order: the newest MOST_EVENTS."""
        core = OUTBOX.selecting().where(_event.lineage_id == lineage_id).order_by(_event.sequence.desc())
        return list(reversed(await self._reader.find(_EVENTS, core.limit(MOST_EVENTS))))

    async def streams(self) -> Sequence[StreamMemory]:
        """The streams as the relay last saw them."""
        return await self._reader.find(_STREAMS, _STREAMS_KEPT.selecting())
