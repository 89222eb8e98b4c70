"""The periodic sweep: whatever is not at rest for too long is found, moved on where that is safe, and shown.

It moves nothing by itself but jobs: what then happens is the line's, which calls nothing twice. So a sweep that is
wrong costs a look, and never a posting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.domain.lanes import Lane
from gateway.domain.records import JobRecord
from gateway.domain.sweeps import LONG, Finding, SentAgain, Stalled, SweepLimits
from gateway.domain.transaction import RESTING, Status
from gateway.errors import StoreUnavailable
from gateway.transactions.exceptions import open_stuck
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.second_looks import SecondLooks
from gateway.transactions.work import ACTOR

T = TypeVar("T")

TOLD_ONE_BY_ONE: Final = 20
"""New findings of one kind in one sweep that are logged by name; of the rest the number is."""

_log = structlog.get_logger(__name__)


class SweepUnit(WriteUnit, Protocol):
    """A write unit that lets a transaction be looked at."""

    async def newest_epoch(self, transaction_id: str) -> int: ...
    async def look_now(self, transaction_id: str, now: int) -> bool: ...


class SweepStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[SweepUnit], Coroutine[Any, Any, T]]) -> T: ...


class SweepReads(Protocol):
    """What has stood still since `before` (µs); `most` rows. `unseen_long_in`: without what is in front of a person."""

    async def jobless(self, before: int, most: int) -> Sequence[Stalled]: ...
    async def long_in(self, status: Status, before: int, most: int) -> int: ...
    async def unseen_long_in(self, status: Status, before: int, most: int) -> Sequence[Stalled]: ...
    async def overdue(self, before: int, most: int) -> Sequence[str]: ...
    async def unpublished(self, before: int) -> int: ...
    async def sent_again(
        self, system_id: str, after: tuple[int, str], until: int, most: int
    ) -> Sequence[SentAgain]: ...
    async def posted_twice(self, system_id: str, until: int, most: int) -> Sequence[SentAgain]: ...


class SweepMetrics(Protocol):
    """What is shown of a sweep."""

    def sweep_findings(self, findings: Mapping[str, int] | None) -> None:
        """How many of each were found by the last one; None: this process sweeps no more."""
        ...


async def nothing_cut() -> Sequence[str]:
    """No batches are taken in."""
    return ()


class Sweep:
    """Sweeps every `every_s` seconds, in the process that leads this task. `parts`: as of the rules in force.
    `jobs_due`: wakes this process's worker; others look by themselves. `end_batches`: ends those that were cut and not
    sent again in time, and says which."""

    def __init__(
        self,
        store: SweepStore,
        reads: SweepReads,
        parts: Callable[[], LineParts],
        metrics: SweepMetrics,
        jobs_due: Callable[[], None],
        limits: SweepLimits | None = None,
        end_batches: Callable[[], Awaitable[Sequence[str]]] = nothing_cut,
    ) -> None:
        self._store = store
        self._reads = reads
        self._parts = parts
        self._tools = parts().tools
        self._metrics = metrics
        self._jobs_due = jobs_due
        self._limits = limits or SweepLimits()
        self._end_batches = end_batches
        self._told: set[tuple[Finding, str]] = set()
        self._second_looks = SecondLooks(store, reads, parts)

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        try:
            while True:
                try:
                    await self.sweep()
                except StoreUnavailable as error:
                    _log.warning("not_swept", error=str(error))
                except Exception:
                    # one row that cannot be handled must not end the task that finds all others
                    _log.exception("not_swept")
                await self._tools.clock.sleep(self._limits.every_s)
        finally:
            self._metrics.sweep_findings(None)

    async def sweep(self) -> dict[Finding, int]:
        """Once; how many of each were found. Raises StoreUnavailable."""
        limits, reads = self._limits, self._reads
        found: dict[Finding, list[str]] = {}
        found[Finding.PROCESS_ENDED] = await self._free_the_ended()
        jobless = await reads.jobless(self._before(limits.job_missing_s), limits.most)
        found[Finding.JOB_MISSING] = [one.transaction_id for one in jobless if await self._put_back(one)]
        standing: dict[Finding, int] = {}
        for status, finding in LONG.items():
            before = self._before(limits.long_s[status])
            unseen = await reads.unseen_long_in(status, before, limits.most)
            found[finding] = [one.transaction_id for one in unseen if await self._show(one, finding)]
            # those that a person has seen stand as before
            standing[finding] = await reads.long_in(status, before, limits.most)
        found[Finding.JOB_OVERDUE] = list(await reads.overdue(self._before(limits.job_overdue_s), limits.most))
        if any(found.values()):
            self._jobs_due()
        found[Finding.BATCH_CUT] = list(await self._end_batches())
        await self._second_looks.look()
        found[Finding.POSTED_TWICE] = sorted(await self._second_looks.twice(limits.most))
        unpublished = await reads.unpublished(self._before(limits.event_unpublished_s))
        self._tell(found, unpublished)
        counts = {finding: len(ids) for finding, ids in found.items()}
        counts |= {**standing, Finding.EVENT_UNPUBLISHED: unpublished}
        self._metrics.sweep_findings({finding.value: count for finding, count in counts.items()})
        return counts

    def _before(self, seconds: float) -> int:
        return self._tools.clock.now() - int(seconds * SECOND)

    async def _free_the_ended(self) -> list[str]:
        """Processes that hold leases and are proven ended; their jobs are claimed at once."""
        now = self._tools.clock.now()
        holders = await self._store.write(lambda unit: unit.processes_holding_leases(now))
        ended = [one.process_id for one in holders if self._tools.liveness.has_ended(one)]
        for process_id in ended:
            await self._store.write(partial(_free, process_id, now))
        return ended

    async def _show(self, stalled: Stalled, finding: Finding) -> bool:
        return await self._store.write(partial(_look_now, self._parts(), stalled.transaction_id, finding))

    async def _put_back(self, stalled: Stalled) -> bool:
        now = self._tools.clock.now()
        return await self._store.write(partial(_put_back, stalled.transaction_id, now))

    def _tell(self, found: dict[Finding, list[str]], unpublished: int) -> None:
        """Each once, as long as it stands; what comes again later is told again."""
        now = {(finding, one) for finding, ids in found.items() for one in ids}
        if unpublished:
            now.add((Finding.EVENT_UNPUBLISHED, ""))
        for finding, subjects in groupby(sorted(now - self._told), key=itemgetter(0)):
            ids = [one for _, one in subjects]
            for one in ids[:TOLD_ONE_BY_ONE]:
                _log.warning("swept", finding=finding.value, subject=one or None)
            if len(ids) > TOLD_ONE_BY_ONE:
                _log.warning("swept_more", finding=finding.value, count=len(ids) - TOLD_ONE_BY_ONE)
        self._told = now


async def _free(process_id: str, now: int, unit: SweepUnit) -> int:
    return await unit.release_leases_of(process_id, now)


async def _look_now(parts: LineParts, transaction_id: str, finding: Finding, unit: SweepUnit) -> bool:
    """The line looks at once, and a person is told; whether the person was not told before."""
    opened = await open_stuck(unit, parts, transaction_id, finding.value, ACTOR)
    await unit.look_now(transaction_id, parts.tools.clock.now())
    return opened


async def _put_back(transaction_id: str, now: int, unit: SweepUnit) -> bool:
    """A job for a transaction that has none; False if it came to rest, or has one, by now.

    Its epoch is the time, above all that its earlier jobs counted up to, and above all under which anything was sent:
    whoever still works under one of them writes nothing.
    """
    if await unit.job(transaction_id) is not None:
        return False
    record = await unit.transaction(transaction_id)
    if record is None or record.status in RESTING:
        return False
    epoch = max(now, await unit.newest_epoch(transaction_id) + 1)
    await unit.insert_job(
        JobRecord(
            transaction_id,
            Lane.STANDARD.value,
            due_at=now,
            epoch=epoch,
            lease_owner=None,
            lease_until=0,
            system_id=record.system_id or "",
            enqueued_at=now,
        )
    )
    return True
