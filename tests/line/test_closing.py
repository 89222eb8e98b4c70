"""A sender that lost its lease says that its attempt is over, so that whoever goes on need not ask a person."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.domain.records import StepRecord
from gateway.domain.transaction import Status
from gateway.errors import StoreUnavailable
from gateway.transactions.closing import TRIES, say_closed
from gateway.transactions.line import Line
from tests.line.rig import Rig, order


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """On the database's time, before which no attempt is closed."""
    rig.clock.micros = await rig.store.reads.database_now()
    return rig


async def _row(rig: Rig, transaction_id: str) -> StepRecord:
    (step,) = await rig.store.write(lambda unit: unit.steps(transaction_id))
    return step


async def _woken_past_its_lease(rig: Rig) -> str:
    """A process that stands still before its first byte until its lease covers no call, wakes, and gives up."""
    original = rig.legacy.submit

    async def frozen_before_its_first_byte(submission, permit):
        rig.clock.forward(20.0)
        return await original(submission, permit)

    rig.legacy.submit = frozen_before_its_first_byte  # type: ignore[method-assign]
    answer = await rig.send(order())
    assert await rig.line.drain(30)
    rig.legacy.submit = original  # type: ignore[method-assign]
    return answer.transaction.transaction_id


async def _call_under_way(rig: Rig, behaviour: str) -> tuple[str, Rig]:
    """A call that is still open when its lease is over, and who took it over."""
    rig.legacy.gate, rig.legacy.script = asyncio.Event(), [behaviour]
    answer = await rig.send(order())
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    heir = await rig.another_process("prc_2")
    await heir.until(16.0)
    return answer.transaction.transaction_id, heir


async def test_who_gives_up_before_the_first_byte_says_so_and_writes_nothing_else(rig: Rig):
    transaction_id = await _woken_past_its_lease(rig)
    assert (await _row(rig, transaction_id)).closed_at is not None
    record = await rig.record(transaction_id)
    assert record.status is Status.DISPATCHED
    assert (await rig.kinds(transaction_id))[-1] == "dispatched"
    assert rig.legacy.calls == 0


async def test_after_its_word_another_one_sends_once_the_quiet_time_is_over(rig: Rig):
    transaction_id = await _woken_past_its_lease(rig)
    said_at = (await _row(rig, transaction_id)).closed_at
    assert said_at is not None
    heir = await rig.another_process("prc_2")
    await heir.until(0.5)
    await heir.until(2.0)
    assert (await _row(rig, transaction_id)).closed_at == said_at, "who takes over keeps the word"
    heir.clock.micros = said_at + 99_000_000
    await heir.settle()
    assert rig.legacy.calls == 0, "the quiet time holds all the same"
    await heir.until(3.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries, len(rig.legacy.book)) == (1, 2, 1)


async def test_a_job_that_its_own_call_holds_open_is_not_kept_from_others(rig: Rig):
    """A process that stood still past its own lease, and looks for work before its calls have ended."""
    rig.legacy.gate, rig.legacy.script = asyncio.Event(), ["lost_call"]
    transaction_id = (await rig.send(order())).transaction.transaction_id
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    rig.clock.forward(60.0)
    assert await rig.line.work() == 0
    job = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job is not None
    assert job.lease_owner is None
    assert 0 < job.due_at - rig.clock.now() <= 1_000_000
    rig.legacy.gate.set()
    assert await rig.line.drain(30)
    heir = await rig.another_process("prc_2")
    await heir.until(2.0)
    assert (await rig.record(transaction_id)).status is Status.UNKNOWN


async def test_a_call_that_ends_under_an_old_epoch_is_said_to_be_over(rig: Rig):
    transaction_id, heir = await _call_under_way(rig, "lost_call")
    await heir.until(2.0)
    assert (await _row(rig, transaction_id)).closed_at is None
    rig.legacy.gate.set()  # type: ignore[union-attr]
    assert await rig.line.drain(30)
    assert (await rig.record(transaction_id)).status is Status.UNKNOWN
    assert (await _row(rig, transaction_id)).closed_at is not None
    kinds = await rig.kinds(transaction_id)
    assert kinds[-2:] == ["unknown", "inquired"], "the sender appended nothing"
    await heir.until(118.0)
    await heir.until(2.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)


