"""A refused undo that a person did in the ERP: it counts where the ERP shows it, and the plan goes on once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adapters.errors import NotSent
from gateway.domain.exceptions import ExceptionRecord
from gateway.domain.identity import external_reference
from gateway.domain.transaction import Status
from gateway.errors import StoreUnavailable
from gateway.exceptions.asking import Moved
from tests.line.acts import ANN
from tests.line.asking import refused
from tests.line.by_hand import audited, in_two_currencies, reverse, show, stuck
from tests.line.dead_ends import EVERYTHING, approve, ask, both, exceptions, named, the_one
from tests.line.documents import customer
from tests.line.newcomers import bring, customer_record, held_by
from tests.line.rig import Rig
from tests.line.split import charge, split_rig, standing


@pytest.fixture
async def split(store: Any) -> Rig:
    return await split_rig(store)


async def test_a_leg_that_was_reversed_by_hand_counts_as_undone(split: Rig) -> None:
    transaction_id = await stuck(split)
    [leg] = split.cloud.book
    mirror = reverse(split.cloud, leg, posting_date=date(1996, 8, 2))
    calls = split.cloud.calls
    asked = await ask(split, "mark_posted", **named(mirror))
    assert asked.move.state == "asked"
    assert (await refused(approve(split, asked, ANN))).slug == "policy-check-failed"
    assert (await split.record(transaction_id)).status is Status.IN_DOUBT
    moved = await approve(split, asked)
    assert (moved.move.state, moved.move.result) == ("done", "posted")
    record = await split.record(transaction_id)
    assert (record.status, split.cloud.calls, standing(split.cloud)) == (Status.COMPENSATED, calls, 0)
    [shown, _] = json.loads(record.legs or "")
    assert shown["undo"] == {
        "status": "posted",
        "erpReference": external_reference(transaction_id, 1, "undo"),
        "erpNumber": {
            "systemId": "cloud-main",
            "documentType": mirror.number.document_type,
            "documentNumber": mirror.number.document_number,
        },
        # the day that the person chose
        "postingDate": "1996-08-02",
        "movedFromPostingDate": "1996-07-04",
    }
    kinds = await split.kinds(transaction_id)
    assert kinds[kinds.index("exception_opened") :] == (
        "exception_opened exception_moved exception_moved exception_moved inquired compensating posted compensated "
        "linked linked pin_released pin_released exception_moved".split()
    )
    # what is left is the refusal that began it, as after any undo
    opened = await the_one(split)
    assert (opened.reason_code, opened.state) == ("rejected-by-erp", "open")
    again = await split.send(charge(), "journal_entries", replaces=transaction_id, wait_s=5.0)
    assert again.transaction.status is Status.POSTED
    assert await audited(split) == []


async def test_a_wrong_reversal_beside_it_is_no_reversal(split: Rig) -> None:
    transaction_id = await stuck(split)
    [leg] = split.cloud.book
    wrong = reverse(split.cloud, leg, currency_code="EUR")
    problem = await refused(both(split, "mark_posted", **named(wrong)))
    assert problem.remedy.startswith(f"undo journal_entrie {wrong.number.document_number} in the ERP; then retry, or ")
    whole = reverse(split.cloud, leg)
    show(split.cloud, leg, also_reversed_by=(whole.number.document_number,), reversed_by=wrong.number.document_number)
    either = f"{wrong.number.document_number} or {whole.number.document_number}"
    assert (await refused(both(split, "retry"))).remedy == f"mark_posted with {either}"
    assert (await both(split, "mark_posted", **named(whole))).move.state == "done"
    assert (await split.record(transaction_id)).status is Status.COMPENSATED
    assert await audited(split) == []


@pytest.mark.parametrize("ours", [False, True])
async def test_the_ledger_says_how_it_was_found(split: Rig, ours: bool) -> None:
    """`ours`: it carries the reference of the undo; else the number alone led to it."""
    transaction_id = await stuck(split)
    mirror = reverse(split.cloud, split.cloud.book[0])
    if ours:
        show(split.cloud, mirror, external_reference=external_reference(transaction_id, 1, "undo"))
    await both(split, "mark_posted", **named(mirror))
    told = [json.loads(one.body) for one in await split.entries(transaction_id)]
    undo = {one["kind"]: one for one in told if one.get("direction") == "undo"}
    assert undo["inquired"]["hits"] == int(ours)
    assert undo["posted"].get("foundByInquiry") is (True if ours else None)
    assert undo["posted"]["erp"]["documentNumber"] == mirror.number.document_number
    assert await audited(split) == []


async def test_the_older_legs_are_undone_by_the_gateway_then(split: Rig) -> None:
    transaction_id = await stuck(split, in_two_currencies(), cloud=2, legacy=1)
    moved = await both(split, "mark_posted", **named(reverse(split.cloud, split.cloud.book[-1])))
    assert (moved.move.state, moved.exception.move_id) == ("done", None)
    assert (await split.record(transaction_id)).status is Status.COMPENSATING
    assert await audited(split) == []
    await split.settle()
    assert (await split.record(transaction_id)).status is Status.COMPENSATED
    assert (standing(split.cloud), standing(split.legacy)) == (0, 0)
    entries = [json.loads(one.body) for one in await split.entries(transaction_id)]
    undone = [(one["kind"], one["step"]) for one in entries if one.get("direction") == "undo"]
    assert undone[-6:] == [
        ("inquired", 3),
        ("posted", 3),
        ("dispatched", 2),
        ("posted", 2),
        ("dispatched", 1),
        ("posted", 1),
    ]
    assert await audited(split) == []


async def test_a_reversal_goes_on_with_its_later_parts(split: Rig) -> None:
    made = (await split.send(in_two_currencies(), "journal_entries")).transaction
    await split.settle()
    split.cloud.script = ["reject"]
    undone = (await split.reverse(made.document_id, "journal_entries")).transaction
    opened = await the_one(split)
    assert (opened.system_id, opened.cause) == ("cloud-main", "step-2")
    original = split.cloud.book[1]
    mirror = reverse(split.cloud, original)
    # some ERPs copy the reference of what is reversed
    show(split.cloud, mirror, external_reference=original.external_reference)
    split.legacy.gate = asyncio.Event()
    moved = await asyncio.wait_for(both(split, "mark_posted", **named(mirror)), 60)
    assert moved.move.state == "done", "nobody waits for the next part, which is being sent"
    assert undone.transaction_id in split.line.busy_with
    assert not await split.line.drain(0.0), "whoever stops the process waits for it"
    split.legacy.gate.set()
    await split.settle()
    closed = await split.store.reads.exception(opened.exception_id, EVERYTHING)
    assert (closed.state, closed.outcome) == ("closed", "posted")
    assert (await split.record(undone.transaction_id)).status is Status.POSTED
    assert (await split.document(made.document_id)).state == "reversed"
    assert (standing(split.cloud), standing(split.legacy)) == (0, 0)
    assert await audited(split) == []


@pytest.mark.parametrize("can", [True, False])
async def test_a_customer_that_was_blocked_by_hand_counts_as_taken_back(rig: Rig, can: bool) -> None:
    """`can`: whether the gateway could have blocked it there itself."""
    rig.cloud.takes_back = can
    undo = await _unblocked(rig)
    made, calls = rig.cloud.book[0], rig.cloud.calls
    show(rig.cloud, made, cancelled=True)
    asked = await ask(rig, "mark_posted", of=undo, **named(made))
    assert (asked.move.state, (await customer_record(rig)).status) == ("asked", Status.IN_DOUBT)
    await approve(rig, asked)
    new = await customer_record(rig)
    assert (new.status, rig.cloud.calls, held_by(rig, "customers")) == (Status.COMPENSATED, calls, [False])
    assert await rig.store.write(lambda unit: unit.numbers_in([new.document_id], "cloud-main")) == {}
    [closed] = await exceptions(rig, reason_code="undo-refused")
    assert (closed.state, closed.outcome, closed.move_id) == ("closed", "compensated", None)
    assert await audited(rig) == []


async def _unblocked(rig: Rig) -> ExceptionRecord:
    """An order came to nothing, and its customer could not be taken back."""
    rig.cloud.script = ["post", "reject", "reject"]
    await bring(rig)
    [undo] = await exceptions(rig, state="open", reason_code="undo-refused")
    return undo


async def test_a_death_between_the_look_and_the_commit_undoes_nothing_twice(
    split: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction_id = await stuck(split)
    asked = await ask(split, "mark_posted", **named(reverse(split.cloud, split.cloud.book[0])))
    calls = split.cloud.calls
    await _killed_before_the_commit(split, asked, monkeypatch)
    # nobody goes on with it by itself
    await split.until(600.0)
    assert (split.cloud.calls, (await split.record(transaction_id)).status) == (calls, Status.IN_DOUBT)
    heir = await split.another_process("prc_2")
    split.liveness.ended.add("prc_1")
    assert (await approve(heir, asked)).move.state == "done"
    assert (await approve(heir, asked)).replayed
    await heir.until(600.0)
    assert (split.cloud.calls, standing(split.cloud)) == (calls, 0)
    assert (await heir.kinds(transaction_id)).count("compensated") == 1
    assert await audited(heir) == []


async def _killed_before_the_commit(rig: Rig, asked: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone after it looked into the ERP, in the unit that would have written down what it saw."""
    write, inquire = rig.store.write, rig.cloud.inquire
    looked: list[bool] = []

    async def looking(posting: Any) -> Any:
        looked.append(True)
        return await inquire(posting)

    async def dying(fn: Any) -> Any:
        async def half(unit: Any) -> Any:
            done = await fn(unit)
            if looked:
                raise StoreUnavailable("killed")
            return done

        return await write(half)

    with monkeypatch.context() as patched:
        patched.setattr(rig.cloud, "inquire", looking)
        patched.setattr(rig.store, "write", dying)
        with pytest.raises(StoreUnavailable):
            await approve(rig, asked)
    assert looked


