"""Several processes and one record in virtual time: one leads each task, and what it leads is taken over in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from gateway.domain.ids import TimeOrderedIds
from gateway.domain.leaders import Lead
from gateway.domain.processes import ProcessRecord
from gateway.domain.queries import StreamMemory
from gateway.errors import StoreUnavailable
from gateway.leaders import SEIZE_S, TAKEOVER_S, Leaders, LeaderTask
from gateway.store.errors import LeadLost
from gateway.store.store import Store
from gateway.transactions.parts import Tools
from tests.simulation.memory_store import memory_store
from tests.simulation.virtual_time import run

T = TypeVar("T")

START = 1_700_000_000_000_000


class Morgue:
    """Which processes are proven ended; from another host nothing is."""

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.tells = True

    def has_ended(self, process: ProcessRecord) -> bool:
        return self.tells and process.process_id in self.dead


class LoopClock:
    """The loop's virtual time."""

    def now(self) -> int:
        return START + int(asyncio.get_running_loop().time() * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Reachable:
    """The store as one process sees it; it may be away, or the process may stand still."""

    def __init__(self, store: Store) -> None:
        self._store, self.reads = store, self
        self.away = False
        self.moving = asyncio.Event()
        self.moving.set()
        self.looking = asyncio.Event()
        self.looking.set()

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        await self._reach()
        return await self._store.write(fn)

    async def leases(self) -> Any:
        await self.looking.wait()
        await self._reach()
        return await self._store.reads.leases()

    async def process(self, process_id: str) -> Any:
        return await self._store.reads.process(process_id)

    async def _reach(self) -> None:
        await self.moving.wait()
        if self.away:
            raise StoreUnavailable("the database is away")


class World:
    """One record, and what was done by whom: (process, what, time)."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.store = memory_store(self.clock.now)
        self.morgue = Morgue()
        self.done: list[tuple[str, str, float]] = []

    def note(self, process: str, what: str) -> None:
        self.done.append((process, what, asyncio.get_running_loop().time()))

    def whens(self, process: str, what: str) -> list[float]:
        return [at for who, kind, at in self.done if (who, kind) == (process, what)]


class Process:
    """A process whose one leader task writes something every half second."""

    def __init__(self, world: World, name: str, *, alone: bool = False) -> None:
        self.world, self.name = world, name
        self.lead = Lead("relay")
        self.seen = Reachable(world.store)
        self.led = world.store.led(self.lead)
        self.broken: list[Exception] = []
        self.seizes = False
        ids = TimeOrderedIds(world.clock.now, lambda bits: 1)
        tools = Tools(world.clock, ids, None, world.morgue, name, "test", b"")  # type: ignore[arg-type]
        task = LeaderTask(self.lead, self._work, self._finish, seizes=lambda: self.seizes)
        self.leaders = Leaders(self.seen, self.seen, tools, [task], alone=alone)
        self._run: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._run = asyncio.create_task(self.leaders.run())

    async def register(self) -> None:
        record = ProcessRecord(self.name, "host", "boot", 1, "1.00", self.world.clock.now())
        await self.world.store.write(lambda unit: unit.insert_process(record))

    async def stop(self) -> None:
        if self._run is not None:
            self._run.cancel()
            await asyncio.wait([self._run])
            self._run = None
            await self.leaders.stop()

    def kill(self) -> None:
        """What is left of it does nothing any more, and does not know it."""
        assert self._run is not None
        self._run.cancel()
        for held in self.leaders._held:
            held.stop()

    async def _work(self) -> None:
        self.world.note(self.name, "began")
        while True:
            if self.broken:
                raise self.broken.pop()
            self.world.note(self.name, "tried")
            await self.led.outbox.remember_stream(StreamMemory("S", 1, len(self.world.done)))
            self.world.note(self.name, "wrote")
            await asyncio.sleep(0.5)

    async def _finish(self) -> None:
        await self.led.outbox.remember_stream(StreamMemory("S", 1, 0))
        self.world.note(self.name, "finished")


def virtually(story: Callable[[World, Process, Process], Awaitable[None]], *, seconds: float = 0.0) -> World:
    """Two processes of which the first leads for ten seconds, then the story."""

    async def whole() -> World:
        world = World()
        first, second = Process(world, "prc_1"), Process(world, "prc_2")
        await first.register()
        await second.register()
        await first.start()
        await asyncio.sleep(0.1)
        await second.start()
        await asyncio.sleep(10)
        assert world.whens("prc_1", "wrote")
        assert not world.whens("prc_2", "began")
        await story(world, first, second)
        await asyncio.sleep(seconds)
        for one in (first, second):
            await one.stop()
        return world

    return run(whole())


def test_a_clean_end_hands_over_at_once_and_finishes_before() -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        await first.stop()

    world = virtually(story, seconds=5)
    (finished,) = world.whens("prc_1", "finished")
    (began,) = world.whens("prc_2", "began")
    assert finished <= began <= finished + 1.1
    assert [at for at in world.whens("prc_1", "wrote") if at > finished] == []


def test_a_process_that_is_proven_ended_is_not_waited_for() -> None:
    killed: list[float] = []

    async def story(world: World, first: Process, second: Process) -> None:
        first.kill()
        world.morgue.dead.add("prc_1")
        killed.append(asyncio.get_running_loop().time())

    world = virtually(story, seconds=5)
    assert world.whens("prc_2", "began")[0] <= killed[0] + 1.1


def test_one_of_which_nothing_is_proven_is_waited_for_until_its_lease_is_over() -> None:
    killed: list[float] = []

    async def story(world: World, first: Process, second: Process) -> None:
        first.kill()
        world.morgue.tells = False
        killed.append(asyncio.get_running_loop().time())

    world = virtually(story, seconds=12)
    assert killed[0] + 3 < world.whens("prc_2", "began")[0] <= killed[0] + TAKEOVER_S


def test_a_leader_without_the_database_stops_before_the_next_one_begins() -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        first.seen.away = True

    world = virtually(story, seconds=15)
    (began,) = world.whens("prc_2", "began")
    assert max(world.whens("prc_1", "tried")) <= began, "its own clock stopped it"
    assert began <= 10.1 + TAKEOVER_S


def test_a_leader_that_only_cannot_prolong_its_lease_writes_nothing_under_its_old_epoch() -> None:
    """Its loop stands still where it prolongs the lease, and its clock with it; its task goes on, as after SIGCONT."""

    async def story(world: World, first: Process, second: Process) -> None:
        first.seen.moving.clear()
        first.leaders._held[0].keep(1_000_000.0)  # no clock of its own tells it
        await asyncio.sleep(TAKEOVER_S + 2)
        first.seen.moving.set()

    world = virtually(story, seconds=5)
    began = world.whens("prc_2", "began")
    assert len(began) == 1
    assert max(world.whens("prc_1", "wrote")) <= began[0]
    assert len(world.whens("prc_1", "began")) == 1, "it did not lead again"


def test_a_look_that_takes_long_loses_no_lead() -> None:
    """As where it waits for the lock of another leader that stands still."""

    async def story(world: World, first: Process, second: Process) -> None:
        first.seen.looking.clear()
        await asyncio.sleep(2 * TAKEOVER_S)
        assert not world.whens("prc_2", "began")
        first.seen.looking.set()

    world = virtually(story)
    assert len(world.whens("prc_1", "began")) == 1


def test_it_comes_back_after_it_lost_the_lead_and_the_other_ended() -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        first.seen.away = True
        await asyncio.sleep(TAKEOVER_S)
        first.seen.away = False
        await asyncio.sleep(5)
        assert len(world.whens("prc_1", "began")) == 1
        await second.stop()
        await asyncio.sleep(3)
        assert len(world.whens("prc_1", "began")) == 2

    virtually(story)


@pytest.mark.parametrize("error", [ValueError("a defect"), LeadLost("over"), StoreUnavailable("away")])
def test_a_task_that_breaks_is_given_up_and_begun_again(error: Exception) -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        first.broken.append(error)
        await asyncio.sleep(5)
        assert first.leaders.is_led("relay")
        assert second.leaders.is_led("relay")

    world = virtually(story)
    assert len(world.whens("prc_1", "began") + world.whens("prc_2", "began")) == 2


def test_a_task_is_seized_from_a_leader_that_is_well_and_kept() -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        second.seizes = True

    world = virtually(story, seconds=30)
    (began,) = world.whens("prc_2", "began")
    assert began <= 11.2
    assert max(world.whens("prc_1", "wrote")) <= began
    assert len(world.whens("prc_1", "began")) == 1


def test_two_that_seize_take_turns_of_a_minute() -> None:
    async def story(world: World, first: Process, second: Process) -> None:
        first.seizes = second.seizes = True
        await asyncio.sleep(SEIZE_S * 5)
        assert first.leaders.is_led("relay")

    world = virtually(story)
    assert 2 <= len(world.whens("prc_1", "began") + world.whens("prc_2", "began")) <= 12


def test_who_is_alone_leads_without_a_word_and_takes_the_lead_of_the_life_before() -> None:
    async def whole() -> World:
        world = World()
        for name in ("prc_1", "prc_2"):
            process = Process(world, name, alone=True)
            await process.register()
            await process.start()
            await asyncio.sleep(100)
            process.kill()
        return world

    world = run(whole())
    assert world.whens("prc_2", "began") == [100.0]
    assert len(world.whens("prc_1", "wrote")) == 200
