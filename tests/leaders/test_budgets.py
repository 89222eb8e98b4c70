"""Several processes call one system in virtual time: together they keep to its budget, and share it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from adapters.canonical import ErpNumber
from adapters.errors import NotSent
from adapters.guard import Breaker, BreakerLimits, CallBudget, ConcurrencyLimit, ConcurrencyLimits, GuardedPort
from adapters.guard.budget import BURST_S
from adapters.port import ErpPort
from gateway.budget_shares import RENEW_S, STANDS_S, BudgetShares
from gateway.domain.ids import TimeOrderedIds
from gateway.store.store import Store
from gateway.transactions.parts import Tools
from tests.leaders.test_leading import LoopClock, Morgue, Reachable, T
from tests.simulation.memory_store import memory_store
from tests.simulation.virtual_time import run
from tests.store.made import a_process

NUMBER = ErpNumber(system_id="erp", document_type="order", document_number="1")
PLACES = 8
CALLS_PER_MINUTE = 2_400
SETTLED_S = 4 * RENEW_S
"""After so long shares have come to what they shall be."""


class Erp:
    """Counts who is there. `busy`: raised to the next caller."""

    system_id = "erp"

    def __init__(self) -> None:
        self.there = self.most = 0
        self.calls: list[tuple[float, str]] = []
        self.busy: NotSent | None = None


class Slow(Reachable):
    """A database whose commits take their time, before and after."""

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        await asyncio.sleep(0.2)
        written = await super().write(fn)
        await asyncio.sleep(0.2)
        return written


class Process:
    """A process as far as it calls: its port, its view of the database, and what it does."""

    def __init__(self, name: str, store: Store, erp: Erp) -> None:
        self.name, self.store = name, Slow(store)
        clock = asyncio.get_running_loop().time
        self.budget = CallBudget(CALLS_PER_MINUTE, clock)
        limit = ConcurrencyLimit(ConcurrencyLimits(most=PLACES), clock)
        self.port = GuardedPort(cast(ErpPort, self), Breaker(BreakerLimits(), clock), limit, self.budget, clock)
        ids = TimeOrderedIds(LoopClock().now, lambda _bits: 1)
        tools = Tools(LoopClock(), ids, cast(Any, None), Morgue(), name, "test", b"key")
        self.shown: list[int] = []
        self.ended = False
        self.shares = BudgetShares(cast(Any, self.store), tools, [self.port], clock, shown=self._show, end=self._end)
        self.running = asyncio.create_task(self.shares.run())
        self.working: list[asyncio.Task[None]] = []
        self.system_id, self.erp, self.takes_s = "erp", erp, 0.1

    def _end(self) -> None:
        self.ended = True

    def _show(self, _system: str, places: int) -> None:
        self.shown.append(places)

    async def read(self, _number: ErpNumber) -> None:
        """The call itself, as the driver would make it."""
        erp, self.erp.busy, busy = self.erp, None, self.erp.busy
        self.budget.charge()
        erp.calls.append((asyncio.get_running_loop().time(), self.name))
        if busy is not None:
            raise busy
        erp.there += 1
        erp.most = max(erp.most, erp.there)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            erp.there -= 1

    def work(self, callers: int) -> None:
        """So many callers, each after the other's answer, for ever."""
        self.working += [asyncio.create_task(self._again_and_again()) for _ in range(callers)]

    async def _again_and_again(self) -> None:
        while True:
            try:
                await self.port.read(NUMBER)
            except NotSent:
                await asyncio.sleep(0.5)

    def idle(self) -> None:
        for one in self.working:
            one.cancel()
        self.working = []

    async def end(self) -> None:
        """In good order."""
        self.idle()
        self.running.cancel()
        await self.shares.leave()

    def die(self) -> None:
        self.idle()
        self.running.cancel()


def made(steps: Callable[[Erp, list[Process]], Any], count: int = 3) -> Erp:
    """Run the steps with so many processes of one record."""
    erp = Erp()

    async def world() -> None:
        store = memory_store(LoopClock().now)
        processes = [Process(f"prc_{number}", store, erp) for number in range(count)]
        await asyncio.sleep(SETTLED_S)
        await steps(erp, processes)
        for one in processes:
            one.die()
        await store.close()

    run(world())
    return erp


def calls_since(erp: Erp, since: float, *names: str) -> int:
    return sum(at >= since and (not names or name in names) for at, name in erp.calls)