@pytest.mark.parametrize("what", ["another move", "another attempt"])
async def test_what_changed_since_the_look_makes_it_worthless(
    split: Rig, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    transaction_id = await stuck(split)
    number = named(reverse(split.cloud, split.cloud.book[0]))
    asked = await ask(split, "mark_posted", **number)
    inquire = split.cloud.inquire

    async def tried_again(unit: Any) -> None:
        undo = next(one for one in await unit.steps(transaction_id) if one.direction == "undo")
        await unit.update_step(replace(undo, attempt=undo.attempt + 1))

    async def meanwhile(posting: Any) -> Any:
        if what == "another move":
            await ask(split, "mark_posted", reason="with another reason", **number)
        else:
            await split.store.write(tried_again)
        return await inquire(posting)

    with monkeypatch.context() as patched:
        patched.setattr(split.cloud, "inquire", meanwhile)
        assert (await refused(approve(split, asked))).slug == "stale"
    assert (await split.record(transaction_id)).status is Status.IN_DOUBT


async def test_a_customer_that_somebody_wants_meanwhile_is_not_taken_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = await _unblocked(rig)
    made = rig.cloud.book[0]
    show(rig.cloud, made, cancelled=True)
    read = rig.cloud.read

    async def meanwhile(number: Any) -> Any:
        await rig.send(customer(), "customers")
        return await read(number)

    with monkeypatch.context() as patched:
        patched.setattr(rig.cloud, "read", meanwhile)
        assert (await refused(both(rig, "mark_posted", of=undo, **named(made)))).slug == "stale"
    assert (await customer_record(rig)).status is Status.POSTED


async def test_an_erp_that_does_not_answer_leaves_the_move_to_be_made_later(
    split: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction_id = await stuck(split)
    asked = await ask(split, "mark_posted", **named(reverse(split.cloud, split.cloud.book[0])))

    for what in ("read", "inquire"):
        with monkeypatch.context() as patched:
            patched.setattr(split.cloud, what, _away)
            assert (await refused(approve(split, asked))).slug == "erp-unavailable"
    await approve(split, asked)
    assert (await split.record(transaction_id)).status is Status.COMPENSATED


async def _away(_asked: object) -> None:
    raise NotSent("connection refused")


async def test_a_retry_does_not_reverse_what_the_erp_shows_as_reversed(
    split: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction_id = await stuck(split)
    mirror, calls = reverse(split.cloud, split.cloud.book[0]), split.cloud.calls
    problem = await refused(both(split, "retry"))
    hint = f"mark_posted with {mirror.number.document_number}"
    assert (problem.slug, problem.remedy) == ("policy-check-failed", hint)
    await split.settle()
    assert (split.cloud.calls, (await split.record(transaction_id)).status) == (calls, Status.IN_DOUBT)
    assert (await the_one(split)).move_id is None
    # what the ERP does not answer tells nothing
    with monkeypatch.context() as patched:
        patched.setattr(split.cloud, "read", _away)
        await both(split, "retry")
    await split.settle()
    assert split.cloud.calls == calls + 1
