"""A sender says that its attempt is over: on its own attempt only, and never over what others wrote."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.ids import TimeOrderedIds
from gateway.domain.records import StepRecord
from gateway.store.store import Store, StoreUnit, open_store
from gateway.transactions.closing import say_closed
from gateway.transactions.parts import Tools
from tests.line.rig import Counting, Dead, HandClock
from tests.store.made import a_step, a_transaction
from tests.store.postgres import RunningServer


async def _written(store: Store, **step: Any) -> StepRecord:
    record = a_transaction()
    attempt = a_step(record.transaction_id, epoch=3, attempt=2, process_id="prc_1", **step)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_step(attempt)

    await store.write(write)
    return attempt


async def _row(store: Store, step: StepRecord) -> StepRecord:
    (found,) = await store.write(lambda unit: unit.steps(step.transaction_id))
    return found


@pytest.mark.parametrize("state", ["dispatched", "unknown"])
async def test_a_sender_closes_its_own_attempt_and_nothing_else_changes(store: Store, state: str) -> None:
    attempt = await _written(store, state=state)
    later = await store.reads.database_now() + 60_000_000
    assert await store.write(lambda unit: unit.close_attempt(attempt, later))
    assert await _row(store, attempt) == replace(attempt, closed_at=later)


async def test_it_is_not_closed_before_the_database_s_time(store: Store) -> None:
    """The clock of a machine that was stopped may be behind: the quiet time must not be over before it starts."""
    attempt = await _written(store)
    before = await store.reads.database_now()
    assert await store.write(lambda unit: unit.close_attempt(attempt, before - 3_600_000_000))
    closed_at = (await _row(store, attempt)).closed_at
    assert closed_at is not None
    assert before <= closed_at <= await store.reads.database_now()


@pytest.mark.parametrize(
    "another",
    [
        {"attempt": 3},
        {"epoch": 4},
        {"process_id": "prc_2"},
        {"state": "posted"},
        {"state": "not_sent"},
        {"closed_at": 7},
    ],
    ids=str,
)
async def test_what_is_not_this_very_attempt_and_open_is_left_alone(store: Store, another: dict[str, Any]) -> None:
    attempt = await _written(store)
    follower = replace(attempt, **another)
    await store.write(lambda unit: unit.update_step(follower))
    assert not await store.write(lambda unit: unit.close_attempt(attempt, 2**60))
    assert await _row(store, attempt) == follower


async def test_other_steps_and_the_undo_are_left_alone(store: Store) -> None:
    attempt = await _written(store)
    others = [
        replace(attempt, step=2, external_reference="R2"),
        replace(attempt, direction="undo", external_reference="U"),
    ]

    async def write(unit: StoreUnit) -> None:
        for one in others:
            await unit.insert_step(one)

    await store.write(write)
    assert await store.write(lambda unit: unit.close_attempt(attempt, 2**60))
    first, undo, second = await store.write(lambda unit: unit.steps(attempt.transaction_id))
    assert first.closed_at == 2**60
    assert [undo, second] == [others[1], others[0]]


async def test_it_is_said_once(store: Store) -> None:
    attempt = await _written(store)
    assert await store.write(lambda unit: unit.close_attempt(attempt, 2**60))
    assert not await store.write(lambda unit: unit.close_attempt(attempt, 2**61))
    assert (await _row(store, attempt)).closed_at == 2**60


@pytest.mark.postgres
async def test_who_has_the_transaction_in_hand_does_not_write_over_the_word(
    migrated_postgres_url: str, postgres_server: RunningServer
) -> None:
    """The sender waits for the row of the transaction, so that its word comes after what another one writes of the step
    as it was before."""
    store = await open_store(migrated_postgres_url)
    attempt = await _written(store)
    clock = HandClock()
    tools = Tools(clock, TimeOrderedIds(clock.now, Counting().bits), Counting(), Dead(), "prc_1", "test", b"key")
    saying: list[asyncio.Task[bool]] = []

    async def taken_over(unit: StoreUnit) -> None:
        await unit.transaction(attempt.transaction_id)
        if not saying:
            saying.append(asyncio.create_task(say_closed(store, tools, attempt)))
        async with asyncio.timeout(10):
            while not postgres_server.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await unit.update_step(replace(attempt, state="unknown"))

    try:
        await store.write(taken_over)
        assert await saying[0]
        row = await _row(store, attempt)
        assert (row.state, row.closed_at is None) == ("unknown", False)
    finally:
        await store.close()
