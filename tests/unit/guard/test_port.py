"""The guarded port: what it turns away never reaches the system, and what it learns of each error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from adapters.canonical import ErpNumber
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.guard import Breaker, BreakerLimits, CallBudget, ConcurrencyLimit, ConcurrencyLimits, GuardedPort
from adapters.guard.breaker import BreakerState
from adapters.port import ErpPort, FoundDocument, Health
from tests.unit.guard.hand_clock import HandClock

NUMBER = ErpNumber(system_id="erp", document_type="order", document_number="1")


@dataclass
class Scripted:
    """Answers `read` as it is told, and counts."""

    says: Callable[[], FoundDocument | None]
    calls: int = 0
    gate: asyncio.Event | None = None
    system_id: str = "erp"
    closed: bool = field(default=False)

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        return self.says()

    async def health(self) -> Health:
        return Health(True)

    async def aclose(self) -> None:
        self.closed = True


class LeaseGone(Exception):
    pass


@dataclass
class Guarded:
    clock: HandClock
    port: GuardedPort
    scripted: Scripted
    budget: CallBudget

    def let(self, error: BaseException | None) -> None:
        def says() -> None:
            if error is not None:
                raise error

        self.scripted.says = says

    async def read(self) -> FoundDocument | None:
        return await self.port.read(NUMBER)


@pytest.fixture
def guarded() -> Guarded:
    clock = HandClock()
    scripted = Scripted(lambda: None)
    budget = CallBudget(6_000, clock)
    port = GuardedPort(
        cast(ErpPort, scripted),
        Breaker(BreakerLimits(failures=3, first_open_s=2.0), clock),
        ConcurrencyLimit(ConcurrencyLimits(most=2, wait_s=0.05), clock),
        budget,
        clock,
    )
    return Guarded(clock, port, scripted, budget)


async def fail_with(guarded: Guarded, error: ErpError, times: int = 3) -> None:
    guarded.let(error)
    for _ in range(times):
        with pytest.raises(type(error)):
            await guarded.read()


@pytest.mark.parametrize(
    "error", [OutcomeUnknown("cut"), Garbled("html"), NotSent("refused"), NotSent("x", code="502")]
)
async def test_a_system_that_does_not_answer_is_shut_and_called_no_more(guarded: Guarded, error: ErpError) -> None:
    await fail_with(guarded, error)
    assert guarded.port.state.breaker is BreakerState.OPEN
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert (refused.value.code, guarded.scripted.calls) == ("breaker-open", 3)
    assert refused.value.retry_after_s == pytest.approx(2.0)


@pytest.mark.parametrize(
    "error", [Rejected("no", code="V1/1"), Misconfigured("who"), NotSent("locked", code="423"), LeaseGone()]
)
async def test_a_system_that_speaks_is_not_shut(guarded: Guarded, error: BaseException) -> None:
    guarded.let(error)
    for _ in range(20):
        with pytest.raises(type(error)):
            await guarded.read()
    assert guarded.port.state.breaker is BreakerState.CLOSED
    assert guarded.port.state.limit == 2


async def test_it_opens_again_by_one_good_call(guarded: Guarded) -> None:
    await fail_with(guarded, OutcomeUnknown("cut"))
    guarded.clock.move(2.0)
    guarded.let(None)
    await guarded.read()
    assert guarded.port.state.breaker is BreakerState.CLOSED


async def test_only_one_of_many_probes(guarded: Guarded) -> None:
    await fail_with(guarded, OutcomeUnknown("cut"))
    guarded.clock.move(2.0)
    guarded.let(None)
    guarded.scripted.gate = asyncio.Event()
    first = asyncio.create_task(guarded.read())
    await asyncio.sleep(0)
    with pytest.raises(NotSent):
        await guarded.read()
    guarded.scripted.gate.set()
    await first
    assert guarded.scripted.calls == 4


class Moving(HandClock):
    """It goes on with each look at it."""

    step = 0.0

    def __call__(self) -> float:
        self.move(self.step)
        return super().__call__()


@pytest.mark.parametrize("looks", range(1, 9))
async def test_a_system_is_tried_wherever_between_two_looks_its_open_time_ends(guarded: Guarded, looks: int) -> None:
    clock = Moving()
    breaker = Breaker(BreakerLimits(failures=3, first_open_s=2.0), clock)
    limit = ConcurrencyLimit(ConcurrencyLimits(most=2, wait_s=0.05), clock)
    guarded.port = GuardedPort(cast(ErpPort, guarded.scripted), breaker, limit, CallBudget(6_000, clock), clock)
    await fail_with(guarded, OutcomeUnknown("cut"))
    guarded.let(None)
    clock.move(2.0 - (looks + 0.5) * 0.001)
    clock.step = 0.001
    with suppress(NotSent):
        await guarded.read()
    clock.step = 0.0
    clock.move(2.0)
    await guarded.read()
    assert breaker.state is BreakerState.CLOSED


async def test_a_pause_that_the_system_asks_for_holds_for_all(guarded: Guarded) -> None:
    await fail_with(guarded, NotSent("busy", code="429", retry_after_s=30.0, overloaded=True), times=1)
    guarded.let(None)
    guarded.clock.move(29.0)
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert refused.value.code == "asked-to-wait"
    assert refused.value.retry_after_s == pytest.approx(1.0)
    guarded.clock.move(1.0)
    await guarded.read()


async def test_a_pause_of_years_is_cut_to_an_hour(guarded: Guarded) -> None:
    await fail_with(guarded, NotSent("busy", code="429", retry_after_s=1e12, overloaded=True), times=1)
    assert guarded.port.state.asked_to_wait_s == 3_600


async def test_a_lock_with_a_time_pauses_nobody_else(guarded: Guarded) -> None:
    await fail_with(guarded, NotSent("locked", code="423", retry_after_s=30.0), times=1)
    guarded.let(None)
    await guarded.read()


async def test_overload_lowers_the_places(guarded: Guarded) -> None:
    await fail_with(guarded, NotSent("busy", code="503", overloaded=True), times=1)
    assert guarded.port.state.limit == 1


async def test_who_finds_no_place_was_not_sent(guarded: Guarded) -> None:
    guarded.scripted.gate = asyncio.Event()
    running = [asyncio.create_task(guarded.read()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert (refused.value.code, guarded.scripted.calls) == ("no-place", 2)
    guarded.scripted.gate.set()
    await asyncio.gather(*running)
    assert guarded.port.state.taken == 0


async def test_a_budget_in_deep_debt_turns_away_before_the_call(guarded: Guarded) -> None:
    for _ in range(2_000):
        guarded.budget.charge()
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert (refused.value.code, guarded.scripted.calls) == ("budget-used-up", 0)
    assert refused.value.retry_after_s == pytest.approx(15.0, abs=0.1)


async def test_places_come_back_whatever_happens(guarded: Guarded) -> None:
    errors: list[Any] = [Rejected("no"), OutcomeUnknown("cut"), LeaseGone(), asyncio.CancelledError(), None]
    for error in errors:
        guarded.let(error)
        try:
            await guarded.read()
        except BaseException as raised:
            assert raised is error
    assert guarded.port.state.taken == 0


async def test_people_may_always_look(guarded: Guarded) -> None:
    await fail_with(guarded, OutcomeUnknown("cut"))
    assert (await guarded.port.health()).ready
    await guarded.port.aclose()
    assert guarded.scripted.closed


def test_it_is_a_port(guarded: Guarded) -> None:
    assert isinstance(guarded.port, ErpPort)


async def test_there_is_room_for_a_share_of_the_places_and_of_the_calls(guarded: Guarded) -> None:
    assert [guarded.port.room(share) for share in (1.0, 0.75, 0.5)] == [2, 1, 1]
    # 6,000 calls a minute are 500 in a burst
    for _ in range(300):
        guarded.budget.charge()
    assert [guarded.port.room(share) for share in (1.0, 0.75, 0.5)] == [2, 1, 0]
    guarded.clock.move(5.0)
    assert guarded.port.room(0.5) == 1


async def test_there_is_no_room_while_the_system_is_left_alone_and_then_for_one_call(guarded: Guarded) -> None:
    await fail_with(guarded, OutcomeUnknown("cut"))
    assert guarded.port.room(1.0) == 0
    guarded.clock.move(2.0)
    assert guarded.port.room(1.0) == 1
    guarded.let(None)
    guarded.scripted.gate = asyncio.Event()
    trying = asyncio.create_task(guarded.read())
    for _ in range(20):
        await asyncio.sleep(0)
    assert guarded.scripted.calls == 4
    # whoever came now would be turned away, and would come again and again
    assert guarded.port.room(1.0) == 0
    guarded.scripted.gate.set()
    await trying
    assert guarded.port.room(1.0) == 2


async def test_there_is_no_room_while_the_system_asked_to_wait(guarded: Guarded) -> None:
    await fail_with(guarded, NotSent("busy", code="429", retry_after_s=7.0, overloaded=True), times=1)
    assert guarded.port.room(1.0) == 0
    guarded.clock.move(7.0)
    assert guarded.port.room(1.0) >= 1


async def test_a_share_of_the_places_is_all_that_is_filled_and_is_over_in_time(guarded: Guarded) -> None:
    guarded.port.allow(1, guarded.clock() + 5)
    assert (guarded.port.places, guarded.port.places_of_all, guarded.port.ceiling) == (1, 2, 1)
    assert guarded.budget.level == pytest.approx(250), "the burst of half the calls"
    assert guarded.port.room(1.0) == 2, "of all processes together"
    guarded.scripted.gate = asyncio.Event()
    first = asyncio.create_task(guarded.read())
    await asyncio.sleep(0)
    assert not guarded.port.is_short
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert refused.value.code == "no-place"
    second = asyncio.create_task(guarded.read())
    await asyncio.sleep(0)
    assert guarded.port.is_short
    assert guarded.port.wanted() == 2
    guarded.port.allow(2, guarded.clock() + 5)
    await asyncio.sleep(0)
    assert guarded.port.state.taken == 2
    guarded.port.allow(1, guarded.clock() + 5)
    assert guarded.port.ceiling == 2, "what is under way stays so"
    guarded.scripted.gate.set()
    await asyncio.gather(first, second)
    assert guarded.port.ceiling == 1
    guarded.clock.move(5)
    assert (guarded.port.places, guarded.port.ceiling, guarded.port.wanted()) == (0, 0, 2)
    assert guarded.port.wanted() == 0
    # work that is kept away for want of a place asks for one
    assert (guarded.port.room(1.0), guarded.port.wanted(), guarded.port.wanted()) == (0, 1, 0)


async def test_a_pause_that_another_was_told_of_is_kept_and_not_told_on(guarded: Guarded) -> None:
    guarded.port.pause(7.0)
    with pytest.raises(NotSent) as refused:
        await guarded.read()
    assert (refused.value.code, guarded.port.told_to_wait_s) == ("asked-to-wait", 0.0)
    guarded.clock.move(7.0)
    await fail_with(guarded, NotSent("busy", code="429", retry_after_s=3.0, overloaded=True), times=1)
    assert guarded.port.told_to_wait_s == 3.0
