"""Jobs that fail as nobody expected: they stop nobody else, and come before a person as whatever stands still does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.lanes import IN_BULK, LEAST_URGENT, MOST_URGENT, RESPOND_ASYNC, Queueing
from gateway.domain.records import JobRecord
from gateway.domain.sweeps import AGAIN_AND_AGAIN, OVERTAKEN_S, Finding
from gateway.domain.transaction import Status
from gateway.errors import StoreUnavailable
from gateway.transactions import failed_jobs, process
from gateway.transactions.claiming import claim
from gateway.transactions.failed_jobs import put_off
from gateway.transactions.line import Line
from tests.line.acts import lay, lift
from tests.line.rig import Rig, order
from tests.line.test_sweep import found, sweep_of


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Transactions that nobody can route."""
    these: set[str] = set()
    route = process._route

    async def routed(work: Any) -> Any:
        if work.record.transaction_id in these:
            raise ValueError("a defect")
        return await route(work)

    monkeypatch.setattr(process, "_route", routed)
    return these


async def accepted(rig: Rig, name: str, queueing: Queueing = IN_BULK) -> str:
    """A document of which nothing was sent."""
    return (await rig.send(order(name), queueing=queueing)).transaction.transaction_id


async def worked(rig: Rig) -> None:
    """One look of a worker, and what it began to its end."""
    await rig.line.work(everywhere=True)
    await rig.line.drain(30)


async def job_of(rig: Rig, transaction_id: str) -> JobRecord:
    job: JobRecord | None = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job is not None
    return job


async def claimed(rig: Rig, most: int) -> list[str]:
    """Somebody works on them."""
    openings = rig.line._places.openings(rig.parts.systems, everywhere=True, most=most)
    jobs = await rig.store.write(lambda unit: claim(unit, rig.parts.tools, openings, everywhere=True, busy=()))
    return [job.transaction_id for job in jobs]


async def test_it_is_given_back_and_tried_again_later_and_later(rig: Rig, failing: set[str]) -> None:
    one = await accepted(rig, "10248")
    failing.add(one)
    waits = []
    for tries in range(1, 9):
        await worked(rig)
        job = await job_of(rig, one)
        assert (job.lease_owner, job.tries) == (None, tries)
        waits.append(job.due_at - rig.clock.now())
        rig.clock.forward(waits[-1] / 1_000_000 + 0.001)
    assert waits == sorted(waits)
    assert 0 < waits[0] <= 500_000
    assert waits[-1] <= 60_000_000
    failing.clear()
    await worked(rig)
    assert (await rig.record(one)).status is Status.POSTED
    assert len(rig.legacy.book) == 1


async def test_as_many_as_a_lane_has_places_do_not_stop_it(rig: Rig, failing: set[str]) -> None:
    systems = {name: replace(one, room=lambda share: int(8 * share)) for name, one in rig.parts.systems.items()}
    parts = replace(rig.parts, systems=systems)
    rig.line = Line(rig.store, rig.store.reads, parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)
    failing |= {await accepted(rig, f"BAD-{number}") for number in range(8)}
    good = [await accepted(rig, f"GOOD-{number}") for number in range(3)]
    for _ in range(6):
        await worked(rig)
    assert {(await rig.record(one)).status for one in good} == {Status.POSTED}
    assert {(await rig.record(one)).status for one in failing} == {Status.ACCEPTED}


async def test_who_has_claimed_it_since_goes_on(rig: Rig) -> None:
    one = await accepted(rig, "10248")
    await claimed(rig, 1)
    stale = await job_of(rig, one)
    rig.clock.forward(200)
    await claimed(rig, 1)
    job = await job_of(rig, one)
    assert job.epoch == stale.epoch + 1
    await put_off(rig.store, rig.parts, one, stale.epoch)
    assert await job_of(rig, one) == job
    await rig.store.write(lambda unit: unit.delete_job(one))
    await put_off(rig.store, rig.parts, one, job.epoch)


@pytest.mark.parametrize("behind", [0, 1])
async def test_it_comes_before_a_person_though_its_lane_is_worked_on(rig: Rig, failing: set[str], behind: int) -> None:
    one = await accepted(rig, "10248", RESPOND_ASYNC)
    failing.add(one)
    sweep = sweep_of(rig)
    for _ in range(14):
        rig.clock.forward(60)
        await worked(rig)
        assert await found(sweep) == {}
    others = [await accepted(rig, f"OTHER-{number}", RESPOND_ASYNC) for number in range(behind)]
    rig.clock.forward(0.1)
    assert await claimed(rig, 16) == others
    rig.clock.forward(100)
    assert await found(sweep) == {Finding.ACCEPTED_LONG: 1}
    assert (await rig.record(one)).exception_id is not None
    assert {(await rig.record(other)).exception_id for other in others} <= {None}


