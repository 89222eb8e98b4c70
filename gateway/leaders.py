"""Leading: tasks that one process does for all are taken by lease, carried on, and handed over.

Every process looks every `look_s` for tasks that nobody leads, takes them, and prolongs its leases every `renew_s`. The
database's clock decides when a lease is over; whoever takes a task raises its epoch, and what the former leader writes
after that fails (`gateway.store.led`). So:

- a process that ends cleanly hands its tasks over at once (`stop`), and others see it at their next look;
- a process that is proven ended is not waited for;
- a task that a process must keep everybody from is seized: that process leads it from then on, and does nothing;
- one that hangs, or lost the database, stops its tasks by its own clock when its lease is over, and another one takes
  them `look_s` later at the latest: within TAKEOVER_S of its last sign of life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.cancellation import cancellable, end
from gateway.domain.leaders import Lead, StandingLease, TaskLease
from gateway.domain.processes import ProcessRecord
from gateway.errors import GatewayError, StoreUnavailable
from gateway.transactions.parts import SECOND, Tools

T = TypeVar("T")

TAKEOVER_S: Final = 10.0
"""Within this another process leads what a process led that hangs: the lease, a look, and what the database takes."""
SEIZE_S: Final = 60.0
"""Between two seizures by one process: two that both hold a task back do not take it from each other all the time."""
FINISH_S: Final = 5.0
"""How long a task may finish at a clean end; the next leader does the rest."""
_FOR_EVER: Final = 2**60
_log = structlog.get_logger(__name__)


class LeaderUnit(Protocol):
    """Leases in a write transaction."""

    async def take_task(self, task: str, process_id: str, length: int, ended: str = "") -> int | None: ...
    async def renew_tasks(self, process_id: str, length: int) -> Sequence[TaskLease]: ...
    async def resign_task(self, task: str, epoch: int) -> None: ...


class LeaderStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[LeaderUnit], Coroutine[Any, Any, T]]) -> T: ...


class LeaderReads(Protocol):
    """Who leads, and who that is."""

    async def leases(self) -> Sequence[StandingLease]: ...
    async def process(self, process_id: str) -> ProcessRecord | None: ...


async def nothing_left() -> None:
    """Nothing is to be finished."""


async def only_lead() -> None:
    """A task without work of its own: whoever leads does it where it belongs."""
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class LeaderTask:
    """What is done while this process leads.

    `run`: until cancelled; one that ends by itself gives its task up. `finish`: at a clean end, still under the lease.
    `able`: whether this process may lead it now; what it may not lead any more it gives up. `seizes`: whether it is
    taken from whoever leads it, so that nobody else does it.
    """

    lead: Lead
    run: Callable[[], Coroutine[Any, Any, None]]
    finish: Callable[[], Awaitable[None]] = nothing_left
    able: Callable[[], bool] = lambda: True
    seizes: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class LeadRhythm:
    """Seconds. `lease_s` is several times `renew_s`, so that one slow commit loses no lead."""

    lease_s: float = 6.0
    renew_s: float = 2.0
    look_s: float = 1.0


class _Held:
    """A task and what this process does of it."""

    def __init__(self, task: LeaderTask) -> None:
        self.task = task
        self.lead = task.lead
        self.work: asyncio.Task[None] | None = None
        self.seized_at = float("-inf")
        self._over: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self.lead.task

    @property
    def is_idle(self) -> bool:
        """Nothing of it runs any more, of no epoch."""
        return self.work is None or self.work.done()

    def keep(self, until: float) -> None:
        """The lease is ours until then, by the loop's clock, which is not that of the database: it only counts down."""
        if self._over is not None:
            self._over.cancel()
        self._over = asyncio.get_running_loop().call_at(until, self._is_over)

    def stop(self) -> None:
        """Do no more of it."""
        if self._over is not None:
            self._over.cancel()
        if self.work is not None:
            self.work.cancel()

    def _is_over(self) -> None:
        _log.warning("lead_lost", task=self.name, why="the lease could not be prolonged in time")
        self.lead.epoch = None
        self.stop()


