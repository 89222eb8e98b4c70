"""The call budget: what a minute allows, whatever the order of calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.guard import CallBudget, CountingTransport
from adapters.guard.budget import BURST_S, NOTHING_ALLOWED_S
from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.guard.hand_clock import HandClock


def test_a_burst_and_then_the_steady_rate() -> None:
    clock = HandClock()
    budget = CallBudget(60, clock)
    for _ in range(int(BURST_S)):
        assert budget.wait_s() == 0
        budget.charge()
    assert budget.wait_s() == pytest.approx(1.0)
    clock.move(1.0)
    assert budget.wait_s() == 0


def test_a_debt_is_waited_for() -> None:
    clock = HandClock()
    budget = CallBudget(60, clock)
    for _ in range(8):
        budget.charge()
    assert budget.wait_s() == pytest.approx(4.0)


def test_a_budget_below_a_call_in_the_burst_still_allows_one() -> None:
    assert CallBudget(1, HandClock()).wait_s() == 0


def test_no_budget_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="some calls"):
        CallBudget(0, HandClock())


def test_another_budget_holds_at_once_and_a_bucket_stays_as_full_as_it_was() -> None:
    clock = HandClock()
    budget = CallBudget(600, clock)
    for _ in range(25):
        budget.charge()
    budget.resize(60)
    assert (budget.level, budget.fullness) == (pytest.approx(2.5), pytest.approx(0.5))
    clock.move(2.0)
    assert budget.level == pytest.approx(4.5), "filled at the new rate"
    budget.resize(6_000)
    assert (budget.level, budget.fullness) == (pytest.approx(450), pytest.approx(0.9))


def test_a_debt_is_not_forgiven_and_a_part_stays_a_part() -> None:
    clock = HandClock()
    budget = CallBudget(60, clock)
    budget.allow(0.5)
    for _ in range(4):
        budget.charge()
    assert budget.level == pytest.approx(-1.5)
    budget.resize(600)
    assert budget.level == pytest.approx(-1.5)
    assert budget.wait_s() == pytest.approx(2.5 / 5), "half of ten a second"
    with pytest.raises(ValueError, match="some calls"):
        budget.resize(0)


def test_a_process_without_a_part_has_none_of_a_larger_budget_either() -> None:
    budget = CallBudget(60, HandClock())
    budget.allow(0)
    budget.resize(600)
    assert (budget.level, budget.wait_s()) == (0, NOTHING_ALLOWED_S)


@given(st.integers(1, 6_000), st.lists(st.floats(0, 20), max_size=200))
def test_calls_that_ask_first_keep_within_rate_and_burst(per_minute: int, waits: list[float]) -> None:
    clock = HandClock()
    budget = CallBudget(per_minute, clock)
    made, begun = 0, clock()
    for wait in waits:
        if budget.wait_s() == 0:
            budget.charge()
            made += 1
        clock.move(wait)
    burst = max(1.0, per_minute / 60 * BURST_S)
    assert made <= burst + (clock() - begun) * per_minute / 60 + 1


class Answering:
    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        return ErpResponse(200, {}, b"")

    async def aclose(self) -> None:
        return


async def test_the_transport_charges_each_call_once() -> None:
    budget = CallBudget(6_000, HandClock())
    before = budget.level
    transport = CountingTransport(Answering(), budget)
    for _ in range(3):
        await transport.send(ErpRequest("GET", "/"))
    assert budget.level == before - 3
