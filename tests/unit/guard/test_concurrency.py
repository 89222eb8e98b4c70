"""Places: never more than the limit, none lost, first come first served."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.guard import ConcurrencyLimit, ConcurrencyLimits
from adapters.guard.concurrency import NoPlace
from tests.unit.guard.hand_clock import HandClock


async def test_who_comes_first_gets_the_place_first() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=1), HandClock())
    await limit.take()
    order: list[int] = []

    async def one(name: int) -> None:
        await limit.take()
        order.append(name)
        limit.give_back()

    tasks = [asyncio.create_task(one(name)) for name in range(5)]
    await asyncio.sleep(0)
    assert limit.waiting == 5
    limit.give_back()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert limit.taken == 0


async def test_who_waits_too_long_is_told_so_and_leaves_no_trace() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=1, wait_s=0.01), HandClock())
    await limit.take()
    with pytest.raises(NoPlace):
        await limit.take()
    assert limit.waiting == 0
    limit.give_back()
    await limit.take()
    assert limit.taken == 1


async def test_more_than_may_wait_are_turned_away_at_once() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=1, waiting=1), HandClock())
    await limit.take()
    waiting = asyncio.create_task(limit.take())
    await asyncio.sleep(0)
    with pytest.raises(NoPlace):
        await limit.take()
    limit.give_back()
    await waiting


async def test_overload_lowers_the_limit_once_and_good_answers_raise_it_again() -> None:
    clock = HandClock()
    limit = ConcurrencyLimit(ConcurrencyLimits(most=10, decrease=0.5, calm_s=1.0), clock)
    limit.was_overloaded()
    limit.was_overloaded()
    assert limit.limit == 5, "two signs of one overload counted twice"
    clock.move(1.0)
    for _ in range(10):
        limit.was_overloaded()
        clock.move(1.0)
    assert limit.limit == 1, "below the least"
    for _ in range(1_000):
        while limit.taken < limit.limit:
            await limit.take()
        limit.did_well()
    assert limit.limit == 10


async def test_an_idle_system_teaches_nothing() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=10, decrease=0.5), HandClock())
    limit.was_overloaded()
    for _ in range(100):
        await limit.take()
        limit.did_well()
        limit.give_back()
    assert limit.limit == 5


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_no_place_is_lost_or_given_twice_however_waits_end(seed: int, most: int) -> None:
    asyncio.run(_crowd(seed, most))


async def _crowd(seed: int, most: int) -> None:
    choose = random.Random(seed)
    limit = ConcurrencyLimit(ConcurrencyLimits(most=most), HandClock())

    async def one() -> None:
        await limit.take()
        try:
            assert limit.taken <= most
            for _ in range(choose.randrange(3)):
                await asyncio.sleep(0)
        finally:
            limit.give_back()

    tasks = [asyncio.create_task(one()) for _ in range(20)]
    for _ in range(30):
        await asyncio.sleep(0)
        if choose.random() < 0.5:
            choose.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limit.taken == 0
    assert limit.waiting == 0


async def test_a_larger_budget_is_there_at_once_for_who_waits() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=1), HandClock())
    await limit.take()
    waiting = [asyncio.create_task(limit.take()) for _ in range(3)]
    await asyncio.sleep(0)
    limit.resize(3)
    await asyncio.sleep(0)
    assert (limit.most, limit.allowed, limit.limit, limit.taken, limit.waiting) == (3, 3, 3, 3, 1)
    limit.resize(4)
    await asyncio.gather(*waiting)


async def test_a_budget_below_what_is_taken_lets_it_end_and_gives_out_nothing_before() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=3), HandClock())
    for _ in range(3):
        await limit.take()
    limit.resize(1)
    assert (limit.allowed, limit.limit, limit.taken) == (1, 1, 3)
    waiting = asyncio.create_task(limit.take())
    for taken in (2, 1):
        await asyncio.sleep(0)
        limit.give_back()
        assert (limit.taken, limit.waiting) == (taken, 1)
    limit.give_back()
    await waiting
    assert limit.taken == 1


async def test_what_was_learnt_stays_learnt_within_another_budget() -> None:
    limit = ConcurrencyLimit(ConcurrencyLimits(most=10, decrease=0.5), HandClock())
    limit.was_overloaded()
    limit.resize(20)
    assert (limit.learnt, limit.allowed) == (5, 20)
    limit.resize(3)
    assert (limit.learnt, limit.allowed) == (3, 3)


async def test_a_share_outlives_another_budget_as_far_as_there_are_places() -> None:
    clock = HandClock()
    limit = ConcurrencyLimit(ConcurrencyLimits(most=8), clock)
    limit.allow(4, clock() + 5)
    limit.resize(2)
    assert limit.allowed == 2
    limit.resize(16)
    assert limit.allowed == 4
    clock.move(5)
    assert limit.allowed == 0
