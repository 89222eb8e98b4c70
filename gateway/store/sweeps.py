"""What the periodic sweep asks, and how it lets a transaction be looked at again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, literal, null, or_, select, text, tuple_, update

from gateway.domain.entries import EntryKind
from gateway.domain.sweeps import (
    AGAIN_AND_AGAIN,
    LONG,
    OVERTAKEN_S,
    STILL,
    WHERE_IT_STANDS,
    SentAgain,
    Stalled,
)
from gateway.domain.transaction import Status
from gateway.store import schema
from gateway.store.columns import TEXT
from gateway.store.index_conditions import FREE_JOB, OPEN_STATUS, POSTED_TWICE, SENT_AGAIN
from gateway.store.reader import Reader
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

_transaction: Final = schema.transactions.c
_jobs: Final = schema.jobs.c
_events: Final = schema.outbox.c


_UNSENT: Final = frozenset({Status.ACCEPTED, Status.ROUTED})


def _stalled(transaction_id: str, status: str) -> Stalled:
    return Stalled(transaction_id, Status(status))


def _text(column: str) -> str:
    return column


_has_job: Final = exists().where(_jobs.transaction_id == _transaction.transaction_id)
# In the words of the partial index of what is open, or it would not be used.
_JOBLESS: Final = Query(
    select(_transaction.transaction_id, _transaction.status)
    .where(
        text(OPEN_STATUS),
        _transaction.status != Status.IN_DOUBT.value,
        _transaction.updated_at < bindparam("before"),
        ~_has_job,
    )
    .order_by(_transaction.transaction_id)
    .limit(bindparam("most")),
    _stalled,
)
_other: Final = schema.jobs.alias("other")
# What is worked on: what stands behind it in its lane at its system waits for its turn. What fails again and again is
# no work.
_at_work: Final = (
    _other.c.lease_owner.is_not(None),
    _other.c.lease_until > bindparam("before"),
    _other.c.tries < AGAIN_AND_AGAIN,
)
_worked_on: Final = select(_other.c.lane, _other.c.system_id).where(*_at_work)
_lane: Final = tuple_(_jobs.lane, _jobs.system_id)
# A lease of its own counts too, because its turn has just come then; but not when it came again and again (an epoch
# counts the claims). What became due long after it does not: then others overtake it, however much is worked on there.
_in_its_turn: Final = exists().where(
    _jobs.transaction_id == _transaction.transaction_id,
    _jobs.tries < AGAIN_AND_AGAIN,
    *_at_work,
    _other.c.lane == _jobs.lane,
    _other.c.system_id == _jobs.system_id,
    _other.c.due_at <= _jobs.due_at + int(OVERTAKEN_S * 1_000_000),
    or_(_other.c.transaction_id != _jobs.transaction_id, _jobs.epoch <= AGAIN_AND_AGAIN),
)
_fails: Final = exists().where(_jobs.transaction_id == _transaction.transaction_id, _jobs.tries >= AGAIN_AND_AGAIN)
_entries: Final = schema.ledger_entries.c


def _kinds(kinds: Collection[EntryKind]) -> list[ColumnElement[str]]:
    return [literal(kind.value, TEXT) for kind in sorted(kinds)]


def _long_in(status: Status) -> Select[Any]:
    """What has stood in the status since `before`: going back through its trace, an entry of that time with which it
    still stood there comes before any that says otherwise. Attempts and inquiries change the row, and end nothing; and
    no more of a trace is read than what came since."""
    still = _kinds(STILL[status])
    newest = (
        select(_entries.kind)
        .where(
            _entries.trace == _transaction.transaction_id,
            _entries.kind.in_(_kinds(WHERE_IT_STANDS)),
            or_(_entries.kind.not_in(still), _entries.at < bindparam("before")),
        )
        .order_by(_entries.seq.desc())
        .limit(1)
        .correlate(schema.transactions)
        .scalar_subquery()
    )
    found = select(_transaction.transaction_id, _transaction.status).where(
        text(OPEN_STATUS), _transaction.status == status.value, _transaction.accepted_at < bindparam("before")
    )
    # before the trace is looked at: of a long run each document waits for its turn
    if status in _UNSENT:
        found = found.where(~_in_its_turn)
    if status is Status.HELD:
        found = found.where(_fails)
    return found.where(newest.in_(still)).order_by(_transaction.transaction_id).limit(bindparam("most"))


_LONG: Final[Mapping[Status, Query[int]]] = {
    status: Query(select(func.count()).select_from(_long_in(status).subquery()), int) for status in LONG
}
_LONG_UNSEEN: Final[Mapping[Status, Query[Stalled]]] = {
    status: Query(_long_in(status).where(_transaction.exception_id.is_(None)), _stalled) for status in LONG
}
_OVERDUE: Final = Query(
    select(_jobs.transaction_id)
    .where(text(FREE_JOB), _jobs.due_at < bindparam("before"), _lane.not_in(_worked_on))
    .order_by(_jobs.due_at)
    .limit(bindparam("most")),
    _text,
)
_UNPUBLISHED: Final = Query(
    select(func.count()).where(_events.published_at.is_(None), _events.created_at < bindparam("before")), int
)
_steps: Final = schema.steps.c
_SENT_AGAIN: Final = Query(
    select(_steps.transaction_id, _steps.step, _steps.direction, _steps.dispatched_at)
    .where(
        text(SENT_AGAIN),
        _steps.system_id == bindparam("of_system"),
        tuple_(_steps.dispatched_at, _steps.transaction_id) > tuple_(bindparam("after"), bindparam("after_id")),
        _steps.dispatched_at <= bindparam("until"),
    )
    .order_by(_steps.dispatched_at, _steps.transaction_id)
    .limit(bindparam("most")),
    SentAgain,
)
_POSTED_TWICE: Final = Query(
    select(_steps.transaction_id, _steps.step, _steps.direction, _steps.dispatched_at)
    .where(text(POSTED_TWICE), _steps.system_id == bindparam("of_system"), _steps.twice_at <= bindparam("until"))
    .order_by(_steps.twice_at)
    .limit(bindparam("most")),
    SentAgain,
)
_NEWEST_EPOCH: Final = Query(
    select(func.coalesce(func.max(schema.steps.c.epoch), 0)).where(
        schema.steps.c.transaction_id == bindparam("of_transaction")
    ),
    int,
)
_LOOK_NOW: Final = Command(
    update(schema.jobs)
    .where(
        _jobs.transaction_id == bindparam("of_transaction"),
        _jobs.lease_owner.is_(None),
        _jobs.due_at > bindparam("now"),
    )
    .values(due_at=bindparam("now"), waiting_for=null())
)
_LEASED_BY: Final = Query(
    select(_jobs.transaction_id).where(_jobs.lease_owner == bindparam("owner")).order_by(_jobs.transaction_id), _text
)
_GIVE_BACK: Final = Command(
    update(schema.jobs)
    .where(_jobs.transaction_id == bindparam("of_transaction"), _jobs.lease_owner == bindparam("owner"))
    .values(lease_owner=null(), lease_until=bindparam("now"))
)


class SweepWrites:
    """What lets a transaction go on."""

    __slots__ = ()
    _unit: Unit

    async def newest_epoch(self, transaction_id: str) -> int:
        """The highest epoch under which anything of it was sent; 0 if nothing was."""
        return await self._unit.one(_NEWEST_EPOCH, {"of_transaction": transaction_id}) or 0

    async def look_now(self, transaction_id: str, now: int) -> bool:
        """Make its job due, if it is in nobody's hands and put off; whether it was."""
        return await self._unit.run(_LOOK_NOW, {"of_transaction": transaction_id, "now": now}) > 0

    async def jobs_leased_by(self, owner: str) -> Sequence[str]:
        """The transactions on whose jobs the process has leases."""
        return await self._unit.all(_LEASED_BY, {"owner": owner})

    async def give_jobs_back(self, transaction_ids: Sequence[str], owner: str, now: int) -> None:
        """End these leases of the process."""
        await self._unit.run_many(
            _GIVE_BACK, [{"of_transaction": one, "owner": owner, "now": now} for one in transaction_ids]
        )


