"""Nobody knows whether a `dispatched` was committed: nothing is sent, and its process says so, in case it was."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.records import StepRecord
from gateway.domain.transaction import Status
from gateway.errors import CommitUnknown
from gateway.transactions.line import Line
from tests.line.rig import Rig, order
from tests.line.split import charge, split_rig


class _Forgetful:
    """A store that loses the answers to `times` commits, after `answered` ones."""

    def __init__(self, store: Any) -> None:
        self._store, self.answered, self.times = store, 0, 0
        self.reads, self.outbox = store.reads, store.outbox

    async def write(self, fn: Callable[[Any], Awaitable[Any]]) -> Any:
        written = await self._store.write(fn)
        if self.answered > 0:
            self.answered -= 1
        elif self.times > 0:
            self.times -= 1
            raise CommitUnknown("the connection ended during COMMIT")
        return written


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """On the database's time, before which no attempt is closed."""
    rig.clock.micros = await rig.store.reads.database_now()
    return rig


@pytest.fixture
def forgetful(rig: Rig) -> _Forgetful:
    return _forgetful_store(rig)


def _forgetful_store(rig: Rig) -> _Forgetful:
    """The store of the rig's process from now on."""
    store = _Forgetful(rig.store)
    rig.line = Line(store, store.reads, rig.parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)
    return store


async def _step(rig: Rig, transaction_id: str) -> StepRecord:
    return (await rig.store.reads.steps(transaction_id))[-1]


async def _another_sends_it(rig: Rig, transaction_id: str, *, calls: int = 1) -> None:
    heir = await rig.another_process("prc_2")
    for seconds in (16.0, 2.0, 118.0, 2.0):
        await heir.until(seconds)
    assert (await rig.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (calls, 1)


async def test_what_was_accepted_unsure_is_sent_by_another_without_asking_a_person(rig: Rig, forgetful: _Forgetful):
    forgetful.times = 1
    with pytest.raises(CommitUnknown):
        await rig.send(order())
    assert await rig.line.drain(30)
    again = await rig.send(order())
    assert again.replayed
    transaction_id = again.transaction.transaction_id
    assert "dispatched" in await rig.kinds(transaction_id)
    assert (await _step(rig, transaction_id)).closed_at is not None
    assert rig.legacy.calls == 0
    job = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job is not None
    assert job.lease_owner is None, "nobody need wait for the end of the lease"
    await _another_sends_it(rig, transaction_id)


async def test_a_caller_does_not_wait_for_the_word(rig: Rig, forgetful: _Forgetful):
    """The store that lost the answer may stay away for long."""
    forgetful.times = 2  # the answer to the word too: it is said once more
    with pytest.raises(CommitUnknown):
        await rig.send(order())
    (waiting,) = rig.line._tasks
    assert not waiting.done()
    assert await rig.line.drain(30)


async def test_what_a_worker_was_to_send_unsure_is_sent_by_another(rig: Rig, forgetful: _Forgetful):
    transaction_id = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    forgetful.answered, forgetful.times = 1, 1
    await rig.line.work(1)
    assert await rig.line.drain(30)
    assert (await rig.record(transaction_id)).status is Status.DISPATCHED
    assert (await _step(rig, transaction_id)).closed_at is not None
    assert rig.legacy.calls == 0
    await _another_sends_it(rig, transaction_id)


async def test_what_was_to_be_sent_again_unsure_is_sent_by_another(rig: Rig, forgetful: _Forgetful):
    rig.legacy.script = ["down"]
    transaction_id = (await rig.send(order())).transaction.transaction_id
    assert await rig.line.drain(30)
    assert (await _step(rig, transaction_id)).state == "not_sent"
    rig.clock.forward(60.0)
    forgetful.answered, forgetful.times = 1, 1
    await rig.line.work(1)
    assert await rig.line.drain(30)
    step = await _step(rig, transaction_id)
    assert (step.state, step.attempt) == ("dispatched", 2)
    assert step.closed_at is not None
    await _another_sends_it(rig, transaction_id, calls=2)


async def test_where_nothing_was_to_be_sent_nothing_is_said(rig: Rig, forgetful: _Forgetful):
    forgetful.times = 1
    with pytest.raises(CommitUnknown):
        await rig.send(order(), queueing=RESPOND_ASYNC)
    assert not rig.line._tasks


async def test_the_next_leg_that_was_to_be_sent_unsure_is_sent_by_another(store: Any):
    rig = await split_rig(store)
    rig.clock.micros = await store.reads.database_now()
    forgetful = _forgetful_store(rig)
    forgetful.answered, forgetful.times = (
        1,
        1,
    )  # it is the second commit that has a leg posted and the next dispatched
    transaction_id = (await rig.send(charge(), "journal_entries")).transaction.transaction_id
    assert await rig.line.drain(30)
    step = await _step(rig, transaction_id)
    assert (step.step, step.state) == (2, "dispatched")
    assert step.closed_at is not None
    assert (len(rig.cloud.book), rig.legacy.calls) == (1, 0)
    await _another_sends_it(rig, transaction_id)
    assert len(rig.cloud.book) == 1
