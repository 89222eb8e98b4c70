"""The call budget: what a minute allows, whatever the order of calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.guard import CallBudget, CountingTransport
from adapters.guard.budget import BURST_S
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
