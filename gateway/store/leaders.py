"""Leases on the tasks that one process does for all. The database's clock decides when one is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.leaders import StandingLease, TaskLease
from gateway.domain.processes import ProcessRecord
from gateway.store import schema_leaders as schema
from gateway.store.columns import INT
from gateway.store.database_time import database_now
from gateway.store.kept import Kept
from gateway.store.processes import PROCESSES
from gateway.store.reader import Reader
from gateway.store.statement import Command, Named, Query
from gateway.store.unit import Unit

_LEASES: Final = Kept(schema.leader_tasks, TaskLease)
_lease: Final = schema.leader_tasks.c


def _epoch(epoch: int) -> int:
    return epoch


def _end() -> Any:
    return database_now() + bindparam("length", type_=INT)


_taking = insert(schema.leader_tasks).values(
    task=bindparam("task"), process_id=bindparam("process"), epoch=literal_column("1"), lease_until=_end()
)
# One statement, so that of two takers one gets it: the second waits for the first's row and then finds its lease.
_TAKE: Final = Query(
    _taking.on_conflict_do_update(
        index_elements=[_lease.task],
        set_={
            "epoch": _lease.epoch + literal_column("1"),
            "process_id": _taking.excluded.process_id,
            "lease_until": _taking.excluded.lease_until,
        },
        where=(_lease.lease_until <= database_now())
        | (_lease.process_id == bindparam("process"))
        | (_lease.process_id == bindparam("ended")),
    ).returning(_lease.epoch),
    _epoch,
)
_RENEW: Final = _LEASES.query(
    update(schema.leader_tasks)
    .where(_lease.process_id == bindparam("process"))
    .values(lease_until=_end())
    .returning(*_LEASES.columns)
)
_RESIGN: Final = Command(
    update(schema.leader_tasks)
    .where(_lease.task == bindparam("led"), _lease.epoch == bindparam("mine"))
    .values(process_id=literal_column("''"), lease_until=literal_column("0"))
)
# FOR SHARE: whoever would take the task waits until the unit has ended, and units of one leader do not wait for each
# other.
HOLD: Final = Query(
    select(_lease.epoch)
    .where(_lease.task == bindparam("task"), _lease.epoch == bindparam("mine"))
    .with_for_update(read=True),
    _epoch,
)
_STANDING: Final = Query(
    select(_lease.task, _lease.process_id, _lease.epoch, (_lease.lease_until - database_now()).label("left")),
    StandingLease,
)
_PROCESS: Final = PROCESSES.by("process_id")


class LeaderWrites:
    """Leases of a unit."""

    __slots__ = ()
    _unit: Unit

    async def take_task(self, task: str, process_id: str, length: int, ended: str = "") -> int | None:
        """Lead a task that nobody leads, for `length` µs; the new epoch. None: somebody else's lease runs.

        `ended`: a process that is proven ended; its lease is not waited for.
        """
        params: Named = {"task": task, "process": process_id, "length": length, "ended": ended}
        return await self._unit.one(_TAKE, params)

    async def renew_tasks(self, process_id: str, length: int) -> Sequence[TaskLease]:
        """Prolong every lease that the process has to `length` µs from now; which these are."""
        return await self._unit.all(_RENEW, {"process": process_id, "length": length})

    async def resign_task(self, task: str, epoch: int) -> None:
        """End the lease, so that nobody waits for it; nothing if the epoch is over."""
        await self._unit.run(_RESIGN, {"led": task, "mine": epoch})


class LeaderReads:
    """Who leads."""

    _reader: Reader

    async def leases(self) -> Sequence[StandingLease]:
        """Of every task that was ever led."""
        return await self._reader.all(_STANDING)

    async def process(self, process_id: str) -> ProcessRecord | None:
        """By what it can be proven that the process ended."""
        return await self._reader.one(_PROCESS, {"process_id": process_id})