async def test_what_such_a_call_posts_late_is_found_and_not_sent_again(rig: Rig):
    transaction_id, heir = await _call_under_way(rig, "late")
    rig.legacy.gate.set()  # type: ignore[union-attr]
    assert await rig.line.drain(30)
    said_at = (await _row(rig, transaction_id)).closed_at
    assert said_at is not None
    await heir.until(2.0)
    heir.clock.micros = said_at + 98_000_000
    await heir.settle()
    rig.legacy.post_what_was_late()
    await heir.until(30.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (1, 1)


async def test_a_word_that_comes_during_an_inquiry_is_heard(rig: Rig):
    transaction_id, heir = await _call_under_way(rig, "lost_call")
    await heir.until(2.0)
    original = rig.legacy.inquire

    async def inquiry_during_which_the_call_ends(posting):
        rig.legacy.gate.set()  # type: ignore[union-attr]
        assert await rig.line.drain(30)
        return await original(posting)

    rig.legacy.inquire = inquiry_during_which_the_call_ends  # type: ignore[method-assign]
    await heir.until(118.0)
    rig.legacy.inquire = original  # type: ignore[method-assign]
    assert rig.legacy.inquiries == 2
    assert (await rig.record(transaction_id)).status is Status.UNKNOWN, "the quiet time starts with the word"
    await heir.until(102.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED


async def test_of_a_call_that_runs_nothing_is_said(rig: Rig):
    transaction_id, heir = await _call_under_way(rig, "post")
    for seconds in (2.0, 118.0, 2.0):
        await heir.until(seconds)
    assert (await rig.record(transaction_id)).status is Status.IN_DOUBT
    assert (await _row(rig, transaction_id)).closed_at is None
    rig.legacy.gate.set()  # type: ignore[union-attr]
    assert await rig.line.drain(30)
    # for the person who has it inquired once more
    assert (await _row(rig, transaction_id)).closed_at is not None
    doubted = next(entry for entry in await rig.entries(transaction_id) if entry.kind == "in_doubt")
    assert json.loads(doubted.body)["reason"] == "sender-not-proven-ended"


async def test_of_a_call_that_was_cancelled_nothing_is_said(rig: Rig):
    transaction_id, _ = await _call_under_way(rig, "post")
    for task in list(rig.line._tasks):
        task.cancel()
    await asyncio.gather(*rig.line._tasks, return_exceptions=True)
    assert (await _row(rig, transaction_id)).closed_at is None


class _Away:
    """A store that does not take the next `times` writes."""

    def __init__(self, store: Any, error: Exception, times: int) -> None:
        self._store, self._error, self.times = store, error, times
        self.asked = 0
        self.reads, self.outbox = store.reads, store.outbox

    async def write(self, fn: Callable[[Any], Awaitable[Any]]) -> Any:
        self.asked += 1
        if self.times > 0:
            self.times -= 1
            raise self._error
        return await self._store.write(fn)


async def _gate_on(rig: Rig, away: _Away) -> str:
    """An order whose call has begun, and whose process finds its store away from then on."""
    times, away.times = away.times, 0
    rig.line = Line(away, away.reads, rig.parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)
    rig.legacy.gate = asyncio.Event()
    answer = await rig.send(order())
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    away.times, away.asked = times, 0
    rig.legacy.gate.set()
    assert await rig.line.drain(30)
    return answer.transaction.transaction_id


async def test_an_outcome_that_no_store_takes_is_over_all_the_same(rig: Rig):
    away = _Away(rig.store, StoreUnavailable("the database is away"), 1 + TRIES - 1)
    transaction_id = await _gate_on(rig, away)
    assert away.asked == 1 + TRIES + 1, "the outcome, the word, the lease"
    assert (await _row(rig, transaction_id)).closed_at is not None
    assert (await rig.record(transaction_id)).status is Status.DISPATCHED


async def test_a_word_that_no_store_takes_is_lost_after_some_tries(rig: Rig):
    away = _Away(rig.store, StoreUnavailable("the database is away"), 1_000)
    transaction_id = await _gate_on(rig, away)
    assert away.asked == 1 + TRIES + 1, "the outcome, the word, the lease"
    assert (await _row(rig, transaction_id)).closed_at is None


async def _lease_owner(rig: Rig, transaction_id: str) -> str | None:
    job = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job is not None
    return job.lease_owner


async def test_an_outcome_that_was_not_recorded_does_not_wait_for_the_end_of_the_lease(rig: Rig):
    away = _Away(rig.store, StoreUnavailable("the connection was lost"), 1)
    transaction_id = await _gate_on(rig, away)
    assert await _lease_owner(rig, transaction_id) is None
    heir = await rig.another_process("prc_2")
    await heir.until(1.0)
    await heir.until(2.0)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, rig.legacy.inquiries, len(rig.legacy.book)) == (1, 1, 1)


async def test_a_job_whose_outcome_was_not_recorded_does_not_either(rig: Rig):
    rig.legacy.script = ["down"]
    transaction_id = (await rig.send(order())).transaction.transaction_id
    assert await rig.line.drain(30)
    rig.clock.forward(120.0)
    away = _Away(rig.store, StoreUnavailable("the connection was lost"), 0)
    rig.line = Line(away, away.reads, rig.parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)
    rig.legacy.gate = asyncio.Event()
    assert await rig.line.work() == 1
    await asyncio.wait_for(rig.legacy.arrived.wait(), 30)
    away.times = 1
    rig.legacy.gate.set()
    assert await rig.line.drain(30)
    assert (await rig.record(transaction_id)).status is Status.DISPATCHED
    assert await _lease_owner(rig, transaction_id) is None


async def test_who_gives_up_before_the_first_byte_lets_go(rig: Rig):
    transaction_id = await _woken_past_its_lease(rig)
    assert await _lease_owner(rig, transaction_id) is None


async def test_a_word_that_fails_hides_nothing(rig: Rig):
    transaction_id, _ = await _call_under_way(rig, "post")
    away = _Away(rig.store, ValueError("a defect"), 1)
    assert not await say_closed(away, rig.parts.tools, await _row(rig, transaction_id))
    assert away.asked == 1
    rig.legacy.gate.set()  # type: ignore[union-attr]
    assert await rig.line.drain(30)
