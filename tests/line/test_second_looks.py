"""A document that was sent again and stands in the ERP twice after all does not stay unseen."""

from __future__ import annotations

import json

import pytest

from adapters.errors import NotSent
from adapters.port import FoundDocument, Posting
from gateway.domain.entries import EntryKind
from gateway.domain.sweeps import Finding
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.ledger.state.audit import audit_state
from gateway.transactions import second_looks
from gateway.transactions.second_looks import LOOK_BACK_S, LOOKS, MOST, ROUND_S, TWICE_AGAIN_S, SecondLooks
from tests.line.by_hand import reverse, show
from tests.line.documents import customer, journal_entry
from tests.line.newcomers import bring, customer_record, held_by
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
    rig.clock.forward(LONGEST_S * 10_000)
    assert await found(sweep_of(rig)) == {Finding.POSTED_TWICE: 1}, "by another process too, long after"
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


async def test_it_is_shown_until_what_is_too_much_is_undone(rig: Rig) -> None:
    one = await sent_again(rig, entry=True)
    rig.legacy.post_what_was_late()
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S * 2)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}
    entries = await rig.kinds(one)
    reverse(rig.legacy, rig.legacy.book[-1])
    rig.clock.forward(TWICE_AGAIN_S - 1)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}, "it is not asked in each sweep"
    rig.clock.forward(2)
    assert await found(sweep) == {}
    before = rig.legacy.inquiries
    for _ in range(3):
        rig.clock.forward(TWICE_AGAIN_S * 2)
        assert await found(sweep) == {}
    assert rig.legacy.inquiries - before == 1, "only the second of the three looks is left"
    assert await rig.kinds(one) == entries
    assert await audit_state(rig.store.reads, rig.parts.tools.commitment_key) == []


async def test_an_answer_that_leaves_one_out_is_believed_when_it_is_repeated(rig: Rig) -> None:
    await sent_again(rig)
    sweep = sweep_of(rig)
    rig.legacy.post_what_was_late()
    rig.clock.forward(LONGEST_S * 1.1)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}
    left_out = rig.legacy.book.pop()
    rig.clock.forward(TWICE_AGAIN_S + 1)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}, "nothing shows that it was undone"
    rig.legacy.book.append(left_out)
    rig.clock.forward(TWICE_AGAIN_S + 1)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}
    rig.legacy.book.pop()
    for expected in ({Finding.POSTED_TWICE: 1}, {}):
        rig.clock.forward(TWICE_AGAIN_S + 1)
        assert await found(sweep) == expected


async def test_a_row_that_cannot_be_read_keeps_back_nothing_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await sent_again(rig)
    rig.legacy.post_what_was_late()
    rig.clock.forward(LONGEST_S * 1.1)

    async def unreadable(*_: object) -> None:
        raise KeyError("documentId")

    with monkeypatch.context() as patched:
        patched.setattr(second_looks, "posting_of", unreadable)
        assert await found(sweep_of(rig)) == {}, "the sweep ends as ever"
    assert await found(sweep_of(rig)) == {Finding.POSTED_TWICE: 1}


async def test_one_whose_payload_is_erased_cannot_be_asked_and_is_not_shown_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent_again(rig)
    rig.legacy.post_what_was_late()
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S * 2)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}

    async def erased(*_: object) -> None:
        raise Problem("not-found", "the payload was erased")

    monkeypatch.setattr("gateway.transactions.second_looks.posting_of", erased)
    rig.clock.forward(TWICE_AGAIN_S * 2)
    assert await found(sweep) == {}


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


@pytest.mark.parametrize("first", ["busy", "down", "wrong_password"])
async def test_what_certainly_was_not_sent_before_is_not_looked_at(rig: Rig, first: str) -> None:
    rig.legacy.script = [first] * 3
    one = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    for _ in range(5):
        await rig.until(60)
    assert (await rig.record(one)).status is Status.POSTED
    sweep = sweep_of(rig)
    for _ in range(20):
        rig.clock.forward(LONGEST_S * 10)
        assert await found(sweep) == {}
    assert (rig.legacy.calls, rig.legacy.inquiries) == (4, 0)


async def test_what_was_unknown_before_it_was_not_sent_is_looked_at(rig: Rig) -> None:
    """The attempt right before the one that posts was certainly not sent; the one before that may yet be executed."""
    rig.legacy.script = ["late", "down", "down"]
    one = (await rig.send(order())).transaction.transaction_id
    await rig.settle()
    for _ in range(20):
        await rig.until(20)
    assert (await rig.record(one)).status is Status.POSTED
    rig.legacy.post_what_was_late()
    rig.clock.forward(LONGEST_S)
    assert await found(sweep_of(rig)) == {Finding.POSTED_TWICE: 1}


