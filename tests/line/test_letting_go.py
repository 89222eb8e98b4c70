"""Who is done with a job and cannot say what came of it gives it back, and no process that came too late acts on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.sweeps import AGAIN_AND_AGAIN, Finding
from gateway.domain.transaction import Status
from gateway.errors import CommitUnknown, StoreUnavailable
from gateway.store.store import Store
from gateway.transactions.line import Line
from tests.line.by_hand import in_two_currencies, reverse, show
from tests.line.dead_ends import approve, ask, named, the_one
from tests.line.rig import Rig, order
from tests.line.split import split_rig
from tests.line.test_failed_jobs import job_of, worked
from tests.line.test_sweep import forget_job, found, sweep_of


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """On the database's time, before which no attempt is closed."""
    rig.clock.micros = await rig.store.reads.database_now()
    return rig


class _Full:
    """A store that takes no entries any more, while its jobs are well: no space for the one table, or a bad page."""

    def __init__(self, store: Any) -> None:
        self._store, self.is_full = store, False
        self.reads, self.outbox = store.reads, store.outbox

    async def write(self, fn: Callable[[Any], Awaitable[Any]]) -> Any:
        return await self._store.write(lambda unit: fn(_NoEntries(unit) if self.is_full else unit))


class _NoEntries:
    def __init__(self, unit: Any) -> None:
        self._unit = unit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def insert_entries(self, _records: Any) -> None:
        raise StoreUnavailable("no space left")


def _line_on(rig: Rig, store: Any) -> None:
    rig.line = Line(store, store.reads, rig.parts, events_left=lambda: None, jobs_due=lambda: None, rules=rig.rules)


async def test_what_the_store_does_not_take_is_looked_at_later_and_later(rig: Rig) -> None:
    full = _Full(rig.store)
    _line_on(rig, full)
    rig.legacy.script = ["lost_call"]
    one = (await rig.send(order())).transaction.transaction_id
    assert await rig.line.drain(30)
    assert (await rig.record(one)).status is Status.UNKNOWN
    full.is_full = True
    for _ in range(600):
        rig.clock.forward(1.0)
        await worked(rig)
    assert rig.legacy.inquiries < 30
    assert (await job_of(rig, one)).tries >= AGAIN_AND_AGAIN
    full.is_full = False
    for _ in range(3):
        await rig.until(101.0)
    assert (await rig.record(one)).status is Status.POSTED


async def test_it_comes_before_a_person_though_the_store_is_to_blame(rig: Rig) -> None:
    one = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    full = _Full(rig.store)
    _line_on(rig, full)
    full.is_full = True
    sweep = sweep_of(rig)
    seen: dict[Finding, int] = {}
    for _ in range(30):
        rig.clock.forward(60)
        await worked(rig)
        seen |= await found(sweep)
    assert seen == {Finding.ACCEPTED_LONG: 1}
    assert (await rig.record(one)).exception_id is not None


class _LosesOneAnswer:
    """A store that loses the answer to the next commit."""

    def __init__(self, store: Any) -> None:
        self._store, self.loses = store, True
        self.reads, self.outbox = store.reads, store.outbox

    async def write(self, fn: Callable[[Any], Awaitable[Any]]) -> Any:
        written = await self._store.write(fn)
        if self.loses:
            self.loses = False
            raise CommitUnknown("the connection ended during COMMIT")
        return written


async def test_jobs_of_a_claim_that_nobody_knows_of_are_free_again(rig: Rig) -> None:
    names = [f"1024{digit}" for digit in range(5)]
    ids = [(await rig.send(order(name), queueing=RESPOND_ASYNC)).transaction.transaction_id for name in names]
    _line_on(rig, _LosesOneAnswer(rig.store))
    with pytest.raises(CommitUnknown):
        await rig.line.work()
    assert await rig.line.drain(30)
    assert {(await job_of(rig, one)).lease_owner for one in ids} == {None}
    assert rig.line.jobs_under_way == 0
    rig.clock.forward(1.0)
    await worked(rig)
    assert {(await rig.record(one)).status for one in ids} == {Status.POSTED}


