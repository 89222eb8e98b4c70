"""What people do about an exception: believed as far as the ERP confirms it, and by two persons where it is money."""

import json
from dataclasses import replace

import pytest

from adapters.errors import OutcomeUnknown
from gateway.domain.transaction import Status
from gateway.exceptions.owning import Owner, assign, claim
from gateway.transactions.exceptions import open_stuck
from tests.line.acts import ANN, ANNS_SCRIPT, BOB, lay, lift
from tests.line.asking import refused
from tests.line.dead_ends import (
    EVERYTHING,
    approve,
    ask,
    both,
    by_hand,
    desk,
    exceptions,
    left_behind,
    named,
    the_one,
)
from tests.line.rig import SALESFORCE, Rig, invoice, order


async def rejected(rig: Rig, external_id: str = "10248") -> str:
    rig.legacy.script = ["reject"]
    return (await rig.send(order(external_id), wait_s=5.0)).transaction.transaction_id


async def bill(rig: Rig) -> str:
    """An invoice that the ERP refuses."""
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["reject"]
    return (await rig.send(invoice(), "invoices", wait_s=5.0)).transaction.transaction_id


# rejected


async def test_a_refused_document_is_sent_again_as_it_is(rig: Rig):
    transaction_id = await rejected(rig)
    moved = await ask(rig, "retry")
    await rig.settle()
    assert (moved.move.state, moved.exception.state, moved.exception.outcome) == ("done", "closed", "replaced")
    again = await rig.record(moved.exception.replaced_by)
    assert (again.status, again.replaces, again.source) == (Status.POSTED, transaction_id, "salesforce")
    assert (await rig.record(transaction_id)).status is Status.REJECTED
    assert len(rig.legacy.book) == 1


async def test_what_is_sent_again_takes_no_place_of_who_waits_at_a_screen(rig: Rig):
    await rejected(rig)
    calls = rig.legacy.calls
    moved = await ask(rig, "retry")
    assert (moved.move.state, moved.exception.state) == ("done", "closed")
    again = await rig.record(moved.exception.replaced_by)
    job = await rig.store.write(lambda unit: unit.job(again.transaction_id))
    assert (again.status, job.lane, job.lease_owner, rig.legacy.calls) == (Status.ACCEPTED, "standard", None, calls)
    assert "jobs" in rig.woken


async def test_it_is_sent_again_corrected(rig: Rig):
    transaction_id = await rejected(rig)
    body = order(geography="DE")
    moved = await ask(rig, "resubmit", document=body)
    await rig.settle()
    again = await rig.record(moved.exception.replaced_by)
    assert (again.status, again.geography, again.replaces) == (Status.POSTED, "DE", transaction_id)


async def test_a_corrected_document_is_judged_as_any_other(rig: Rig):
    await rejected(rig)
    broken = await refused(ask(rig, "resubmit", document=order() | {"totals": {"netAmount": "1"}}))
    assert broken.slug == "invalid-document"
    other = await refused(ask(rig, "resubmit", document=order("10999")))
    assert (other.slug, other.errors[0].field) == ("invalid-document", "document.externalId")
    lost = await refused(ask(rig, "resubmit", document=order(customer={"externalId": "NOBODY"})))
    assert (lost.slug, lost.errors[0].field) == ("unknown-reference", "document.customer")
    assert (await the_one(rig)).move_id is None
    # the first two are no such document, and were asked for by nobody
    [only] = await rig.store.reads.exception_moves((await the_one(rig)).exception_id)
    assert (only.state, only.result) == ("refused", "unknown-reference")


async def test_a_move_needs_what_it_needs_and_nothing_else(rig: Rig):
    await rejected(rig)
    assert (await refused(ask(rig, "resubmit"))).errors[0].field == "document"
    assert (await refused(ask(rig, "retry", document=order()))).errors[0].field == "document"
    number = await refused(ask(rig, "mark_posted", document_number="1"))
    assert (number.detail, [one.field for one in number.errors]) == (
        "erpDocumentType is needed for mark_posted",
        ["erpDocumentType"],
    )
    assert (
        await refused(ask(rig, "mark_posted", document_type="x", document_number="1"))
    ).slug == "policy-check-failed"


