"""How long what cannot be accepted yet is waited for, and how often it is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Problem
from gateway.intake.putting_off import COUNTED, COUNTED_S, DEFECTS, LOOKS_PER_S, Patience, PuttingOff
from gateway.messaging.intake_stream import TAKE_AGAIN_S, IntakeMessage
from tests.line.rig import HandClock

AGAIN_S = 5.0
DEADLINE_S = 60.0
HELD_S = TAKE_AGAIN_S + 2 * AGAIN_S
"""For so long another process may have been killed with a message in hand, until that was looked at again."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def putting_off(clock: HandClock) -> PuttingOff:
    """One that has looked for a while."""
    made = PuttingOff(Patience(AGAIN_S, DEADLINE_S), clock)
    made.saw([], 0)
    clock.forward(2 * AGAIN_S)
    return made


def message(stored_at: int, *, delivered: int = 1, behind: int = 0) -> IntakeMessage:
    return IntakeMessage("erp.intake.orders", b"", 1, stored_at, delivered, "", behind)


def waits(putting_off: PuttingOff, one: IntakeMessage, code: str = "unknown-reference") -> bool:
    return putting_off.waits(one, Problem(code, "a test"))


def test_the_deadline_counts_while_nothing_lies_behind(putting_off: PuttingOff, clock: HandClock) -> None:
    one = message(clock.now())
    clock.forward(DEADLINE_S - 1)
    putting_off.saw([], 0)
    assert waits(putting_off, one)
    clock.forward(1)
    putting_off.saw([], 0)
    clock.forward(HELD_S)
    putting_off.saw([], 0)
    assert not waits(putting_off, one)


def test_the_deadline_does_not_count_before_another_one_got_what_a_killed_one_held(
    putting_off: PuttingOff, clock: HandClock
) -> None:
    """However often the end of the stream is met meanwhile."""
    one = message(clock.now())
    clock.forward(DEADLINE_S)
    for _ in range(int(HELD_S)):
        putting_off.saw([], 0)
        assert waits(putting_off, one)
        clock.forward(1)
    putting_off.saw([], 0)
    assert not waits(putting_off, one)


def test_what_was_met_before_nothing_could_be_looked_at_does_not_count(
    putting_off: PuttingOff, clock: HandClock
) -> None:
    """What a killed one held may have come again then, and been put off."""
    one = message(clock.now())
    clock.forward(DEADLINE_S)
    putting_off.saw([], 0)
    putting_off.missed(0)
    clock.forward(HELD_S)
    putting_off.saw([], 0)
    assert waits(putting_off, one)
    clock.forward(HELD_S)
    putting_off.saw([], 0)
    assert not waits(putting_off, one)


def test_the_deadline_does_not_count_while_the_stream_is_behind(putting_off: PuttingOff, clock: HandClock) -> None:
    one, stored_at = message(clock.now(), behind=9), clock.now()
    clock.forward(10 * DEADLINE_S)
    putting_off.saw([one], 0)
    # another one that came again says nothing of how far the stream was read
    putting_off.saw([message(clock.now(), delivered=2, behind=8)], 0)
    putting_off.saw([message(stored_at + 1_000_000, behind=7)], 0)
    assert waits(putting_off, one)
    clock.forward(2)
    putting_off.saw([message(stored_at + int(DEADLINE_S * 1_000_000), behind=6)], 0)
    clock.forward(HELD_S)
    # nor does it take back what was known
    putting_off.saw([message(stored_at, delivered=3, behind=5)], 0)
    assert not waits(putting_off, one)


def test_what_lies_in_the_same_hand_was_not_dealt_with(putting_off: PuttingOff, clock: HandClock) -> None:
    one = message(clock.now())
    clock.forward(10 * DEADLINE_S)
    assert waits(putting_off, one), "the first look of this process decides nothing by the clock"


def test_the_deadline_does_not_count_before_all_came_again(putting_off: PuttingOff, clock: HandClock) -> None:
    """Neither after a time in which nothing could be looked at, nor at the start of a process."""
    for one in (putting_off, PuttingOff(Patience(AGAIN_S, DEADLINE_S), clock)):
        old = message(clock.now())
        clock.forward(10 * DEADLINE_S)
        if one is putting_off:
            one.missed(5_000)
        else:
            one.saw([], 5_000)
        clock.forward(2 * 5_000 / LOOKS_PER_S - 1)
        one.saw([], 5_000)
        clock.forward(1)
        one.saw([], 5_000)
        clock.forward(TAKE_AGAIN_S + 2 * 5_000 / LOOKS_PER_S - 1)
        one.saw([], 5_000)
        assert waits(one, old)
        clock.forward(1)
        one.saw([], 5_000)
        assert not waits(one, old)


def fails(putting_off: PuttingOff, one: IntakeMessage) -> bool:
    """It makes the gateway fail; whether it is tried again."""
    return waits(putting_off, one, "internal-error")


def test_a_defect_has_its_tries_whatever_the_clock_says(putting_off: PuttingOff, clock: HandClock) -> None:
    clock.forward(10 * DEADLINE_S)
    putting_off.saw([], 0)
    assert [fails(putting_off, message(0)) for _ in range(DEFECTS + 1)] == [True] * (DEFECTS - 1) + [False] * 2
    assert not waits(putting_off, message(clock.now()), "invalid-document")


def test_a_defect_has_its_tries_however_often_the_message_came_before(putting_off: PuttingOff) -> None:
    """And what it is put off for in between takes none of them."""
    one = message(0, delivered=1_000)
    for _ in range(DEFECTS - 1):
        assert fails(putting_off, one)
        assert waits(putting_off, one)
    assert not fails(putting_off, one)


def test_defects_count_for_each_message_alone_until_it_has_ended(putting_off: PuttingOff) -> None:
    one, other, of_another_stream = message(0), replace(message(0), stream_sequence=2), message(1)
    for _ in range(DEFECTS - 1):
        assert fails(putting_off, one)
    assert fails(putting_off, other)
    assert fails(putting_off, of_another_stream)
    putting_off.ended([one, other])
    assert fails(putting_off, one)


def test_of_more_than_can_be_counted_the_deliveries_count(putting_off: PuttingOff, clock: HandClock) -> None:
    first = message(0)
    for number in range(COUNTED):
        assert fails(putting_off, replace(first, stream_sequence=number))
    beyond = replace(first, stream_sequence=COUNTED)
    assert fails(putting_off, replace(beyond, delivered=DEFECTS - 1))
    assert not fails(putting_off, replace(beyond, delivered=DEFECTS))
    assert [fails(putting_off, first) for _ in range(DEFECTS - 1)] == [True] * (DEFECTS - 2) + [False]
    # what nobody dealt with here for so long makes room
    clock.forward(COUNTED_S)
    assert fails(putting_off, replace(beyond, delivered=DEFECTS))
    assert len(putting_off._failed) == 1


@pytest.mark.parametrize("put_off", [0, 1, 1_000, 5_000, 500_000])
def test_however_many_wait_they_take_no_more_looks(putting_off: PuttingOff, put_off: int) -> None:
    seconds = putting_off.seconds(put_off)
    assert seconds >= AGAIN_S
    assert put_off / seconds <= LOOKS_PER_S
    assert seconds == AGAIN_S or put_off > AGAIN_S * LOOKS_PER_S


def test_few_attempts_are_told() -> None:
    told = [count for count in range(1, 2_000) if PuttingOff.is_told(message(0, delivered=count))]
    assert told == [1, 10, 100, 1_000]
