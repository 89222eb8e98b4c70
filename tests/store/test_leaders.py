"""Leases on tasks that one process does for all, and the fence that their epochs are."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.leaders import Lead, TaskLease
from gateway.domain.queries import StreamMemory
from gateway.store.errors import LeadLost
from gateway.store.store import Store, StoreUnit, open_store
from tests.store.made import NOW, a_process

LONG = 60_000_000


async def take(store: Store, process: str, length: int = LONG, task: str = "relay", ended: str = "") -> int | None:
    return await store.write(lambda unit: unit.take_task(task, process, length, ended))


async def test_one_leads_and_the_next_waits_for_the_end_of_the_lease(store: Store) -> None:
    assert await take(store, "prc_a") == 1
    assert await take(store, "prc_b") is None
    assert await take(store, "prc_b", task="sweep") == 1
    (first, second) = sorted(await store.reads.leases(), key=lambda one: one.task)
    assert (first.task, first.process_id, first.epoch) == ("relay", "prc_a", 1)
    assert 0 < first.left <= LONG
    assert (second.task, second.process_id) == ("sweep", "prc_b")


async def test_a_lease_that_is_over_is_taken_under_the_next_epoch(store: Store) -> None:
    assert await take(store, "prc_a", length=0) == 1
    (over,) = await store.reads.leases()
    assert over.left <= 0
    assert await take(store, "prc_b") == 2
    assert await take(store, "prc_a") is None


async def test_of_many_takers_one_leads(store: Store) -> None:
    taken = await asyncio.gather(*(take(store, f"prc_{n}") for n in range(8)))
    assert sorted(taken, key=str) == [1, *[None] * 7]


async def test_who_leads_renews_all_of_it_and_nothing_else(store: Store) -> None:
    await take(store, "prc_a", length=1_000_000)
    await take(store, "prc_a", length=1_000_000, task="sweep")
    await take(store, "prc_b", length=0, task="dark")
    renewed = await store.write(lambda unit: unit.renew_tasks("prc_a", LONG))
    assert {(one.task, one.process_id, one.epoch) for one in renewed} == {("relay", "prc_a", 1), ("sweep", "prc_a", 1)}
    assert all(isinstance(one, TaskLease) for one in renewed)
    left = {one.task: one.left for one in await store.reads.leases()}
    assert left["relay"] > 30_000_000
    assert left["dark"] <= 0


async def test_a_clean_end_lets_the_next_lead_at_once(store: Store) -> None:
    await take(store, "prc_a")
    await store.write(lambda unit: unit.resign_task("relay", 1))
    assert await store.write(lambda unit: unit.renew_tasks("prc_a", LONG)) == []
    assert await take(store, "prc_b") == 2
    await store.write(lambda unit: unit.resign_task("relay", 1))
    assert await take(store, "prc_c") is None


async def test_nobody_waits_for_a_process_that_has_ended(store: Store) -> None:
    record = a_process(process_id="prc_a")
    await store.write(lambda unit: unit.insert_process(record))
    await take(store, "prc_a")
    assert await store.reads.process("prc_a") == record
    assert await take(store, "prc_b", ended="prc_other") is None
    assert await take(store, "prc_b", ended="prc_a") == 2


async def test_an_old_epoch_writes_nothing_for_its_task(store: Store) -> None:
    lead, other = Lead("relay"), Lead("relay")
    lead.epoch = await take(store, "prc_a", length=0)
    led = store.led(lead)
    await led.outbox.remember_stream(StreamMemory("S", NOW, 1))
    other.epoch = await take(store, "prc_b")
    await store.led(other).outbox.remember_stream(StreamMemory("S", NOW, 2))

    async def register(unit: StoreUnit) -> None:
        await unit.insert_process(a_process(process_id="prc_late"))

    for write in (lambda: led.write(register), lambda: led.outbox.remember_stream(StreamMemory("S", NOW, 3))):
        lead.epoch = 1
        with pytest.raises(LeadLost):
            await write()
        assert lead.epoch is None
    assert await store.outbox.stream_memory("S") == StreamMemory("S", NOW, 2)
    assert await store.reads.process("prc_late") is None
    with pytest.raises(LeadLost):
        await led.write(register)


@pytest.mark.postgres
async def test_a_unit_of_the_leader_ends_before_another_leads(migrated_postgres_url: str) -> None:
    """Half-way through a write of the old leader, the task cannot be taken; afterwards it can."""
    store, second = await open_store(migrated_postgres_url), await open_store(migrated_postgres_url)
    lead = Lead("relay")
    lead.epoch = await take(store, "prc_a", length=0)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(unit: StoreUnit) -> None:
        inside.set()
        await go_on.wait()
        await unit.insert_process(a_process(process_id="prc_slow"))

    writing = asyncio.create_task(store.led(lead).write(slow))
    await asyncio.wait_for(inside.wait(), 60)
    taking = asyncio.create_task(take(second, "prc_b"))
    done, _ = await asyncio.wait([taking], timeout=0.3)
    assert not done
    go_on.set()
    await writing
    assert await taking == 2
    assert await second.reads.process("prc_slow") is not None
    await store.close()
    await second.close()