@pytest.mark.parametrize("seed", range(12))
def test_together_they_keep_to_the_budget_whatever_they_do(seed: int) -> None:
    chance = random.Random(seed)

    async def steps(_erp: Erp, processes: list[Process]) -> None:
        for _ in range(60):
            one = chance.choice(processes)
            one.takes_s = chance.choice([0.01, 0.1, 1.0, 4.0])
            chance.choice([one.idle, lambda who=one: who.work(chance.randint(1, 12))])()
            await asyncio.sleep(chance.uniform(0, 4))

    erp = made(steps, count=chance.randint(2, 11))
    assert erp.most <= PLACES
    assert len(erp.calls) > 100
    times = [at for at, _ in erp.calls]
    for at in times[:: max(1, len(times) // 200)]:
        within = sum(at <= one < at + 60 for one in times)
        # what a pause leaves, and a call each that a bucket gives before it is charged
        assert within <= CALLS_PER_MINUTE * (1 + BURST_S / 60) + 11


def test_one_that_works_alone_has_nearly_all_and_shares_when_another_begins() -> None:
    async def steps(erp: Erp, processes: list[Process]) -> None:
        first, second, _ = processes
        first.work(20)
        await asyncio.sleep(SETTLED_S)
        assert first.port.places == PLACES - 2
        assert [one.port.places for one in processes[1:]] == [1, 1], "who is idle can begin at once"
        second.work(20)
        await asyncio.sleep(SETTLED_S)
        assert sorted(one.port.places for one in processes) in ([1, 3, 4], [2, 3, 3])
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(30)
        counts = [calls_since(erp, begun, one.name) for one in (first, second)]
        assert max(counts) < 1.5 * min(counts)

    assert made(steps).most <= PLACES


def test_where_there_are_more_processes_than_places_all_come_to_call() -> None:
    async def steps(erp: Erp, processes: list[Process]) -> None:
        for one in processes:
            one.work(2)
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(200)
        assert min(calls_since(erp, begun, one.name) for one in processes) > 0

    assert made(steps, count=PLACES + 3).most <= PLACES


@pytest.mark.parametrize("how", ["ends", "dies"])
def test_the_places_of_one_that_is_gone_go_to_the_others(how: str) -> None:
    async def steps(_erp: Erp, processes: list[Process]) -> None:
        first, second = processes
        for one in processes:
            one.work(20)
        await asyncio.sleep(SETTLED_S)
        assert second.port.places == PLACES // 2
        if how == "ends":
            await first.end()
            await asyncio.sleep(2 * RENEW_S)
        else:
            first.die()
            await asyncio.sleep(STANDS_S + 2 * RENEW_S)
        assert second.port.places == PLACES

    assert made(steps, count=2).most <= PLACES


def test_one_that_cannot_reach_the_database_calls_nobody_once_its_share_is_over() -> None:
    async def steps(erp: Erp, processes: list[Process]) -> None:
        first, second = processes
        for one in processes:
            one.work(20)
        await asyncio.sleep(SETTLED_S)
        first.store.away = True
        await asyncio.sleep(STANDS_S + 2 * RENEW_S)
        assert (first.port.places, second.port.places) == (0, PLACES)
        assert (first.shown[-1], second.shown[-1]) == (0, PLACES)
        since = asyncio.get_running_loop().time()
        await asyncio.sleep(20)
        assert calls_since(erp, since, first.name) == 0
        first.store.away = False
        await asyncio.sleep(SETTLED_S + 1)
        assert first.port.places == second.port.places == PLACES // 2

    assert made(steps, count=2).most <= PLACES


def test_one_that_is_on_record_as_ended_ends_and_calls_nobody() -> None:
    async def steps(erp: Erp, processes: list[Process]) -> None:
        first, second = processes
        for one in processes:
            await second.store.write(lambda unit, name=one.name: unit.insert_process(a_process(process_id=name)))
            one.work(20)
        await asyncio.sleep(SETTLED_S)
        # as one that stands still looks to the others
        first.store.moving.clear()
        await asyncio.sleep(2 * STANDS_S)
        await second.store.write(lambda unit: unit.note_process_ended(first.name, "node 7 was fenced", 1))
        since = asyncio.get_running_loop().time()
        first.store.moving.set()
        await asyncio.sleep(SETTLED_S)
        assert (first.ended, second.ended) == (True, False)
        assert calls_since(erp, since, first.name) == 0
        assert second.port.places == PLACES

    assert made(steps, count=2).most <= PLACES


def test_a_pause_that_one_was_asked_for_holds_for_all() -> None:
    async def steps(erp: Erp, processes: list[Process]) -> None:
        erp.busy = NotSent("busy", code="429", retry_after_s=30.0, overloaded=True)
        for one in processes:
            one.work(1)
        await asyncio.sleep(3 * RENEW_S)
        since = asyncio.get_running_loop().time()
        await asyncio.sleep(30 - 4 * RENEW_S)
        assert calls_since(erp, since) == 0
        await asyncio.sleep(10)
        assert calls_since(erp, since) > 0

    made(steps)