async def test_no_system_waits_for_the_inquiries_of_another(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.transactions.second_looks.MOST", 1)
    for number in range(3):
        await sent_again(rig, f"{10248 + number}")
    rig.cloud.script = ["late"]
    one = (await rig.send(order("C-1", businessUnit="Western", geography="US"))).transaction.transaction_id
    await rig.settle()
    for _ in range(15):
        await rig.until(10)
    assert (await rig.record(one)).status is Status.POSTED
    before = rig.legacy.inquiries, rig.cloud.inquiries
    rig.cloud.post_what_was_late()
    rig.clock.forward(LONGEST_S)
    assert await found(sweep_of(rig)) == {Finding.POSTED_TWICE: 1}
    assert (rig.legacy.inquiries - before[0], rig.cloud.inquiries - before[1]) == (1, 1)


async def test_one_that_is_never_answered_keeps_back_none_of_the_others(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        await sent_again(rig, f"{10248 + number}")
    rig.legacy.post_what_was_late()
    first = rig.legacy.seen[0].external_reference
    inquire, errors = rig.legacy.inquire, iter([NotSent("locked", code="423"), KeyError("a defect of the driver")])

    async def never(posting: Posting) -> tuple[FoundDocument, ...]:
        if posting.external_reference == first:
            raise next(errors, NotSent("locked", code="423"))
        return await inquire(posting)

    monkeypatch.setattr(rig.legacy, "inquire", never)
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S)
    assert await found(sweep) == {}
    assert await found(sweep) == {Finding.POSTED_TWICE: 2}
    assert capsys.readouterr().out.count("second_look_") == 2
    monkeypatch.undo()
    assert await found(sweep) == {Finding.POSTED_TWICE: 3}


async def test_one_that_is_not_answered_for_a_day_is_given_up_and_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await sent_again(rig)
    monkeypatch.setattr(rig.legacy, "inquire", _down)
    sweep = sweep_of(rig)
    rig.clock.forward(LONGEST_S)
    for _ in range(3):
        await found(sweep)
        rig.clock.forward(LOOK_BACK_S / 2)
    for _ in range(3):
        await found(sweep)
        rig.clock.forward(LOOK_BACK_S)
    await found(sweep)
    told = capsys.readouterr().out
    assert told.count("second_look_given_up") == len(LOOKS)
    monkeypatch.undo()
    before = rig.legacy.inquiries
    await found(sweep)
    assert rig.legacy.inquiries == before


async def test_slow_answers_end_a_round(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        await sent_again(rig, f"{10248 + number}")
    inquire, asked = rig.legacy.inquire, []

    async def slow(posting: Posting) -> tuple[FoundDocument, ...]:
        asked.append(posting)
        rig.clock.forward(ROUND_S * 0.6)
        return await inquire(posting)

    monkeypatch.setattr(rig.legacy, "inquire", slow)
    looks = SecondLooks(rig.store, rig.store.reads, lambda: rig.parts)
    rig.clock.forward(LONGEST_S)
    await looks.look()
    assert len(asked) == 2
    await looks.look()
    assert len(asked) == 4


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
    assert await looks.twice(9) == set()
    await looks.look()
    assert len(await looks.twice(9)) == 1


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
    assert counts == [2, 2, 1, 0]
    assert MOST > 2
    assert len(await looks.twice(9)) == 5


async def test_a_customer_that_was_taken_back_is_not_shown_once_both_are_blocked(rig: Rig) -> None:
    rig.cloud.script = ["late", "post"] + ["down"] * 1_000
    await bring(rig)
    for _ in range(30):
        await rig.until(10)
    rig.cloud.post_what_was_late()
    assert held_by(rig, "customers") == [True, True]
    sweep = sweep_of(rig)
    assert await found(sweep) == {Finding.POSTED_TWICE: 1}
    rig.cloud.script = ["reject"]
    await rig.until(60)
    assert (await customer_record(rig)).status is Status.COMPENSATED
    assert held_by(rig, "customers") == [False, True]
    show(rig.cloud, rig.cloud.book[-1], cancelled=True)
    rig.clock.forward(TWICE_AGAIN_S * 2)
    assert await found(sweep) == {}
