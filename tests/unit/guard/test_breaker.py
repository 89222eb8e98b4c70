"""The breaker's states, as drawn in its module."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.guard import Breaker, BreakerLimits
from adapters.guard.breaker import BreakerState
from tests.unit.guard.hand_clock import HandClock

LIMITS = BreakerLimits(failures=3, first_open_s=2.0, longest_open_s=8.0, probe_s=30.0)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def breaker(clock: HandClock) -> Breaker:
    return Breaker(LIMITS, clock)


def opened(breaker: Breaker) -> None:
    for _ in range(LIMITS.failures):
        assert breaker.refusal_s() is None
        breaker.failed()


def test_it_opens_after_failures_in_a_row_only(breaker: Breaker) -> None:
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.answered()
    assert breaker.state is BreakerState.CLOSED
    opened(breaker)
    assert breaker.state is BreakerState.OPEN


def test_while_open_it_says_how_long(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(0.5)
    assert breaker.refusal_s() == pytest.approx(1.5)


def test_then_one_call_probes_and_its_answer_closes(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(2.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.refusal_s() is None
    assert breaker.refusal_s() == 2.0, "a second probe was let through"
    breaker.answered()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.refusal_s() is None


def test_a_probe_that_fails_opens_for_twice_as_long_up_to_the_limit(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    for expected in (4.0, 8.0, 8.0):
        clock.move(60.0)
        assert breaker.refusal_s() is None
        breaker.failed()
        assert breaker.refusal_s() == pytest.approx(expected)


def test_after_it_closed_it_begins_with_the_short_time_again(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(2.0)
    breaker.refusal_s()
    breaker.failed()
    clock.move(4.0)
    breaker.refusal_s()
    breaker.answered()
    opened(breaker)
    assert breaker.refusal_s() == 2.0


def test_calls_from_before_it_opened_do_not_prolong_it(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(1.0)
    breaker.failed()
    assert breaker.refusal_s() == pytest.approx(1.0)


def test_a_probe_that_told_nothing_lets_the_next_one_probe(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(2.0)
    breaker.refusal_s()
    breaker.told_nothing()
    assert breaker.refusal_s() is None


def test_a_probe_that_is_never_reported_is_given_up(breaker: Breaker, clock: HandClock) -> None:
    opened(breaker)
    clock.move(2.0)
    breaker.refusal_s()
    clock.move(29.0)
    assert breaker.refusal_s() is not None
    clock.move(1.0)
    assert breaker.refusal_s() is None


@given(st.lists(st.sampled_from(["ok", "bad", "nothing", "wait"]), max_size=60))
def test_it_never_stays_shut_for_ever_and_never_lets_two_probes_through(steps: list[str]) -> None:
    clock = HandClock()
    breaker = Breaker(LIMITS, clock)
    for step in steps:
        if step == "wait":
            clock.move(3.0)
        elif breaker.refusal_s() is None:
            if breaker.state is not BreakerState.CLOSED:
                assert breaker.refusal_s() is not None
            {"ok": breaker.answered, "bad": breaker.failed, "nothing": breaker.told_nothing}[step]()
    clock.move(LIMITS.longest_open_s + LIMITS.probe_s)
    assert breaker.refusal_s() is None