class SweepReads:
    """What has stood still."""

    _reader: Reader

    async def jobless(self, before: int, most: int) -> Sequence[Stalled]:
        """Transactions that are neither at rest nor in anybody's queue, and have not changed since then (µs)."""
        return await self._reader.all(_JOBLESS, {"before": before, "most": most})

    async def long_in(self, status: Status, before: int, most: int) -> int:
        """How many transactions have stood in that status since then, however often they were tried; `most` at most.
        Of those that nobody began to send, without those whose turn comes in a lane that is worked on: a long run is
        long. Of those that are held, only those whose jobs fail again and again."""
        return await self._reader.one(_LONG[status], {"before": before, "most": most}) or 0

    async def unseen_long_in(self, status: Status, before: int, most: int) -> Sequence[Stalled]:
        """Those of them that are not in front of a person."""
        return await self._reader.all(_LONG_UNSEEN[status], {"before": before, "most": most})

    async def overdue(self, before: int, most: int) -> Sequence[str]:
        """Transactions whose jobs are free and were due then, in lanes at systems in which nobody has worked since."""
        return await self._reader.all(_OVERDUE, {"before": before, "most": most})

    async def sent_again(self, system_id: str, after: tuple[int, str], until: int, most: int) -> Sequence[SentAgain]:
        """Posted steps that an attempt before the last may have posted too, by when the last was sent and the
        transaction: after one place (an instant in µs, an id) until an instant; oldest first."""
        since, after_id = after
        return await self._reader.all(
            _SENT_AGAIN,
            {"of_system": system_id, "after": since, "after_id": after_id, "until": until, "most": most},
        )

    async def posted_twice(self, system_id: str, until: int, most: int) -> Sequence[SentAgain]:
        """Steps that stand in the system several times, as far as that was asked last until an instant (µs); what was
        not asked about for longest first."""
        return await self._reader.all(_POSTED_TWICE, {"of_system": system_id, "until": until, "most": most})

    async def unpublished(self, before: int) -> int:
        """Events committed before then that the stream has not acknowledged."""
        return await self._reader.one(_UNPUBLISHED, {"before": before}) or 0