async def test_a_repeat_with_the_key_moves_nothing_twice(rig: Rig):
    await rejected(rig)
    record = await the_one(rig)
    first = await ask(rig, "retry", of=record, key="k")
    again = await ask(rig, "retry", of=record, key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.move == first.move
    await rig.settle()
    assert len(rig.legacy.book) == 1
    assert (await refused(ask(rig, "cancel", of=record, key="k"))).slug == "idempotency-key-reused"
    assert (await refused(ask(rig, "retry", of=record))).slug == "stale"


async def test_what_is_left_at_that_stays_rejected(rig: Rig):
    transaction_id = await rejected(rig)
    moved = await ask(rig, "cancel", reason="ordered twice")
    assert (moved.exception.state, moved.exception.outcome) == ("closed", "cancel")
    assert (await rig.record(transaction_id)).status is Status.REJECTED
    bodies = b"".join(one.body for one in await rig.entries(transaction_id))
    assert b"ordered twice" not in bodies
    assert b'"ann"' not in bodies
    payload = await rig.store.reads.payload(moved.move.payload_id)
    assert json.loads(payload.body)["reason"] == "ordered twice"


async def test_a_child_goes_when_its_parent_was_corrected(rig: Rig):
    rig.legacy.script = ["busy", "reject"]
    await rig.send(order())
    await rig.send(invoice(), "invoices")
    await rig.settle()
    await rig.until(3.0)
    parent, child = sorted(await exceptions(rig), key=lambda one: one.domain == "invoices")
    asked = await ask(rig, "retry", of=child)
    early = await refused(approve(rig, asked))
    assert early.slug == "parent-rejected"
    await ask(rig, "retry", of=parent)
    await rig.settle()
    moved = await both(rig, "retry")
    await rig.settle()
    assert (await rig.record(moved.exception.replaced_by)).status is Status.POSTED
    assert await exceptions(rig, state="open") == []


# two persons


async def test_money_takes_two_persons(rig: Rig):
    await bill(rig)
    asked = await ask(rig, "retry")
    assert (asked.move.state, asked.exception.state) == ("asked", "open")
    assert rig.legacy.calls == 2
    for same in (ANN, ANNS_SCRIPT):
        assert (await refused(approve(rig, asked, same))).slug == "policy-check-failed"
    done = await approve(rig, asked)
    assert (done.move.state, done.exception.outcome) == ("done", "replaced")
    assert done.move.asked_person != done.move.approved_person
    again = await approve(rig, asked)
    assert (again.replayed, again.move) == (True, done.move)


async def test_a_token_without_a_person_moves_nothing(rig: Rig):
    await rejected(rig)
    assert (await refused(ask(rig, "retry", who=SALESFORCE))).slug == "policy-check-failed"


async def test_a_later_request_takes_the_place_of_one_that_nobody_approved(rig: Rig):
    await bill(rig)
    first = await ask(rig, "retry")
    second = await ask(rig, "cancel", who=BOB)
    assert (await refused(approve(rig, first))).slug == "stale"
    done = await approve(rig, second, ANN)
    assert done.exception.outcome == "cancel"
    states = [one.state for one in await rig.store.reads.exception_moves(done.exception.exception_id)]
    assert states == ["done", "replaced"]


async def test_what_changed_since_it_was_read_is_not_moved(rig: Rig):
    await rejected(rig)
    record = await the_one(rig)
    await claim(desk(rig), BOB, EVERYTHING, record.exception_id)
    assert (await refused(ask(rig, "retry", version=record.version))).slug == "stale"
    assert (await ask(rig, "retry", version=record.version + 1)).move.state == "done"


# in doubt


@pytest.mark.parametrize("posted", [True, False])
async def test_a_retry_of_what_is_in_doubt_asks_and_never_sends_blindly(rig: Rig, posted: bool):
    heir, transaction_id = await left_behind(rig, order(), posted=posted)
    calls = rig.legacy.calls
    moved = await ask(heir, "retry")
    assert moved.move.state == "under_way"
    assert (await refused(ask(heir, "retry"))).slug == "in-flight"
    await heir.settle()
    await heir.until(300.0)
    assert rig.legacy.calls == calls
    [record] = await exceptions(heir)
    standing = await heir.record(transaction_id)
    if posted:
        assert (standing.status, record.state, record.outcome) == (Status.POSTED, "closed", "posted")
    else:
        assert (standing.status, record.state, record.cause) == (Status.IN_DOUBT, "open", "sender-not-proven-ended")
        [move] = await rig.store.reads.exception_moves(record.exception_id)
        assert (move.state, move.result) == ("refused", "sender-not-proven-ended")


async def test_a_retry_sends_again_once_its_sender_is_proven_ended(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    rig.liveness.ended.add("prc_1")
    await ask(heir, "retry")
    await heir.settle()
    assert rig.legacy.calls == 1
    await heir.until(90.0)
    assert rig.legacy.calls == 1
    await heir.until(20.0)
    assert (rig.legacy.calls, len(rig.legacy.book)) == (2, 1)
    assert (await heir.record(transaction_id)).status is Status.POSTED
    [record] = await exceptions(heir)
    assert (record.state, record.outcome) == ("closed", "posted")


async def test_a_retry_under_a_hold_comes_back_and_leaves_the_other_moves(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    overlay = await lay(heir, "hold", "orders")
    rig.liveness.ended.add("prc_1")
    await ask(heir, "retry")
    await heir.settle()
    await heir.until(300.0)
    record = await the_one(heir)
    [move] = await rig.store.reads.exception_moves(record.exception_id)
    assert (record.cause, move.state, move.result) == ("held", "refused", "held")
    standing = await heir.record(transaction_id)
    assert (standing.status, rig.legacy.calls) == (Status.IN_DOUBT, 1)
    assert await rig.store.write(lambda unit: unit.job(transaction_id)) is None
    await lift(heir, overlay)
    await ask(heir, "retry")
    await heir.settle()
    await heir.until(300.0)
    assert ((await heir.record(transaction_id)).status, rig.legacy.calls) == (Status.POSTED, 2)


async def test_what_is_in_doubt_is_called_off_under_a_hold(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    await lay(heir, "hold", "orders")
    rig.liveness.ended.add("prc_1")
    await ask(heir, "retry")
    await heir.settle()
    await heir.until(300.0)
    await both(heir, "cancel")
    assert (await heir.record(transaction_id)).status is Status.CANCELLED


async def test_what_was_found_before_is_never_sent_again(rig: Rig):
    rig.legacy.script = ["twice"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    rig.legacy.book.clear()
    await ask(rig, "retry")
    await rig.settle()
    await rig.until(500.0)
    assert (await the_one(rig)).cause == "no-longer-found"
    await ask(rig, "retry")
    await rig.settle()
    await rig.until(500.0)
    assert rig.legacy.calls == 1
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.IN_DOUBT


async def test_a_duplicate_that_was_undone_in_the_erp_leaves_the_other_to_be_named(rig: Rig):
    rig.legacy.script = ["twice"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    first, second = rig.legacy.book
    assert (await refused(both(rig, "mark_posted", **named(first)))).slug == "policy-check-failed"
    rig.legacy.book[1] = replace(second, cancelled=True)
    undone = await refused(both(rig, "mark_posted", **named(second)))
    assert undone.slug == "policy-check-failed"
    moved = await both(rig, "mark_posted", **named(first))
    assert (moved.exception.state, moved.move.state) == ("closed", "done")
    record = await rig.record(answer.transaction.transaction_id)
    assert (record.status, record.erp_document_number) == (Status.POSTED, first.number.document_number)


async def test_a_document_that_was_entered_by_hand_is_named_after_the_quiet_time(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    found = by_hand(rig, order())
    asked = await ask(heir, "mark_posted", **named(found))
    assert asked.move.state == "asked"
    done = await approve(heir, asked)
    assert done.exception.outcome == "posted"
    record = await heir.record(transaction_id)
    assert (record.status, record.erp_document_number) == (Status.POSTED, found.number.document_number)
    told = [json.loads(one.body) for one in await heir.entries(transaction_id)]
    assert [one["hits"] for one in told if one["kind"] == "inquired"][-1] == 0
    assert "foundByInquiry" not in next(one for one in told if one["kind"] == "posted")
    child = (await heir.send(invoice(), "invoices", wait_s=5.0)).transaction
    assert child.status is Status.POSTED


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"party": "000901"}, "policy-check-failed"),
        ({"party": None}, "policy-check-failed"),
        ({"currency_code": "EUR"}, "policy-check-failed"),
        ({"total": None}, "policy-check-failed"),
        ({"cancelled": True}, "policy-check-failed"),
        ({"reversed_by": "9"}, "policy-check-failed"),
    ],
)
async def test_a_number_that_does_not_agree_is_not_believed(rig: Rig, changes: dict[str, object], slug: str):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    found = by_hand(rig, order(), **changes)
    assert (await refused(both(heir, "mark_posted", **named(found)))).slug == slug
    assert (await heir.record(transaction_id)).status is Status.IN_DOUBT
    assert (await the_one(heir)).move_id is None


async def test_a_number_that_is_not_there_is_not_believed(rig: Rig):
    heir, _ = await left_behind(rig, order(), posted=False)
    wrong = await refused(both(heir, "mark_posted", document_type="order", document_number="4711"))
    assert (wrong.slug, wrong.errors[0].field) == ("unknown-reference", "erpDocumentNumber")


async def test_the_number_of_another_document_is_not_believed(rig: Rig):
    other = (await rig.send(order("10249"), wait_s=5.0)).transaction
    heir, _ = await left_behind(rig, order(), posted=False)
    taken = rig.legacy.book[0]
    assert taken.number.document_number == other.erp_document_number
    assert (await refused(both(heir, "mark_posted", **named(taken)))).slug == "policy-check-failed"
    # posted under a reference of ours, of which the gateway has not heard yet
    rig.legacy.script = ["lost_answer"]
    await heir.send(order("10250"))
    await heir.settle()
    assert (await refused(both(heir, "mark_posted", **named(rig.legacy.book[-1])))).slug == "policy-check-failed"


async def test_what_stands_under_our_reference_is_what_was_posted(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=True)
    found = by_hand(rig, order())
    assert (await refused(both(heir, "mark_posted", **named(found)))).slug == "policy-check-failed"
    assert (await refused(both(heir, "cancel"))).slug == "policy-check-failed"
    ours = rig.legacy.book[0]
    await both(heir, "mark_posted", **named(ours))
    assert (await heir.record(transaction_id)).erp_document_number == ours.number.document_number


async def test_what_is_certainly_not_there_is_called_off_and_may_be_sent_anew(rig: Rig):
    heir, transaction_id = await left_behind(rig, order(), posted=False)
    asked = await ask(heir, "cancel")
    assert asked.move.state == "asked"
    done = await approve(heir, asked)
    assert (done.exception.state, done.exception.outcome) == ("closed", "cancelled")
    assert (await heir.record(transaction_id)).status is Status.CANCELLED
    again = (await heir.send(order(), replaces=transaction_id, wait_s=5.0)).transaction
    assert again.status is Status.POSTED
    assert len(rig.legacy.book) == 1


async def test_nothing_is_called_off_while_the_first_call_may_still_run(rig: Rig):
    rig.legacy.script = ["twice"]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    rig.legacy.book.clear()
    asked = await ask(rig, "cancel")
    early = await refused(approve(rig, asked))
    assert (early.slug, (early.retry_after_s or 0) > 90) == ("in-flight", True)
    [move] = await rig.store.reads.exception_moves(asked.exception.exception_id)
    assert move.state == "approved"
    rig.clock.forward(early.retry_after_s)
    done = await approve(rig, asked)
    assert (done.move.state, done.exception.outcome) == ("done", "cancelled")
    assert (await rig.record(answer.transaction.transaction_id)).status is Status.CANCELLED


async def test_an_erp_that_cannot_be_asked_leaves_the_move_to_be_made_later(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    heir, _ = await left_behind(rig, order(), posted=False)

    async def away(_posting: object) -> None:
        raise OutcomeUnknown("timed out")

    asked = await ask(heir, "cancel")
    with monkeypatch.context() as patched:
        patched.setattr(rig.legacy, "inquire", away)
        assert (await refused(approve(heir, asked))).slug == "erp-unavailable"
    assert (await approve(heir, asked)).exception.outcome == "cancelled"


# what has not ended


@pytest.mark.parametrize("move", ["cancel", "mark_posted"])
async def test_a_system_that_is_not_connected_any_more_leaves_the_move_to_be_made_later(rig: Rig, move):
    heir, _ = await left_behind(rig, order(), posted=True)
    there = named(rig.legacy.book[-1]) if move == "mark_posted" else {}
    systems = {name: system for name, system in heir.parts.systems.items() if name != "legacy-main"}
    heir.parts = replace(heir.parts, systems=systems)
    assert (await refused(both(heir, move, **there))).slug == "erp-unavailable"
    [asked] = await rig.store.reads.exception_moves((await the_one(heir)).exception_id)
    assert asked.state == "approved"


async def test_what_waits_is_looked_at_or_called_off(rig: Rig):
    rig.legacy.script = ["down", "down"]
    parent = (await rig.send(order())).transaction
    child = (await rig.send(invoice(), "invoices")).transaction
    for one in (parent, child):
        await rig.store.write(
            lambda unit, one=one: open_stuck(unit, rig.parts, one.transaction_id, "too-long", "sweep")
        )
    of_parent, of_child = await exceptions(rig)
    await rig.line.drain(30)
    assert (await refused(ask(rig, "cancel", of=of_parent))).slug == "policy-check-failed"
    done = await ask(rig, "retry", of=of_parent)
    assert (done.move.state, done.exception.state) == ("done", "open")
    called_off = await both(rig, "cancel", of=of_child)
    assert called_off.exception.outcome == "cancelled"
    assert (await rig.record(child.transaction_id)).status is Status.CANCELLED
    await rig.settle()
    await rig.until(60.0)
    assert await exceptions(rig, state="open") == []
    assert len(rig.legacy.book) == 1


# who cares for it


async def test_a_person_claims_it_and_a_team_gets_it(rig: Rig):
    await rejected(rig)
    record = await the_one(rig)
    mine = await claim(desk(rig), ANN, EVERYTHING, record.exception_id)
    assert (mine.owner_team, mine.owner_person is not None) == (record.owner_team, True)
    assert await rig.store.reads.person_name(mine.owner_person) == "ann"
    assert [one.exception_id for one in await exceptions(rig, owner_person=mine.owner_person)] == [record.exception_id]
    team = next(iter({team for teams in rig.rules.current.rulebook.owners.values() for team in teams}))
    given = await assign(desk(rig), BOB, EVERYTHING, record.exception_id, Owner(team=team, person="carl"))
    assert (given.owner_team, await rig.store.reads.person_name(given.owner_person)) == (team, "carl")
    nobody = await assign(desk(rig), BOB, EVERYTHING, record.exception_id, Owner())
    assert (nobody.owner_team, nobody.owner_person) == (None, None)
    assert await assign(desk(rig), BOB, EVERYTHING, record.exception_id, Owner()) == nobody
    unknown = await refused(assign(desk(rig), BOB, EVERYTHING, record.exception_id, Owner(team="nobody-at-all")))
    assert unknown.errors[0].field == "ownerTeam"