class Leaders:
    """This process's part in all leader tasks. `alone`: no other process writes this database (the embedded default);
    then it leads everything, for ever. `shown`: told at every look which tasks this process leads."""

    def __init__(
        self,
        store: LeaderStore,
        reads: LeaderReads,
        tools: Tools,
        tasks: Sequence[LeaderTask],
        *,
        alone: bool,
        rhythm: LeadRhythm | None = None,
        shown: Callable[[str, bool], None] = lambda _task, _led: None,
    ) -> None:
        self._store = store
        self._reads = reads
        self._tools = tools
        self._held = [_Held(task) for task in tasks]
        self._alone = alone
        self._rhythm = rhythm or LeadRhythm()
        self._shown = shown
        self._length = _FOR_EVER if alone else int(self._rhythm.lease_s * SECOND)
        self._taking = ""
        self._led_until: dict[str, float] = {}

    def is_led(self, task: str) -> bool:
        """Whether somebody leads it, as far as this process knows."""
        if any(held.name == task and held.lead.epoch is not None for held in self._held):
            return True
        return self._led_until.get(task, 0.0) > asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Until cancelled; then `stop`. Leases are prolonged beside the looking, which may wait for the lock of a
        leader that stands still."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._again_and_again(self.look, self._rhythm.look_s))
            if not self._alone:
                both.create_task(self._again_and_again(self.renew, self._rhythm.renew_s))

    async def _again_and_again(self, do: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            try:
                with cancellable():
                    await do()
            except StoreUnavailable as error:
                _log.warning("leads_not_looked_at", error=str(error))
            except Exception:
                # whatever it was, a process that looks no more would lead nothing for ever
                _log.exception("leads_not_looked_at")
            await self._tools.clock.sleep(every_s)

    async def look(self) -> None:
        """Stop what was lost, take what nobody leads. Raises StoreUnavailable."""
        for held in self._held:
            if held.lead.epoch is not None and not held.task.able():
                _log.warning("lead_given_up", task=held.name, why="this process may not lead it any more")
                held.lead.epoch = None
            if held.lead.epoch is None and not held.is_idle:
                held.stop()
        now = asyncio.get_running_loop().time()
        standing = {one.task: one for one in await self._reads.leases()}
        self._led_until = {one.task: now + one.left / SECOND for one in standing.values()}
        for held in self._held:
            if held.lead.epoch is None and held.is_idle and held.task.able():
                self._taking = held.name
                try:
                    await self._take(held, standing.get(held.name))
                finally:
                    self._taking = ""
            self._shown(held.name, held.lead.epoch is not None)

    async def stop(self) -> None:
        """Stop every task, let it finish, and hand it over at once."""
        for held in self._held:
            held.stop()
        await end(held.work for held in self._held if held.work is not None)
        await asyncio.gather(*(self._hand_over(held) for held in self._held))

    async def renew(self) -> None:
        """Prolong what is led. Raises StoreUnavailable."""
        ours = [held for held in self._held if held.lead.epoch is not None]
        process_id, length = self._tools.process_id, self._length
        until = asyncio.get_running_loop().time() + self._rhythm.lease_s
        renewed = await self._store.write(lambda unit: unit.renew_tasks(process_id, length))
        epochs = {one.task: one.epoch for one in renewed}
        for held in ours:
            epoch = held.lead.epoch
            if epoch is not None and epochs.pop(held.name, None) == epoch:
                held.keep(until)
            elif epoch is not None:
                _log.warning("lead_lost", task=held.name, epoch=epoch, why="another process leads")
                held.lead.lose(epoch)
                held.stop()
        for task, epoch in epochs.items():
            if task != self._taking and not self._leads(task, epoch):
                # taken, but the answer was lost, or given up while the database was away: nobody does it
                await self._resign(task, epoch)

    def _leads(self, task: str, epoch: int) -> bool:
        return any((held.name, held.lead.epoch) == (task, epoch) for held in self._held)

    async def _take(self, held: _Held, standing: StandingLease | None) -> None:
        process_id, length, name = self._tools.process_id, self._length, held.name
        ended = ""
        if standing is not None and standing.left > 0 and standing.process_id != process_id:
            if not await self._has_ended(standing.process_id) and not self._seizes(held, standing):
                return
            ended = standing.process_id
        until = asyncio.get_running_loop().time() + self._rhythm.lease_s
        epoch = await self._store.write(lambda unit: unit.take_task(name, process_id, length, ended))
        if epoch is None:
            return
        _log.info("lead_taken", task=name, epoch=epoch, of=standing.process_id if standing else "")
        held.lead.epoch = epoch
        if not self._alone:
            held.keep(until)
        held.work = asyncio.create_task(self._work(held, epoch), name=name)

    def _seizes(self, held: _Held, standing: StandingLease) -> bool:
        now = asyncio.get_running_loop().time()
        if not held.task.seizes() or now - held.seized_at < SEIZE_S:
            return False
        held.seized_at = now
        _log.warning("lead_seized", task=held.name, of=standing.process_id)
        return True

    async def _has_ended(self, process_id: str) -> bool:
        if self._alone:
            return True
        record = await self._reads.process(process_id)
        return record is not None and self._tools.liveness.has_ended(record)

    async def _work(self, held: _Held, epoch: int) -> None:
        try:
            await held.task.run()
        except Exception:
            # the next leader may fare better; in this process it is tried again at a later look
            _log.exception("leader_task_broken", task=held.name)
        held.lead.lose(epoch)
        try:
            await self._resign(held.name, epoch)
        except StoreUnavailable as error:
            _log.warning("lead_not_handed_over", task=held.name, error=str(error))

    async def _hand_over(self, held: _Held) -> None:
        epoch = held.lead.epoch
        if epoch is None:
            return
        try:
            async with asyncio.timeout(FINISH_S):
                await held.task.finish()
        except (GatewayError, OSError, TimeoutError) as error:
            _log.warning("leader_task_not_finished", task=held.name, error=str(error))
        try:
            async with asyncio.timeout(FINISH_S):
                await self._resign(held.name, epoch)
            _log.info("lead_handed_over", task=held.name, epoch=epoch)
        except (StoreUnavailable, TimeoutError) as error:
            _log.warning("lead_not_handed_over", task=held.name, error=str(error))
        held.lead.lose(epoch)

    async def _resign(self, task: str, epoch: int) -> None:
        await self._store.write(lambda unit: unit.resign_task(task, epoch))
