"""Jobs: claims, leases, epochs, waking."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.lanes import Lane, Opening
from gateway.domain.records import JobRecord
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


def places(most: int, lane: Lane = Lane.INTERACTIVE, system_id: str = "", *caps: int) -> list[Opening]:
    return [Opening(lane, system_id, most, caps)]


async def _claim(store: Store, openings: list[Opening], owner: str = "prc_me") -> list[JobRecord]:
    async def claim(unit: StoreUnit) -> list[JobRecord]:
        await unit.revive_jobs(NOW)
        return list(await unit.claim_jobs(owner, NOW, NOW + 100, openings))

    return await store.write(claim)


async def test_a_claim_takes_what_is_due_and_free_oldest_first(store: Store) -> None:
    late, early, leased, over, future = await _jobs(
        store,
        {"due_at": NOW - 1},
        {"due_at": NOW - 9},
        {"due_at": NOW - 9, "lease_owner": "prc_x", "lease_until": NOW + 1},
        {"due_at": NOW - 5, "lease_owner": "prc_x", "lease_until": NOW, "epoch": 7},
        {"due_at": NOW + 1},
    )
    claimed = await _claim(store, places(10))
    assert [job.transaction_id for job in claimed] == [early, over, late]
    assert [job.epoch for job in claimed] == [2, 8, 2]
    assert {(job.lease_owner, job.lease_until) for job in claimed} == {("prc_me", NOW + 100)}
    for claim in claimed:
        assert await store.write(lambda unit, job=claim: unit.job(job.transaction_id)) == claim
    assert await _claim(store, places(10), "prc_you") == []
    for other in (leased, future):
        job = await store.write(lambda unit, other=other: unit.job(other))
        assert job is not None
        assert job.epoch == 1


async def test_a_claim_keeps_its_limit(store: Store) -> None:
    ids = await _jobs(store, *({"due_at": NOW - 10 + n} for n in range(5)))
    claimed = await _claim(store, places(3))
    assert [job.transaction_id for job in claimed] == ids[:3]


async def test_no_job_is_claimed_twice(store: Store) -> None:
    ids = await _jobs(store, *({} for _ in range(60)))

    async def claim(owner: str) -> list[str]:
        mine: list[str] = []
        while claimed := await _claim(store, places(4), owner):
            mine += [job.transaction_id for job in claimed]
        return mine

    taken = await asyncio.gather(*(claim(f"prc_{n}") for n in range(8)))
    assert sorted(one for mine in taken for one in mine) == ids


async def test_an_old_epoch_writes_nothing(store: Store) -> None:
    (transaction_id,) = await _jobs(store, {"lease_owner": "prc_old", "lease_until": NOW - 1})
    old = await store.write(lambda unit: unit.job(transaction_id))
    assert old is not None
    await _claim(store, places(1), "prc_new")
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
    claimed = await _claim(store, places(10))
    assert [job.transaction_id for job in claimed] == [due_earlier, waiting]
    assert [job.waiting_for for job in claimed] == [None, None]
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
    (claimed,) = await _claim(store, places(10))
    assert claimed.transaction_id == mine
    assert claimed.transaction_id != theirs
    assert await store.write(lambda unit: unit.process("prc_dead")) == dead


async def test_a_deleted_job_is_gone(store: Store) -> None:
    (transaction_id,) = await _jobs(store, {})
    await store.write(lambda unit: unit.delete_job(transaction_id))
    assert await store.write(lambda unit: unit.job(transaction_id)) is None


async def test_a_claim_is_of_one_lane_and_one_system(store: Store) -> None:
    jobs = [{"lane": lane.value, "system_id": system} for lane in Lane for system in ("", "legacy-main", "cloud-main")]
    ids = await _jobs(store, *jobs)
    for lane, system, expected in zip(
        [lane for lane in Lane for _ in range(3)], ["", "legacy-main", "cloud-main"] * 3, ids, strict=True
    ):
        claimed = await _claim(store, places(10, lane, system))
        assert [job.transaction_id for job in claimed] == [expected]


async def test_what_is_more_urgent_goes_first_then_what_is_due_longest(store: Store) -> None:
    late, background, urgent, early = await _jobs(
        store,
        {"due_at": NOW - 1},
        {"due_at": NOW - 99, "priority": 7},
        {"due_at": NOW - 2, "priority": 0},
        {"due_at": NOW - 9},
    )
    claimed = [job.transaction_id for _ in range(4) for job in await _claim(store, places(1))]
    assert claimed == [urgent, early, late, background]


async def test_what_waits_is_looked_at_again_in_time_and_not_before(store: Store) -> None:
    later, now = await _jobs(
        store,
        {"due_at": NOW + 1, "waiting_for": "txn_parent"},
        {"due_at": NOW, "waiting_for": "txn_parent"},
    )
    assert [job.transaction_id for job in await _claim(store, places(10))] == [now]
    job = await store.write(lambda unit: unit.job(later))
    assert job is not None
    assert job.waiting_for == "txn_parent"


async def test_leases_of_all_processes_count_towards_what_is_allowed_over_all(store: Store) -> None:
    await _jobs(store, *({"lane": "bulk", "system_id": "cloud-main"} for _ in range(9)))
    await _jobs(store, *({"lane": "bulk", "system_id": "legacy-main"} for _ in range(3)))
    await _jobs(store, *({"lane": "standard", "system_id": "cloud-main"} for _ in range(9)))
    assert len(await _claim(store, places(4, Lane.BULK, "cloud-main", 10, 8, 6), "prc_1")) == 4
    assert len(await _claim(store, places(4, Lane.BULK, "cloud-main", 10, 8, 6), "prc_2")) == 2
    assert await _claim(store, places(4, Lane.BULK, "cloud-main", 10, 8, 6), "prc_3") == []
    # the other system is not concerned
    assert len(await _claim(store, places(4, Lane.BULK, "legacy-main", 10, 8, 6), "prc_2")) == 3
    # what is less urgent counts, and yet one of a lane may always be there
    assert len(await _claim(store, places(9, Lane.STANDARD, "cloud-main", 10, 8), "prc_3")) == 2
    assert await _claim(store, places(9, Lane.STANDARD, "cloud-main", 10, 8), "prc_3") == []
    await _jobs(store, {"lane": "bulk", "system_id": "home"}, {"lane": "standard", "system_id": "home"})
    assert len(await _claim(store, places(9, Lane.BULK, "home", 1, 1, 1), "prc_1")) == 1
    assert len(await _claim(store, places(9, Lane.STANDARD, "home", 1, 1), "prc_1")) == 1


async def test_what_callers_wait_for_counts_towards_what_is_left_for_a_run(store: Store) -> None:
    under_way = {"system_id": "cloud-main", "lease_owner": "prc_1", "lease_until": NOW + 100}
    await _jobs(store, *(under_way for _ in range(7)))
    await _jobs(store, *({"lane": "bulk", "system_id": "cloud-main"} for _ in range(9)))
    assert len(await _claim(store, places(9, Lane.BULK, "cloud-main", 9, 6, 4))) == 2
    assert await _claim(store, places(9, Lane.BULK, "cloud-main", 9, 6, 4)) == []


async def test_openings_of_one_claim_count_together(store: Store) -> None:
    await _jobs(store, *({"lane": lane, "system_id": "cloud-main"} for lane in ("standard", "bulk") for _ in range(9)))
    both = [*places(9, Lane.STANDARD, "cloud-main", 8, 6), *places(9, Lane.BULK, "cloud-main", 8, 6, 4)]
    assert [job.lane for job in await _claim(store, both)] == ["standard"] * 6 + ["bulk"]


async def test_a_lease_that_is_over_may_still_be_written_until_somebody_claims_it(store: Store) -> None:
    (transaction_id,) = await _jobs(store, {"lease_owner": "prc_old", "lease_until": NOW, "epoch": 4})
    await store.write(lambda unit: unit.revive_jobs(NOW))
    old = await store.write(lambda unit: unit.job(transaction_id))
    assert old is not None
    assert (old.lease_owner, old.epoch) == (None, 4)
    await store.write(lambda unit: unit.update_job(replace(old, due_at=NOW + 50)))
