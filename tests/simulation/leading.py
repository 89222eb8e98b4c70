"""What one process of a world does for all: the real relay and the real sweep under the real leases.

Its writes go through a writer that may be away, lose an answer, or stand still between the look at the lead and the
commit, so that only the epoch in the database keeps the peace.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from gateway.domain.leaders import RELAY, SWEEP, Lead
from gateway.domain.sweeps import Finding, SweepLimits
from gateway.errors import CommitUnknown, StoreUnavailable
from gateway.leaders import Leaders, LeaderTask, LeadRhythm
from gateway.messaging.relay import Relay
from gateway.messaging.relay_settings import RelaySettings
from gateway.store.store import Store
from gateway.transactions.parts import LineParts, Tools
from gateway.transactions.sweep import Sweep
from tests.simulation.lives import Life
from tests.simulation.stream import SimPublisher

T = TypeVar("T")

RHYTHM: Final = LeadRhythm(lease_s=60.0, renew_s=20.0, look_s=20.0)
RELAYING: Final = RelaySettings(
    batch_from=4, batch_limit=6, poll_s=20.0, look_s=60.0, remember_every=15, backoff_s=0.5, backoff_most_s=10.0
)
SWEEPING: Final = SweepLimits(every_s=240.0)
"""All longer than in a gateway: a world has hours of them, and they are to cost little of its time."""


class MortalWriter:
    """The writer of a process that may die or stand still: what it writes with comes to it late, if at all."""

    def __init__(self, store: Store, life: Life, chance: random.Random, world: Any) -> None:
        self._writer, self._life, self._chance, self._world = store._writer, life, chance, world

    async def write(self, fn: Callable[[Any], Awaitable[T]]) -> T:
        await self._life.outlast()
        await asyncio.sleep(self._chance.uniform(0, 0.01))
        self._world.strike_leader(self._life, self._chance)
        await self._life.outlast()
        fault = self._chance.random()
        if fault < self._world.store_trouble:
            raise StoreUnavailable("the database is away")
        value: T = await self._writer.write(fn)  # type: ignore[arg-type]  # a coroutine is all that is awaited
        if fault < 2 * self._world.store_trouble:
            raise CommitUnknown("the answer to the commit was lost")
        await self._life.outlast()
        return value

    async def close(self) -> None:
        return None


class Found:
    """Keeps what sweeps found that nobody may find in a sound world."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def sweep_findings(self, findings: Mapping[str, int] | None) -> None:
        if findings is None:
            return
        self._world.sweeps += 1
        for finding in (Finding.JOB_MISSING, Finding.POSTED_TWICE):
            if findings[finding.value]:
                self._world.swept.add(finding.value)


class Leading:
    """The leader tasks of one process. `parts`: of its line; `jobs_due`: wakes its worker."""

    def __init__(
        self, world: Any, name: str, life: Life, tools: Tools, parts: LineParts, jobs_due: Callable[[], None]
    ) -> None:
        chance = random.Random(f"{world.seed}/{name}/leading")
        store = Store(MortalWriter(world.store, life, chance, world), world.store._reader)
        relay, sweep = Lead(RELAY), Lead(SWEEP)
        self.relay = Relay(
            store.led(relay).outbox,
            SimPublisher(world.stream, life, chance, world),
            tools.clock,
            settings=RELAYING,
            jitter=chance.random,
        )
        self.sweep = Sweep(store.led(sweep), store.reads, lambda: parts, Found(world), jobs_due, SWEEPING)
        tasks = [LeaderTask(relay, self.relay.run), LeaderTask(sweep, self.sweep.run)]
        self.leaders = Leaders(store.leases(), store.reads, tools, tasks, alone=False, rhythm=RHYTHM)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.leaders.run())

    def kill(self) -> None:
        """Nothing of it goes on; its leases run until they are over, or it is proven ended."""
        for task in (self._running, *(held.work for held in self.leaders._held)):
            if task is not None:
                task.cancel()
        for held in self.leaders._held:
            # timers of a process that is gone
            held.stop()
