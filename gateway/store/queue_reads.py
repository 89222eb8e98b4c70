"""What waits: jobs by lane and system, events, and what is in doubt."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BindParameter, and_, bindparam, case, func, select, text

from gateway.domain.queries import QueueDepth, QueueState
from gateway.domain.transaction import Status
from gateway.store import schema
from gateway.store.columns import INT
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.reader import Reader
from gateway.store.statement import Query

_SECOND: Final = 1_000_000

_jobs: Final = schema.jobs.c
_now: Final[BindParameter[int]] = bindparam("now", type_=INT)
_under_way: Final = and_(_jobs.lease_owner.is_not(None), _jobs.lease_until > _now)
_waiting: Final = and_(_jobs.waiting_for.is_not(None), _jobs.due_at > _now)
_put_off: Final = _jobs.due_at > _now

Row = tuple[str, str, int, int, int, int, int | None, int | None]


def _row(
    lane: str, system_id: str, under_way: int, waiting: int, put_off: int, due: int, since: int | None, late: int | None
) -> Row:
    return lane, system_id, under_way, waiting, put_off, due, since, late


# Of several that hold the first counts. SUM of whole numbers is a wider one on PostgreSQL, COUNT is not.
_DEPTHS: Final = Query(
    select(
        _jobs.lane,
        _jobs.system_id,
        func.count(case((_under_way, 1))),
        func.count(case((_under_way, None), (_waiting, 1))),
        func.count(case((_under_way, None), (_waiting, None), (_put_off, 1))),
        func.count(case((_under_way, None), (_put_off, None), else_=1)),
        func.min(case((_under_way, None), else_=_jobs.enqueued_at)),
        func.min(case((_under_way, None), (_put_off, None), else_=_jobs.due_at)),
    )
    .group_by(_jobs.lane, _jobs.system_id)
    .order_by(_jobs.lane, _jobs.system_id),
    _row,
)


def _depth(count: int, oldest: int | None) -> tuple[int, int | None]:
    return count, oldest


_EVENTS_WAITING: Final = Query(
    select(func.count(), func.min(schema.outbox.c.created_at)).where(schema.outbox.c.published_at.is_(None)),
    _depth,
)
_IN_DOUBT: Final = Query(
    # In the words of the partial index of what is open, or it would not be used.
    select(func.count())
    .select_from(schema.transactions)
    .where(schema.transactions.c.status == Status.IN_DOUBT.value, text(OPEN_STATUS)),
    int,
)


class QueueReads:
    """Queues, as operations look at them."""

    _reader: Reader

    async def queue_state(self, now: int) -> QueueState:
        """Transactions that are not at rest and in nobody's hands, however long they are put off, by the age of their
        acceptance; events that the stream has not acknowledged."""
        async with self._reader.moment() as moment:
            rows = await moment.all(_DEPTHS, {"now": now})
            ((events, created_at),) = await moment.all(_EVENTS_WAITING)
            (in_doubt,) = await moment.all(_IN_DOUBT)
        depths = tuple(
            QueueDepth(lane, system_id, under_way, waiting, put_off, due, _age(now, since), _age(now, late))
            for lane, system_id, under_way, waiting, put_off, due, since, late in rows
        )
        return QueueState(
            jobs=sum(one.waiting + one.put_off + one.due for one in depths),
            oldest_job_s=max((one.oldest_s for one in depths), default=0.0),
            events=events,
            oldest_event_s=_age(now, created_at),
            in_doubt=in_doubt,
            depths=depths,
        )


def _age(now: int, since: int | None) -> float:
    return max(0.0, (now - since) / _SECOND) if since is not None else 0.0
