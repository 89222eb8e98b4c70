"""The periodic sweep: what stands still for too long is found, moved on, and shown; nothing is posted twice by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adapters.errors import NotSent
from gateway.domain.lanes import IN_BULK
from gateway.domain.sweeps import LONG, STILL, WHERE_IT_STANDS, Finding, Stalled, SweepLimits
from gateway.domain.transaction import Status
from gateway.errors import Problem, StoreUnavailable
from gateway.transactions.claiming import claim
from gateway.transactions.sweep import TOLD_ONE_BY_ONE, Sweep
from tests.line.acts import lay, lift
from tests.line.dead_ends import ask, exceptions, the_one
from tests.line.rig import Rig, invoice, order
from tests.line.split import charge, split_rig


class Shown:
    """The numbers of the last sweep."""

    def __init__(self) -> None:
        self.findings: list[Mapping[str, int] | None] = []

    def sweep_findings(self, findings: Mapping[str, int] | None) -> None:
        self.findings.append(findings)


def sweep_of(rig: Rig, **limits: Any) -> Sweep:
    return Sweep(
        rig.store, rig.store.reads, lambda: rig.parts, Shown(), lambda: rig.woken.append("jobs"), SweepLimits(**limits)
    )


async def found(sweep: Sweep) -> dict[Finding, int]:
    """What was found, without events: nothing relays here."""
    counts = await sweep.sweep()
    del counts[Finding.EVENT_UNPUBLISHED]
    return {finding: count for finding, count in counts.items() if count}


async def forget_job(rig: Rig, transaction_id: str) -> None:
    """As if a defect, or a person at the database, had deleted it."""
    await rig.store.write(lambda unit: unit.delete_job(transaction_id))


async def test_nothing_is_found_where_all_is_well(rig: Rig) -> None:
    await rig.send(order())
    await rig.settle()
    rig.clock.forward(200_000)
    assert await found(sweep_of(rig)) == {}


@pytest.mark.parametrize("first", ["down", "lost_answer", "lost_call"])
async def test_a_transaction_without_a_job_is_put_back_and_ends_as_ever(rig: Rig, first: str) -> None:
    """Whatever became of its first call: what may have been posted is asked for, not sent again."""
    rig.legacy.script = [first]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.line.drain(30)
    await forget_job(rig, one)
    sweep = sweep_of(rig)
    rig.clock.forward(30)
    assert await found(sweep) == {}, "it may be on its way"
    rig.clock.forward(40)
    rig.woken.clear()
    assert await found(sweep) == {Finding.JOB_MISSING: 1}
    assert rig.woken == ["jobs"]
    assert await found(sweep) == {}
    for _ in range(10):
        await rig.until(120)
    assert (await rig.record(one)).status is Status.POSTED
    assert len(rig.legacy.book) == 1


async def test_what_was_sent_under_an_older_epoch_is_fenced_by_the_new_job(rig: Rig) -> None:
    rig.legacy.script = ["down"] * 3
    one = (await rig.send(order())).transaction.transaction_id
    for _ in range(3):
        await rig.until(10)
    (step,) = await rig.store.reads.steps(one)
    await forget_job(rig, one)
    rig.clock.forward(100)
    await sweep_of(rig).sweep()
    job = await rig.store.write(lambda unit: unit.job(one))
    assert job.epoch > step.epoch


async def test_what_rests_or_is_in_front_of_a_person_is_left_alone(rig: Rig) -> None:
    rig.legacy.script = ["reject"]
    refused = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    overlay = await lay(rig, "hold")
    held = (await rig.send(order("10249"))).transaction.transaction_id
    rig.clock.forward(200_000)
    assert await found(sweep_of(rig)) == {}
    assert (await rig.record(refused)).status is Status.REJECTED
    assert (await rig.record(held)).status is Status.HELD
    await lift(rig, overlay)
    await rig.settle()
    assert (await rig.record(held)).status is Status.POSTED


async def test_one_that_came_to_rest_after_it_was_found_gets_no_job(rig: Rig) -> None:
    rig.legacy.script = ["down"]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.line.drain(30)
    assert not await sweep_of(rig)._put_back(Stalled(one, Status.DISPATCHED)), "it has a job"
    await rig.until(10)
    assert (await rig.record(one)).status is Status.POSTED
    assert not await sweep_of(rig)._put_back(Stalled(one, Status.DISPATCHED)), "it rests"
    assert await rig.store.write(lambda unit: unit.job(one)) is None


async def test_one_that_waits_for_too_long_comes_before_a_person_once(rig: Rig) -> None:
    await lay(rig, "hold", "orders")
    await rig.send(order())
    waiting = (await rig.send(invoice(), "invoices")).transaction.transaction_id
    assert (await rig.record(waiting)).status is Status.WAITING
    sweep = sweep_of(rig)
    rig.clock.forward(86_000)
    await rig.settle()
    assert await found(sweep) == {}
    rig.clock.forward(1_000)
    assert await found(sweep) == {Finding.WAITING_LONG: 1}
    record = await rig.record(waiting)
    assert record.exception_id is not None
    assert record.status is Status.WAITING
    entries = await rig.kinds(waiting)
    assert entries.count("exception_opened") == 1
    for another in (sweep, sweep, sweep_of(rig)):
        rig.clock.forward(60)
        assert await found(another) == {Finding.WAITING_LONG: 1}, "it stands, though a person knows of it"
    assert await rig.kinds(waiting) == entries


async def minutes(rig: Rig, count: int, sweep: Sweep) -> dict[Finding, int]:
    """So many, each worked through and swept; what the last sweep found."""
    counts: dict[Finding, int] = {}
    for _ in range(count):
        await rig.until(60)
        counts = await found(sweep)
    return counts


@pytest.mark.parametrize("answer", ["down", "busy", "wrong_password"])
async def test_what_is_tried_again_for_ever_comes_before_a_person_while_it_is_tried(rig: Rig, answer: str) -> None:
    rig.legacy.script = [answer] * 5_000
    one = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    sweep = sweep_of(rig)
    assert await minutes(rig, 14, sweep) == {}, "it is not tried for long"
    assert await minutes(rig, 2, sweep) == {Finding.DISPATCHED_LONG: 1}
    known = await the_one(rig)
    assert (known.transaction_id, known.reason_code, known.cause) == (one, "stuck", "dispatched-long")
    with pytest.raises(Problem, match="cancel"):
        await ask(rig, "cancel")
    assert (await ask(rig, "retry")).move.state == "done"
    calls = rig.legacy.calls
    assert await minutes(rig, 20, sweep) == {Finding.DISPATCHED_LONG: 1}
    assert rig.legacy.calls > calls
    assert (await rig.kinds(one)).count("exception_opened") == 1
    rig.legacy.script = []
    assert await minutes(rig, 2, sweep) == {}
    assert (await rig.record(one)).status is Status.POSTED
    assert [(known.state, known.outcome) for known in await exceptions(rig)] == [("closed", "posted")]
    assert len(rig.legacy.book) == 1


async def test_what_was_held_for_long_and_is_sent_now_is_not_found(rig: Rig) -> None:
    overlay = await lay(rig, "hold")
    one = (await rig.send(order())).transaction.transaction_id
    rig.clock.forward(200_000)
    await rig.settle()
    rig.legacy.script = ["down"] * 3
    await lift(rig, overlay)
    await rig.settle()
    assert (await rig.record(one)).status is Status.DISPATCHED
    assert await found(sweep_of(rig)) == {}


async def test_an_unknown_that_is_inquired_in_vain_is_found(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: object) -> None:
        raise NotSent("connection refused")

    rig.legacy.script = ["late"]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    sweep = sweep_of(rig)
    with monkeypatch.context() as patched:
        patched.setattr(rig.legacy, "inquire", away)
        assert await minutes(rig, 59, sweep) == {}
        assert await minutes(rig, 2, sweep) == {Finding.UNKNOWN_LONG: 1}
    rig.legacy.script = ["down"] * 2
    for _ in range(20):
        await rig.until(10)
        if (await rig.record(one)).status is Status.DISPATCHED:
            break
    assert await found(sweep) == {}, "an attempt after an unknown has a time of its own"


async def test_what_is_unknown_between_attempts_that_are_not_sent_is_found(unique_rig: Rig) -> None:
    rig = unique_rig
    rig.legacy.script = ["late"] + ["down"] * 5_000
    one = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    sweep = sweep_of(rig)
    assert await minutes(rig, 58, sweep) == {}
    assert (await rig.kinds(one)).count("unknown") > 2
    assert await minutes(rig, 4, sweep) == {Finding.UNKNOWN_LONG: 1}


async def test_an_undo_that_is_never_sent_is_found(store: Any) -> None:
    rig = await split_rig(store)
    rig.legacy.script, rig.cloud.script = ["reject"], ["post"] + ["busy"] * 5_000
    one = (await rig.send(charge(), "journal_entries")).transaction.transaction_id
    await rig.settle()
    assert (await rig.record(one)).status is Status.COMPENSATING
    sweep = sweep_of(rig)
    assert await minutes(rig, 59, sweep) == {}
    assert await minutes(rig, 2, sweep) == {Finding.COMPENSATING_LONG: 1}
    assert (await the_one(rig)).transaction_id == one
    rig.cloud.script = []
    assert await minutes(rig, 2, sweep) == {}
    assert (await rig.record(one)).status is Status.COMPENSATED


async def test_those_beyond_the_most_of_a_sweep_come_before_a_person_in_the_next(rig: Rig) -> None:
    ids = await a_run(rig, 5)
    rig.clock.forward(2_000)
    sweep = sweep_of(rig, most=2)
    for seen in (2, 4, 5, 5):
        assert (await found(sweep))[Finding.ACCEPTED_LONG] == 2
        assert [(await rig.record(one)).exception_id is not None for one in ids].count(True) == seen


async def test_jobs_that_nobody_takes_are_told(rig: Rig) -> None:
    rig.legacy.script = ["down"]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.line.drain(30)
    rig.clock.forward(400)
    rig.woken.clear()
    assert await found(sweep_of(rig)) == {Finding.JOB_OVERDUE: 1}
    assert rig.woken == ["jobs"]
    await rig.settle()
    assert (await rig.record(one)).status is Status.POSTED


async def a_run(rig: Rig, count: int) -> list[str]:
    """Invoices accepted in bulk, each waiting for its turn."""
    bodies = [invoice(f"INV-{number}") for number in range(count)]
    for one in bodies:
        del one["orderReference"]
    return [(await rig.send(one, "invoices", queueing=IN_BULK)).transaction.transaction_id for one in bodies]


async def test_a_long_run_that_is_worked_on_is_not_found(rig: Rig) -> None:
    ids = await a_run(rig, 3)
    openings = rig.line._places.openings(rig.parts.systems, everywhere=True, most=1)
    rig.clock.forward(2_000)
    (job,) = await rig.store.write(lambda unit: claim(unit, rig.parts.tools, openings, everywhere=True, busy=()))
    assert await found(sweep_of(rig)) == {}
    sent = await rig.record(job.transaction_id)
    assert sent.exception_id is None
    # its process stands still: the lease is over, and nobody takes what is behind it
    rig.clock.forward(2_000)
    counts = await found(sweep_of(rig))
    assert counts[Finding.JOB_OVERDUE] == 2
    assert counts[Finding.ACCEPTED_LONG] == 3
    assert {(await rig.record(one)).exception_id is not None for one in ids} == {True}


async def test_of_many_findings_some_are_logged_and_the_rest_counted(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_run(rig, TOLD_ONE_BY_ONE + 3)
    rig.clock.forward(400)
    assert await found(sweep_of(rig)) == {Finding.JOB_OVERDUE: TOLD_ONE_BY_ONE + 3}
    told = capsys.readouterr().out
    assert told.count("job-overdue") == TOLD_ONE_BY_ONE + 1
    assert "swept_more" in told
    assert "count=3" in told


async def test_the_leases_of_a_process_that_is_proven_ended_are_free_at_once(rig: Rig) -> None:
    rig.legacy.script = ["down"]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.line.drain(30)
    rig.clock.forward(5)
    other = await rig.another_process("prc_2")
    openings = other.line._places.openings(rig.parts.systems, everywhere=True, most=None)
    tools = other.parts.tools
    claimed = await rig.store.write(lambda unit: claim(unit, tools, openings, everywhere=True, busy=()))
    assert [job.transaction_id for job in claimed] == [one]
    assert await found(sweep_of(rig)) == {}
    rig.liveness.ended.add("prc_2")
    assert await found(sweep_of(rig)) == {Finding.PROCESS_ENDED: 1}
    await rig.settle()
    assert (await rig.record(one)).status is Status.POSTED


async def test_events_that_nobody_publishes_are_counted(rig: Rig) -> None:
    await rig.send(order())
    await rig.settle()
    sweep = sweep_of(rig)
    assert (await sweep.sweep())[Finding.EVENT_UNPUBLISHED] == 0
    rig.clock.forward(400)
    waiting = len(await rig.store.outbox.pending(1_000))
    assert (await sweep.sweep())[Finding.EVENT_UNPUBLISHED] == waiting > 0


async def test_each_is_logged_once_as_long_as_it_stands(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    await rig.send(order())
    await rig.settle()
    rig.clock.forward(400)
    sweep = sweep_of(rig)
    for _ in range(3):
        await sweep.sweep()
    assert capsys.readouterr().out.count("swept") == 1


class Over(BaseException):
    """The clock of a test lets nobody sleep any more."""


def sleeps(rig: Rig, times: int) -> None:
    """How often somebody may sleep on the rig's clock."""
    left = iter(range(times))

    async def sleep(_seconds: float) -> None:
        if next(left, None) is None:
            raise Over

    rig.clock.sleep = sleep  # type: ignore[method-assign]


