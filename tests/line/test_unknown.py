"""What is unknown is asked for, and sent again only when that is proven right."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.transaction import Status
from gateway.liveness import HostLiveness
from gateway.transactions.posting import posting_of as load
from tests.line.rig import Rig, order


async def test_a_lost_answer_is_found_by_inquiry(rig: Rig):
    rig.legacy.script = ["lost_answer"]
    answer = await rig.send(order())
    await rig.settle()
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.UNKNOWN
    await rig.until(1.1)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert len(rig.legacy.book) == 1
    assert rig.legacy.calls == 1
    entries = await rig.entries(record.transaction_id)
    posted = json.loads(next(entry.body for entry in entries if entry.kind == "posted"))
    assert posted["foundByInquiry"] is True
    assert posted["confirmed"]["amount"] == "168.00"


async def test_a_lost_call_is_sent_again_only_after_the_quiet_time_and_a_second_empty_inquiry(rig: Rig):
    rig.legacy.script = ["lost_call"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    await rig.until(90.0)
    assert rig.legacy.calls == 1
    await rig.until(20.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries, len(rig.legacy.book)) == (2, 2, 1)


async def test_a_late_execution_is_seen_by_the_second_inquiry(rig: Rig):
    rig.legacy.script = ["late"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    rig.legacy.post_what_was_late()
    await rig.until(110.0)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (1, 1)


async def test_where_the_erp_refuses_a_second_one_itself_it_is_sent_again_at_once(unique_rig: Rig):
    rig = unique_rig
    rig.legacy.script = ["lost_call"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert rig.legacy.calls == 2


@pytest.mark.parametrize(("behaviour", "reason"), [("twice", "several-found"), ("other", "found-other")])
async def test_what_cannot_be_told_is_put_before_a_person(rig: Rig, behaviour: str, reason: str):
    rig.legacy.script = [behaviour]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.IN_DOUBT
    doubted = next(entry for entry in await rig.entries(record.transaction_id) if entry.kind == "in_doubt")
    assert json.loads(doubted.body)["reason"] == reason
    calls = rig.legacy.calls
    await rig.until(10_000.0)
    assert rig.legacy.calls == calls


async def test_a_driver_that_breaks_is_an_unknown_not_a_retry(rig: Rig):
    rig.legacy.script = ["crash"]
    answer = await rig.send(order())
    await rig.settle()
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.UNKNOWN
    await rig.until(1.1)
    await rig.until(110.0)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert len(rig.legacy.book) == 1


async def _dispatched_and_gone(rig: Rig, behaviour: str) -> str:
    """A process that commits `dispatched`, does what it does at the ERP, and dies before it writes the outcome."""
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order())
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    for task in list(rig.line._tasks):
        task.cancel()
    await asyncio.gather(*rig.line._tasks, return_exceptions=True)
    rig.legacy.gate = None
    if behaviour == "posted":
        submission = await _submission(rig, answer.transaction.transaction_id)
        rig.legacy.post(submission)
    return answer.transaction.transaction_id


async def _submission(rig: Rig, transaction_id: str):
    async def read(unit):
        record = await unit.transaction(transaction_id)
        return await load(unit, record, (await unit.steps(transaction_id))[-1])

    return await rig.store.write(read)


async def test_after_a_death_what_was_posted_is_found(rig: Rig):
    transaction_id = await _dispatched_and_gone(rig, "posted")
    heir = await rig.another_process("prc_2")
    await heir.until(14.0)
    assert (await rig.record(transaction_id)).status is Status.DISPATCHED  # the lease still runs
    await heir.until(2.0)
    await heir.until(2.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert len(rig.legacy.book) == 1


async def test_after_a_proven_death_what_was_not_posted_is_sent_again_after_the_quiet_time(rig: Rig):
    transaction_id = await _dispatched_and_gone(rig, "nothing")
    rig.liveness.ended.add("prc_1")
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    await heir.until(2.0)
    await heir.until(90.0)
    assert rig.legacy.calls == 1
    await heir.until(20.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)


async def test_without_proof_of_the_sender_s_end_nothing_is_sent_again(rig: Rig):
    transaction_id = await _dispatched_and_gone(rig, "nothing")
    heir = await rig.another_process("prc_2")
    for seconds in (16.0, 2.0, 90.0, 200.0, 1_000.0):
        await heir.until(seconds)
    record = await rig.record(transaction_id)
    assert record.status is Status.IN_DOUBT
    assert (rig.legacy.calls, rig.legacy.book) == (1, [])


async def test_what_is_on_record_of_the_sender_s_end_is_proof(rig: Rig):
    transaction_id = await _dispatched_and_gone(rig, "nothing")
    rig.liveness = HostLiveness()  # type: ignore[assignment]  # the real one: it sees nothing of another machine
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    assert await rig.store.write(lambda unit: unit.note_process_ended("prc_1", "node 7 was fenced", rig.clock.now()))
    await heir.until(2.0)
    await heir.until(90.0)
    assert rig.legacy.calls == 1, "the quiet time holds all the same"
    await heir.until(20.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)


async def test_a_process_that_slept_past_its_lease_sends_nothing(rig: Rig):
    sleeper = rig.line
    original = rig.legacy.submit

    async def frozen_before_its_first_byte(submission, permit):
        rig.clock.forward(20.0)
        return await original(submission, permit)

    rig.legacy.submit = frozen_before_its_first_byte  # type: ignore[method-assign]
    answer = await rig.send(order())
    assert await sleeper.drain(30)
    assert (rig.legacy.calls, rig.legacy.book) == (0, [])
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.DISPATCHED


async def test_a_process_that_stalled_past_its_lease_does_not_judge_its_own_call_that_is_still_open(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order())
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    rig.clock.forward(16.0)
    assert await rig.line.work(10) == 0
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.DISPATCHED
    rig.legacy.gate.set()
    assert await rig.line.drain(30)
    await rig.until(2.0)
    await rig.until(2.0)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (1, 1)


async def test_an_outcome_under_an_old_epoch_is_not_written(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order())
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    heir = await rig.another_process("prc_2")
    heir.legacy.gate = rig.legacy.gate
    heir.clock.forward(16.0)
    assert await heir.line.work(10) == 1
    assert await heir.line.drain(30)
    rig.legacy.gate.set()
    assert await rig.line.drain(30)
    # the old holder's answer came after the take-over: the heir finds the document by inquiry
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.UNKNOWN
    await heir.until(2.0)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.POSTED
    assert len(rig.legacy.book) == 1


BEHAVIOURS = ["post", "lost_answer", "lost_call", "late", "reject", "busy", "down", "crash"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=st.lists(st.sampled_from(BEHAVIOURS), max_size=6), late_at=st.integers(0, 3))
def test_whatever_the_erp_does_a_document_is_posted_at_most_once_and_its_status_is_true(
    run_rig, script: list[str], late_at: int
):
    async def scenario(rig: Rig) -> None:
        rig.legacy.script = list(script)
        answer = await rig.send(order())
        await rig.settle()
        for round_number in range(60):
            if round_number == late_at or rig.clock.micros % 2:
                rig.legacy.post_what_was_late()
            await rig.until(40.0)
            if rig.legacy.late:
                rig.legacy.post_what_was_late()
            record = await rig.record(answer.transaction.transaction_id)
            if record.status in {Status.POSTED, Status.REJECTED}:
                break
        record = await rig.record(answer.transaction.transaction_id)
        assert record.status in {Status.POSTED, Status.REJECTED}
        assert len(rig.legacy.book) == (1 if record.status is Status.POSTED else 0)
        assert rig.cloud.calls == 0

    run_rig(scenario)


async def test_a_refusal_proves_nothing_of_an_attempt_that_still_runs(unique_rig: Rig):
    """Where the ERP refuses second documents itself, it is sent again while the first call may still be executed."""
    rig = unique_rig
    rig.legacy.script = ["late", "reject"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    assert rig.legacy.calls == 2
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.UNKNOWN
    rig.legacy.post_what_was_late()
    await rig.until(2.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert (record.status, record.problem) == (Status.POSTED, None)
    assert rig.legacy.calls == 2


async def test_a_kept_refusal_counts_when_all_attempts_are_over(unique_rig: Rig):
    rig = unique_rig
    rig.legacy.script = ["lost_call", "reject"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    await rig.until(50.0)
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.UNKNOWN
    await rig.until(60.0)
    await rig.until(60.0)
    record = await rig.record(answer.transaction.transaction_id)
    assert record.status is Status.REJECTED
    assert json.loads(record.problem)["erp"]["messageCode"] == "V1/152"
    assert (rig.legacy.calls, rig.legacy.book) == (2, [])


async def test_a_refusal_after_a_sender_that_nobody_saw_end_is_for_a_person(unique_rig: Rig):
    transaction_id = await _dispatched_and_gone(unique_rig, "nothing")
    heir = await unique_rig.another_process("prc_2")
    heir.legacy.script = ["reject"]
    await heir.until(16.0)
    await heir.until(2.0)
    for _ in range(3):
        await heir.until(110.0)
    assert heir.legacy.calls == 2, "it was sent again at once: the ERP refuses a second one itself"
    assert (await heir.record(transaction_id)).status is Status.IN_DOUBT
