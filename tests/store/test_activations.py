"""What is in force, heartbeats and requests, on both databases; and the lock that keeps commits from straddling."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.domain.activations import ActivationRequest, ActivationState, Heartbeat, RulesState
from gateway.store.errors import Fenced
from gateway.store.store import Store, StoreUnit, open_store

REQUEST = ActivationRequest(
    activation_id="act_1",
    draft_id="drf_1",
    table_version="t",
    governance_version="g",
    rules="{}",
    governance="{}",
    base_activation_number=1,
    effective_at=50,
    requested_at=40,
    requested_by="console",
    person=None,
    state=ActivationState.SCHEDULED,
)


async def test_nothing_is_in_force_at_first(store: Store) -> None:
    assert await store.write(lambda unit: unit.rules_state()) == RulesState(0, 0)
    assert await store.reads.rules_state() == RulesState(0, 0)


async def test_the_numbers_are_what_was_put_in_force(store: Store) -> None:
    await store.write(lambda unit: unit.set_rules_state(RulesState(3, 7)))
    assert await store.write(lambda unit: unit.rules_state()) == RulesState(3, 7)
    assert await store.write(lambda unit: unit.rules_state_alone()) == RulesState(3, 7)
    state, acts = await store.reads.rules_in_force()
    assert (state, acts.overlays) == (RulesState(3, 7), ())


async def test_the_database_has_a_clock_of_its_own(store: Store) -> None:
    before = time.time_ns() // 1_000
    seen = [await store.write(lambda unit: unit.database_now()), await store.reads.database_now()]
    after = time.time_ns() // 1_000
    # SQLite cuts to milliseconds
    assert before - 1_000 <= seen[0] <= seen[1] <= after


@pytest.mark.postgres
async def test_the_clock_of_postgres_moves_within_a_unit(migrated_postgres_url: str) -> None:
    store = await open_store(migrated_postgres_url)

    async def twice(unit: StoreUnit) -> tuple[int, int]:
        return await unit.database_now(), await unit.database_now()

    first, second = await store.write(twice)
    assert second > first, "a transaction's begin would say when the lock was asked for, not when it was got"
    await store.close()


@pytest.mark.postgres
async def test_who_waited_for_an_activation_sees_it(migrated_postgres_url: str) -> None:
    """On PostgreSQL lock and look are two statements: one that waits and reads in one go reads what was before."""
    store = await open_store(migrated_postgres_url)
    holding = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def activate(unit: StoreUnit) -> None:
        await unit.rules_state_alone()
        holding.set()
        # the other unit is under way, and waits for the lock that this one holds
        while not await _is_waited_for(unit):
            assert loop.time() < limit
        await unit.set_rules_state(RulesState(2, 0))

    async def accept(unit: StoreUnit) -> RulesState:
        return await unit.rules_state()

    limit = loop.time() + 30
    activating = asyncio.create_task(store.write(activate))
    await holding.wait()
    accepting = asyncio.create_task(store.write(accept))
    await activating
    assert await accepting == RulesState(2, 0)
    await store.close()


async def _is_waited_for(unit: StoreUnit) -> bool:
    sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    connection = unit._unit._connection  # type: ignore[attr-defined]
    return bool(await connection.fetchval(sql))


@pytest.mark.postgres
async def test_accepts_do_not_keep_each_other_out(migrated_postgres_url: str) -> None:
    store = await open_store(migrated_postgres_url)
    inside, both = 0, asyncio.Event()

    async def accept(unit: StoreUnit) -> None:
        nonlocal inside
        await unit.rules_state()
        inside += 1
        if inside == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 30)

    await asyncio.gather(store.write(accept), store.write(accept))
    await store.close()


async def test_a_request_is_kept_and_what_becomes_of_it(store: Store) -> None:
    await store.write(lambda unit: unit.insert_activation_request(REQUEST))
    later = replace(REQUEST, activation_id="act_2", effective_at=10)
    await store.write(lambda unit: unit.insert_activation_request(later))
    assert [one.activation_id for one in await store.reads.open_activation_requests()] == ["act_2", "act_1"]
    settled = replace(
        REQUEST,
        state=ActivationState.ACTIVATED,
        entry_count=4,
        claimed_by="prc_1",
        claimed_until=9,
        settled_at=60,
        activation_number=2,
        failure=None,
    )
    await store.write(lambda unit: unit.update_activation_request(settled))
    assert await store.reads.activation_request("act_1") == settled
    assert await store.write(lambda unit: unit.activation_request("act_1")) == settled
    assert [one.activation_id for one in await store.reads.open_activation_requests()] == ["act_2"]
    assert [one.activation_id for one in await store.reads.activation_requests(1)] == ["act_2"]
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.update_activation_request(replace(settled, activation_id="act_9")))


async def test_a_heartbeat_takes_the_place_of_the_one_before_and_old_ones_do_not_count(store: Store) -> None:
    first = Heartbeat("prc_1", 1, 0, "a:b", "", 100)
    second = replace(first, activation_number=2, prepared="c:d e:f", at=200)
    other = replace(first, process_id="prc_2", at=150)
    for one in (first, second, other):
        await store.write(lambda unit, one=one: unit.put_heartbeat(one))
    assert list(await store.reads.live_heartbeats(100)) == [second, other]
    assert list(await store.write(lambda unit: unit.live_heartbeats(151))) == [second]
    assert (second.has("a:b"), second.has("e:f"), second.has("e")) == (True, True, False)
    assert await store.write(lambda unit: unit.delete_heartbeats_before(200)) == 1
    await store.write(lambda unit: unit.delete_heartbeat("prc_1"))
    assert list(await store.reads.live_heartbeats(0)) == []
