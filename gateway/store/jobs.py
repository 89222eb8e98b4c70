"""Jobs: what is to be done, when, and who holds the lease on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, case, delete, null, select, update

from gateway.domain.records import JobRecord
from gateway.store import schema
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.statement import Command
from gateway.store.unit import Unit

JOBS: Final = Kept(schema.jobs, JobRecord)

_jobs: Final = schema.jobs.c
_KEY: Final = ("transaction_id",)
_MUTABLE: Final = tuple(name for name in JOBS.names if name not in _KEY)

_LOCKED: Final = JOBS.by("transaction_id", lock=True)
# An epoch never goes back: a process that was paused past its lease cannot put back its successor's job.
_REPLACE: Final = JOBS.replace(_KEY, _MUTABLE, _jobs.epoch <= bindparam("new_epoch"))
_DELETE: Final = Command(delete(schema.jobs).where(_jobs.transaction_id == bindparam("transaction_id")))

# MATERIALIZED, so that PostgreSQL locks these rows once and not again for every row that it updates; SKIP LOCKED, so
# that claimers do not queue behind each other.
_due: Final = (
    select(_jobs.transaction_id)
    .where(_jobs.due_at <= bindparam("now"), _jobs.lease_until <= bindparam("now"))
    .order_by(_jobs.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_CLAIM: Final = JOBS.query(
    update(schema.jobs)
    .where(_jobs.transaction_id.in_(select(_due.c.transaction_id)))
    .values(
        epoch=_jobs.epoch + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
    )
    .returning(*JOBS.columns)
)

_WAKE: Final = Command(
    update(schema.jobs)
    .where(_jobs.waiting_for == bindparam("awaited"))
    .values(due_at=case((_jobs.due_at > bindparam("now"), bindparam("now")), else_=_jobs.due_at))
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

    async def claim_jobs(self, owner: str, now: int, lease_until: int, limit: int) -> Sequence[JobRecord]:
        claimed = await self._unit.all(_CLAIM, {"owner": owner, "now": now, "until": lease_until, "most": limit})
        return sorted(claimed, key=lambda job: (job.due_at, job.transaction_id))

    async def wake_jobs_waiting_for(self, transaction_id: str, now: int) -> int:
        return await self._unit.run(_WAKE, {"awaited": transaction_id, "now": now})

    async def release_leases_of(self, owner: str, now: int) -> int:
        return await self._unit.run(_RELEASE, {"owner": owner, "now": now})
