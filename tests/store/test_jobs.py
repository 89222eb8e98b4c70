"""Jobs: claims, leases, epochs, waking."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.store.errors import Fenced
from gateway.store.store import Store, StoreUnit
from tests.store.made import NOW, a_process, a_transaction, insert_transaction_with_job


async def _jobs(store: Store, *jobs: dict[str, object]) -> list[str]:
    records = [a_transaction() for _ in jobs]

    async def write(unit: StoreUnit) -> None:
        for record, job in zip(records, jobs, strict=True):
            await insert_transaction_with_job(unit, record, **job)

    await store.write(write)
    return [record.transaction_id for record in records]


async def test_a_claim_takes_what_is_due_and_free_oldest_first(store: Store) -> None:
    late, early, leased, over, future = await _jobs(
        store,
        {"due_at": NOW - 1},
        {"due_at": NOW - 9},
        {"due_at": NOW - 9, "lease_owner": "prc_x", "lease_until": NOW + 1},
        {"due_at": NOW - 5, "lease_owner": "prc_x", "lease_until": NOW, "epoch": 7},
        {"due_at": NOW + 1},
    )
    claimed = await store.write(lambda unit: unit.claim_jobs("prc_me", NOW, NOW + 100, 10))
    assert [job.transaction_id for job in claimed] == [early, over, late]
    assert [job.epoch for job in claimed] == [2, 8, 2]
    assert {(job.lease_owner, job.lease_until) for job in claimed} == {("prc_me", NOW + 100)}
    for claim in claimed:
        assert await store.write(lambda unit, job=claim: unit.job(job.transaction_id)) == claim
    assert await store.write(lambda unit: unit.claim_jobs("prc_you", NOW, NOW + 100, 10)) == []
    for other in (leased, future):
        job = await store.write(lambda unit, other=other: unit.job(other))
        assert job is not None
        assert job.epoch == 1


async def test_a_claim_keeps_its_limit(store: Store) -> None:
    ids = await _jobs(store, *({"due_at": NOW - 10 + n} for n in range(5)))
    claimed = await store.write(lambda unit: unit.claim_jobs("prc_me", NOW, NOW + 100, 3))
    assert [job.transaction_id for job in claimed] == ids[:3]


async def test_no_job_is_claimed_twice(store: Store) -> None:
    ids = await _jobs(store, *({} for _ in range(60)))

    async def claim(owner: str) -> list[str]:
        mine: list[str] = []
        while claimed := await store.write(lambda unit: unit.claim_jobs(owner, NOW, NOW + 100, 4)):
            mine += [job.transaction_id for job in claimed]
        return mine

    taken = await asyncio.gather(*(claim(f"prc_{n}") for n in range(8)))
    assert sorted(one for mine in taken for one in mine) == ids


async def test_an_old_epoch_writes_nothing(store: Store) -> None:
    (transaction_id,) = await _jobs(store, {"lease_owner": "prc_old", "lease_until": NOW - 1})
    old = await store.write(lambda unit: unit.job(transaction_id))
    assert old is not None
    await store.write(lambda unit: unit.claim_jobs("prc_new", NOW, NOW + 100, 1))
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.update_job(replace(old, due_at=NOW + 50, lease_owner=None)))
    job = await store.write(lambda unit: unit.job(transaction_id))
    assert job is not None
    assert (job.epoch, job.lease_owner) == (2, "prc_new")


async def test_what_waits_is_woken_and_only_that(store: Store) -> None:
    waiting, due_earlier, other = await _jobs(
        store,
        {"due_at": NOW + 1_000, "waiting_for": "txn_parent"},
        {"due_at": NOW - 1_000, "waiting_for": "txn_parent"},
        {"due_at": NOW + 1_000, "waiting_for": "txn_else"},
    )
    assert await store.write(lambda unit: unit.wake_jobs_waiting_for("txn_parent", NOW)) == 2
    due = {}
    for one in (waiting, due_earlier, other):
        job = await store.write(lambda unit, one=one: unit.job(one))
        assert job is not None
        due[one] = job.due_at
    assert due == {waiting: NOW, due_earlier: NOW - 1_000, other: NOW + 1_000}


async def test_leases_of_an_ended_process_are_released(store: Store) -> None:
    dead, alive = a_process(process_id="prc_dead"), a_process(process_id="prc_alive")
    (mine, theirs) = await _jobs(
        store,
        {"lease_owner": "prc_dead", "lease_until": NOW + 100},
        {"lease_owner": "prc_alive", "lease_until": NOW + 100},
    )

    async def register(unit: StoreUnit) -> None:
        await unit.insert_process(dead)
        await unit.insert_process(alive)
        await unit.insert_process(a_process(process_id="prc_idle"))

    await store.write(register)
    assert await store.write(lambda unit: unit.processes_holding_leases(NOW)) == [alive, dead]
    assert await store.write(lambda unit: unit.release_leases_of("prc_dead", NOW)) == 1
    assert await store.write(lambda unit: unit.processes_holding_leases(NOW)) == [alive]
    (claimed,) = await store.write(lambda unit: unit.claim_jobs("prc_me", NOW, NOW + 100, 10))
    assert claimed.transaction_id == mine
    assert claimed.transaction_id != theirs
    assert await store.write(lambda unit: unit.process("prc_dead")) == dead


async def test_a_deleted_job_is_gone(store: Store) -> None:
    (transaction_id,) = await _jobs(store, {})
    await store.write(lambda unit: unit.delete_job(transaction_id))
    assert await store.write(lambda unit: unit.job(transaction_id)) is None
