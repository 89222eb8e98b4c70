"""Jobs: what is to be done, when, in which lane and where, and who holds the lease on it.

A claim reads the index of free jobs from the front of one lane at one system; what waits or is leased is not in its
way. A plain transaction's job is leased from its insertion to its end: it is never in that index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, bindparam, case, delete, func, null, select, update

from gateway.domain.lanes import Lane, Opening
from gateway.domain.records import JobRecord
from gateway.store import schema
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

JOBS: Final = Kept(schema.jobs, JobRecord)

REVIVED: Final = 1_000
"""Jobs that one look takes back from leases that are over, or lets look again; the next look takes the rest."""

_jobs: Final = schema.jobs.c
_KEY: Final = ("transaction_id",)
_MUTABLE: Final = tuple(name for name in JOBS.names if name not in _KEY)

_LOCKED: Final = JOBS.by("transaction_id", lock=True)
# An epoch never goes back: a process that was paused past its lease cannot put back its successor's job.
_REPLACE: Final = JOBS.replace(_KEY, _MUTABLE, _jobs.epoch <= bindparam("new_epoch"))
_DELETE: Final = Command(delete(schema.jobs).where(_jobs.transaction_id == bindparam("transaction_id")))


def _first(*conditions: ColumnElement[bool], order: Sequence[ColumnElement[int]]) -> Select[tuple[str]]:
    """The ids of some jobs. MATERIALIZED, so that PostgreSQL locks these rows once and not again for every row that it
    updates; SKIP LOCKED, so that claimers do not queue behind each other."""
    first = (
        select(_jobs.transaction_id)
        .where(*conditions)
        .order_by(*order)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("first")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return select(first.c.transaction_id)


_FREE: Final = (_jobs.lease_owner.is_(None), _jobs.waiting_for.is_(None))
_CLAIM: Final = JOBS.query(
    update(schema.jobs)
    .where(
        _jobs.transaction_id.in_(
            _first(
                *_FREE,
                _jobs.lane == bindparam("of_lane"),
                _jobs.system_id == bindparam("of_system"),
                _jobs.due_at <= bindparam("now"),
                order=(_jobs.priority, _jobs.due_at),
            )
        )
    )
    .values(
        epoch=_jobs.epoch + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
    )
    .returning(*JOBS.columns)
)
# The epoch is raised by the next claim: until then whoever held the lease may still write what came of its call.
_END_LEASES: Final = Command(
    update(schema.jobs)
    .where(
        _jobs.transaction_id.in_(
            _first(
                _jobs.lease_owner.is_not(None),
                _jobs.lease_until <= bindparam("now"),
                order=(_jobs.lease_until,),
            )
        )
    )
    .values(lease_owner=null())
)
_LOOK_AGAIN: Final = Command(
    update(schema.jobs)
    .where(
        _jobs.transaction_id.in_(
            _first(
                _jobs.waiting_for.is_not(None),
                _jobs.lease_owner.is_(None),
                _jobs.due_at <= bindparam("now"),
                order=(_jobs.due_at,),
            )
        )
    )
    .values(waiting_for=null())
)


def _leases(lane: str, system_id: str, count: int) -> tuple[tuple[Lane, str], int]:
    return (Lane(lane), system_id), count


_LEASED: Final = Query(
    select(_jobs.lane, _jobs.system_id, func.count())
    .where(_jobs.lease_owner.is_not(None))
    .group_by(_jobs.lane, _jobs.system_id),
    _leases,
)

_WAKE: Final = Command(
    update(schema.jobs)
    .where(_jobs.waiting_for == bindparam("awaited"))
    .values(
        waiting_for=null(),
        due_at=case((_jobs.due_at > bindparam("now"), bindparam("now")), else_=_jobs.due_at),
    )
)
_RELEASE: Final = Command(
    update(schema.jobs)
    .where(_jobs.lease_owner == bindparam("owner"), _jobs.lease_until > bindparam("now"))
    .values(lease_owner=null(), lease_until=bindparam("now"))
)


class JobWrites:
    """Jobs of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_job(self, record: JobRecord) -> None:
        await self._unit.put(JOBS.insert, JOBS.params(record))

    async def job(self, transaction_id: str) -> JobRecord | None:
        return await self._unit.one(_LOCKED, {"transaction_id": transaction_id})

    async def update_job(self, record: JobRecord) -> None:
        """Raises Fenced if the job has a newer epoch or is gone."""
        await replace_one(self._unit, _REPLACE, replacing(record, _KEY, _MUTABLE))

    async def delete_job(self, transaction_id: str) -> None:
        await self._unit.run(_DELETE, {"transaction_id": transaction_id})

    async def revive_jobs(self, now: int) -> None:
        await self._unit.run(_END_LEASES, {"now": now, "most": REVIVED})
        await self._unit.run(_LOOK_AGAIN, {"now": now, "most": REVIVED})

    async def claim_jobs(
        self, owner: str, now: int, lease_until: int, openings: Sequence[Opening]
    ) -> Sequence[JobRecord]:
        leased = dict(await self._unit.all(_LEASED)) if any(one.caps for one in openings) else {}
        claimed: list[JobRecord] = []
        for one in openings:
            most = one.left(leased)
            if most <= 0:
                continue
            params = {"of_lane": one.lane.value, "of_system": one.system_id, "now": now, "most": most}
            found = await self._unit.all(_CLAIM, {**params, "owner": owner, "until": lease_until})
            key = (one.lane, one.system_id)
            leased[key] = leased.get(key, 0) + len(found)
            claimed += sorted(found, key=lambda job: (job.priority, job.due_at, job.transaction_id))
        return claimed

    async def wake_jobs_waiting_for(self, transaction_id: str, now: int) -> int:
        return await self._unit.run(_WAKE, {"awaited": transaction_id, "now": now})

    async def release_leases_of(self, owner: str, now: int) -> int:
        return await self._unit.run(_RELEASE, {"owner": owner, "now": now})