@pytest.mark.parametrize("error", [ValueError("a defect"), StoreUnavailable("away")])
async def test_it_comes_before_a_person_though_it_cannot_even_be_given_back(
    rig: Rig, failing: set[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A lease that it keeps itself is no work on its lane."""

    async def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(failed_jobs, "put_off", broken)
    one = await accepted(rig, "10248")
    failing.add(one)
    sweep = sweep_of(rig)
    seen: dict[Finding, int] = {}
    for _ in range(30):
        rig.clock.forward(60)
        await worked(rig)
        job = await job_of(rig, one)
        assert job.lease_until > rig.clock.now(), "leased at each sweep"
        seen |= await found(sweep)
    assert seen == {Finding.ACCEPTED_LONG: 1}
    assert (await rig.record(one)).exception_id is not None


async def test_what_fails_again_and_again_is_no_work_on_its_lane(rig: Rig, failing: set[str]) -> None:
    one = await accepted(rig, "10248", Queueing(IN_BULK.lane, MOST_URGENT, alone=True))
    other = await accepted(rig, "10249")
    failing.add(one)
    for _ in range(15):
        rig.clock.forward(60)
        await rig.line.work(1)
        await rig.line.drain(30)
    rig.clock.forward(60)
    assert await claimed(rig, 1) == [one]
    assert await found(sweep_of(rig)) == {Finding.ACCEPTED_LONG: 2, Finding.JOB_OVERDUE: 1}
    assert (await rig.record(other)).exception_id is not None


async def test_what_is_more_urgent_overtakes_nothing_for_ever(rig: Rig) -> None:
    patient = await accepted(rig, "10248", Queueing(IN_BULK.lane, LEAST_URGENT, alone=True))
    sweep = sweep_of(rig)
    urgent = Queueing(IN_BULK.lane, MOST_URGENT, alone=True)
    rig.clock.forward(OVERTAKEN_S - 1)
    first = await accepted(rig, "URGENT-1", urgent)
    assert await claimed(rig, 1) == [first]
    assert await found(sweep) == {}, "others go first"
    rig.clock.forward(1_000)
    await rig.line.work(1)
    await rig.line.drain(30)
    assert (await rig.record(first)).status is Status.POSTED
    second = await accepted(rig, "URGENT-2", urgent)
    assert await claimed(rig, 1) == [second]
    assert await found(sweep) == {Finding.ACCEPTED_LONG: 1}
    assert (await rig.record(patient)).exception_id is not None
    assert (await rig.record(second)).exception_id is None


async def test_what_is_held_comes_before_a_person_only_if_nobody_would_see_its_release(
    rig: Rig, failing: set[str]
) -> None:
    overlay = await lay(rig, "hold")
    one, other = [await accepted(rig, name, RESPOND_ASYNC) for name in ("10248", "10249")]
    await worked(rig)
    assert {(await rig.record(name)).status for name in (one, other)} == {Status.HELD}
    sweep = sweep_of(rig)
    rig.clock.forward(200_000)
    failing.add(one)
    for tries in range(AGAIN_AND_AGAIN):
        assert (await job_of(rig, one)).tries == tries
        assert await found(sweep) == {}
        await worked(rig)
        rig.clock.forward(60)
    assert await found(sweep) == {Finding.HELD_LONG: 1}
    assert (await rig.record(one)).exception_id is not None
    assert (await rig.record(other)).exception_id is None
    failing.clear()
    await lift(rig, overlay)
    await rig.settle()
    assert {(await rig.record(name)).status for name in (one, other)} == {Status.POSTED}
    assert await found(sweep) == {}


async def test_what_could_not_be_sent_before_it_was_held_is_not_taken_for_a_defect(rig: Rig) -> None:
    rig.legacy.script = ["down"] * (AGAIN_AND_AGAIN + 2)
    one = await accepted(rig, "10248", RESPOND_ASYNC)
    for _ in range(AGAIN_AND_AGAIN + 2):
        await worked(rig)
        rig.clock.forward(60)
    await lay(rig, "hold")
    await worked(rig)
    assert (await rig.record(one)).status is Status.HELD
    rig.clock.forward(2_000)
    assert await found(sweep_of(rig)) == {}
