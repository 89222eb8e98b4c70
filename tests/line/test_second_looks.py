"""A document that was sent again and stands in the ERP twice after all does not stay unseen."""

from __future__ import annotations

import json

import pytest

from adapters.errors import NotSent
from gateway.domain.entries import EntryKind
from gateway.domain.sweeps import Finding
from gateway.domain.transaction import Status
from gateway.ledger.state.audit import audit_state
from gateway.transactions.second_looks import LOOKS, MOST, SecondLooks
from tests.line.by_hand import reverse, show
from tests.line.documents import customer, journal_entry
from tests.line.rig import Rig, order
from tests.line.test_sweep import found, sweep_of

LONGEST_S = 100.0
"""Of the rig's systems."""


async def sent_again(rig: Rig, number: str = "10248", *, entry: bool = False) -> str:
    """An order whose first call is not executed within the longest execution, so that a second one posts it. `entry`: a
    journal entry instead, which an ERP reverses by another one."""
    rig.legacy.script = ["late"]
    sent = await (rig.send(journal_entry(), "journal_entries") if entry else rig.send(order(number)))
    one = sent.transaction.transaction_id
    await rig.settle()
    for _ in range(30):
        if (await rig.record(one)).status is Status.POSTED:
            break
        await rig.until(10)
    assert (await rig.record(one)).status is Status.POSTED
    (step,) = await rig.store.reads.steps(one)
    assert step.attempt == 2
    return one


@pytest.mark.parametrize("executions", LOOKS)
async def test_a_second_posting_is_found_and_told_once(rig: Rig, executions: int) -> None:
    one = await sent_again(rig)
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S * (executions * 0.8))
    assert await found(sweep) == {}, "it is there once"
    rig.legacy.post_what_was_late()
    assert len(rig.legacy.book) == 2
    rig.clock.forward(LONGEST_S * executions)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}
    last = (await rig.entries(one))[-1]
    assert last.kind == EntryKind.INQUIRED.value
    assert json.loads(last.body)["hits"] == 2
    record = await rig.record(one)
    assert record.status is Status.POSTED
    assert record.entry_count == len(await rig.entries(one))
    rig.clock.forward(LONGEST_S * 200)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}, "it stays shown"
    assert len(await rig.entries(one)) == record.entry_count
    assert rig.legacy.calls == 2
    assert await audit_state(rig.store.reads, rig.parts.tools.commitment_key) == []


async def test_what_was_reversed_by_hand_is_not_there_twice(rig: Rig) -> None:
    one = await sent_again(rig, entry=True)
    [posted] = rig.legacy.book
    # some ERPs copy the reference of what is reversed
    show(rig.legacy, reverse(rig.legacy, posted), external_reference=posted.external_reference)
    entries, before = len(await rig.entries(one)), rig.legacy.inquiries
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S * 2)
    assert await found(sweep) == {}
    assert (rig.legacy.inquiries - before, len(await rig.entries(one))) == (1, entries)
    rig.legacy.post_what_was_late()
    rig.clock.forward(LONGEST_S * 10)
    assert await found(sweep) == {}, "one of the two stands"


async def test_a_new_customer_that_is_there_twice_is_though_both_are_blocked(rig: Rig) -> None:
    rig.legacy.script, rig.cloud.script = ["late"], ["late"]
    one = (await rig.send(customer(), "customers")).transaction.transaction_id
    await rig.settle()
    await rig.until(110.0)
    assert (await rig.record(one)).status is Status.POSTED
    sweep = sweep_of(rig)
    for erp in (rig.legacy, rig.cloud):
        erp.post_what_was_late()
        for there in list(erp.book):
            show(erp, there, cancelled=True)
    assert len(rig.legacy.book) + len(rig.cloud.book) == 2
    rig.clock.forward(LONGEST_S)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}


async def test_what_stands_there_once_gets_no_entry_and_is_looked_at_as_often_as_is_said(rig: Rig) -> None:
    one = await sent_again(rig)
    entries, before = len(await rig.entries(one)), rig.legacy.inquiries
    sweep = sweep_of(rig)
    for _ in range(30):
        rig.clock.forward(LONGEST_S * 5)
        assert await found(sweep) == {}
    assert rig.legacy.inquiries - before == len(LOOKS)
    assert len(await rig.entries(one)) == entries


async def test_what_was_sent_once_is_not_looked_at(rig: Rig) -> None:
    await rig.send(order())
    await rig.settle()
    sweep = sweep_of(rig)
    for _ in range(20):
        rig.clock.forward(LONGEST_S * 10)
        await sweep.sweep()
    assert rig.legacy.inquiries == 0


async def _down(_: object) -> None:
    raise NotSent("connection refused")


async def test_a_system_that_does_not_answer_is_asked_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await sent_again(rig)
    rig.legacy.post_what_was_late()
    looks = SecondLooks(rig.store, rig.store.reads, lambda: rig.parts)
    rig.clock.forward(LONGEST_S)
    with monkeypatch.context() as away:
        away.setattr(rig.legacy, "inquire", _down)
        await looks.look()
    assert looks.twice == set()
    await looks.look()
    assert len(looks.twice) == 1


async def test_many_are_looked_at_by_and_by(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.transactions.second_looks.MOST", 2)
    for number in range(5):
        await sent_again(rig, f"{10248 + number}")
    rig.legacy.post_what_was_late()
    looks = SecondLooks(rig.store, rig.store.reads, lambda: rig.parts)
    rig.clock.forward(LONGEST_S)
    counts = []
    for _ in range(4):
        before = rig.legacy.inquiries
        await looks.look()
        counts.append(rig.legacy.inquiries - before)
    assert max(counts) <= 2 < MOST
    assert sum(counts) >= 5
    assert len(looks.twice) >= 1