async def test_the_numbers_are_those_of_the_last_sweep_and_none_when_it_ends(rig: Rig) -> None:
    sweep, shown = sweep_of(rig), Shown()
    sweep._metrics = shown
    sleeps(rig, 2)
    with pytest.raises(Over):
        await sweep.run()
    assert shown.findings == [{finding.value: 0 for finding in Finding}] * 3 + [None]


async def test_neither_a_database_that_is_away_nor_a_defect_ends_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep, shown = sweep_of(rig), Shown()
    sweep._metrics = shown
    answers: list[Exception] = [StoreUnavailable("away"), ValueError("a defect")]
    overdue = sweep._reads.overdue

    async def failing(before: int, most: int) -> Any:
        if answers:
            raise answers.pop(0)
        return await overdue(before, most)

    monkeypatch.setattr(sweep._reads, "overdue", failing)
    sleeps(rig, 2)
    with pytest.raises(Over):
        await sweep.run()
    assert len(shown.findings) == 2


def test_every_status_that_a_person_does_not_see_has_its_limit() -> None:
    seen = set(LONG) | {
        Status.IN_DOUBT,
        Status.POSTED,
        Status.REJECTED,
        Status.COMPENSATED,
        Status.CANCELLED,
    }
    assert seen == set(Status)
    assert set(SweepLimits().long_s) == set(LONG) == set(STILL)
    assert all(status.value in kinds <= WHERE_IT_STANDS for status, kinds in STILL.items())