async def test_who_still_asks_while_the_sweep_puts_the_job_back_sends_nothing(rig: Rig) -> None:
    """Claims raise the epoch without a step: one more than that of the newest step may be a living process's own."""
    rig.legacy.script = ["lost_call"]
    one = (await rig.send(order())).transaction.transaction_id
    assert await rig.line.drain(30)
    await rig.until(2.0)
    assert rig.legacy.inquiries == 1
    rig.clock.forward(102.0)
    true_inquire, asked, answers = rig.legacy.inquire, asyncio.Event(), asyncio.Event()

    async def slow(posting: Any) -> Any:
        hits = await true_inquire(posting)
        asked.set()
        await answers.wait()
        return hits

    rig.legacy.inquire = slow  # type: ignore[method-assign]
    assert await rig.line.work() == 1
    await asyncio.wait_for(asked.wait(), 30)
    rig.legacy.inquire = true_inquire  # type: ignore[method-assign]
    await forget_job(rig, one)
    heir = await rig.another_process("prc_2")
    rig.clock.forward(70.0)
    assert await found(sweep_of(heir)) == {Finding.JOB_MISSING: 1}
    heir.legacy.gate = asyncio.Event()
    heir.legacy.arrived.clear()
    assert await heir.line.work() == 1
    await asyncio.wait_for(heir.legacy.arrived.wait(), 30)
    calls = rig.legacy.calls
    answers.set()
    await asyncio.wait({*rig.line._jobs}, timeout=30)
    assert rig.legacy.calls == calls
    heir.legacy.gate.set()
    assert await heir.line.drain(30)
    assert len(rig.legacy.book) == 1
    assert (await rig.record(one)).status is Status.POSTED


@pytest.mark.parametrize("preparation_s", [0.0, 8.0])
async def test_the_lease_covers_what_is_read_before_the_first_byte_that_posts(rig: Rig, preparation_s: float) -> None:
    systems = {
        name: replace(one, policy=replace(one.policy, preparation_s=preparation_s))
        for name, one in rig.parts.systems.items()
    }
    rig.parts = replace(rig.parts, systems=systems)
    _line_on(rig, rig.store)
    made = (await rig.send(order())).transaction
    await rig.settle()
    true_change = rig.legacy.change

    async def slow_to_read(posting: Any, permit: Any) -> Any:
        rig.clock.forward(6.0)  # the rig's margin is 5 s
        return await true_change(posting, permit)

    rig.legacy.change = slow_to_read  # type: ignore[method-assign]
    changed = await rig.change(made.document_id, {"requestedDeliveryDate": "1996-08-01"}, wait_s=0.0)
    assert await rig.line.drain(30)
    status = (await rig.record(changed.transaction.transaction_id)).status
    assert status is (Status.POSTED if preparation_s else Status.DISPATCHED)


async def test_a_reversal_that_a_person_undid_unsure_lets_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    split = await split_rig(store)
    split.clock.micros = await store.reads.database_now()
    made = (await split.send(in_two_currencies(), "journal_entries")).transaction
    await split.settle()
    split.cloud.script = ["reject"]
    undone = (await split.reverse(made.document_id, "journal_entries")).transaction
    await the_one(split)
    original = split.cloud.book[1]
    mirror = reverse(split.cloud, original)
    show(split.cloud, mirror, external_reference=original.external_reference)
    asked = await ask(split, "mark_posted", **named(mirror))
    write = split.store.write
    lost: list[str] = []

    async def forgetful(fn: Callable[[Any], Awaitable[Any]]) -> Any:
        written = await write(fn)
        if not lost and await write(lambda unit: unit.job(undone.transaction_id)) is not None:
            lost.append("the answer to this commit")
            raise CommitUnknown("lost")
        return written

    with monkeypatch.context() as patched:
        patched.setattr(split.store, "write", forgetful)
        with pytest.raises(CommitUnknown):
            await approve(split, asked)
    assert lost
    job = await write(lambda unit: unit.job(undone.transaction_id))
    assert job is not None
    assert job.lease_owner is None
