"""What was accepted before a restore ends only after its ERP was asked: as refused, as called off, by whomever."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.domain.lanes import IN_BULK, RESPOND_ASYNC
from gateway.domain.refusals import shown_refusal
from gateway.domain.transaction import Status
from gateway.transactions.exceptions import open_stuck
from tests.line.acts import close, lay, lift
from tests.line.asking import posted, refused
from tests.line.by_hand import audited
from tests.line.dead_ends import ask, both, exceptions, the_one
from tests.line.documents import TO_CLOUD, contract, customer
from tests.line.lost import begun_by_the_lost_one, posted_by_the_lost_one, restored
from tests.line.newcomers import command, customer_record, held_by, order_of_new
from tests.line.rig import BILLING, Rig, invoice, order
from tests.line.split import charge, split_rig, standing


async def the_quiet_time_is_over(rig: Rig) -> None:
    """And what is due was done, inquiries before and after it too."""
    for seconds in (0.0, 1.1, 61.0, 1.1, 130.0, 1.1):
        await rig.until(seconds)


async def said(rig: Rig, transaction_id: str, kind: str) -> dict[str, Any]:
    """The last entry of that kind."""
    bodies = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    return next(one for one in reversed(bodies) if one["kind"] == kind)


async def an_order(rig: Rig, how: str) -> str:
    """In the queue, or held; nothing of it was sent. Its transaction."""
    if how == "held":
        await lay(rig, "hold")
    made = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction
    assert made.status is (Status.HELD if how == "held" else Status.ACCEPTED)
    return made.transaction_id


@pytest.mark.parametrize("how", ["accepted", "held"])
async def test_what_its_caller_cancels_is_inquired_and_then_cancelled_unsent(rig: Rig, how: str):
    transaction_id = await an_order(rig, how)
    document_id = (await rig.record(transaction_id)).document_id
    other = await restored(rig)
    problem = await refused(other.cancel(document_id, reason="a secret reason"))
    assert (problem.slug, problem.retry_after_s) == ("in-flight", 103)
    asked = await other.record(transaction_id)
    assert (asked.status, asked.system_id) == (Status.UNKNOWN, "legacy-main")
    shown = shown_refusal(asked.problem) or {}
    assert (shown["code"], set(shown)) == ("call-off", {"code", "detail", "remedy"})
    assert (await refused(other.cancel(document_id))).slug == "document-busy"
    await the_quiet_time_is_over(other)
    assert (await other.record(transaction_id)).status is Status.CANCELLED
    assert (rig.legacy.calls, rig.legacy.inquiries) == (0, 2)
    unknown, cancelled = await said(other, transaction_id, "unknown"), await said(other, transaction_id, "cancelled")
    assert (unknown["code"], unknown["actor"], cancelled["actor"]) == ("record-restored", "salesforce", "salesforce")
    assert json.loads((await rig.store.reads.payload(unknown["payloadId"])).body) == {"reason": "a secret reason"}
    assert await exceptions(other) == []
    assert (await refused(other.cancel(document_id))).slug == "document-closed"
    assert await audited(other) == []
    if how == "accepted":
        again = await other.send(order(), replaces=transaction_id, wait_s=5.0)
        assert (again.transaction.status, len(rig.legacy.book)) == (Status.POSTED, 1)


@pytest.mark.parametrize("how", ["accepted", "held"])
async def test_what_its_caller_cancels_and_the_erp_holds_is_cancelled_there(rig: Rig, how: str):
    transaction_id = await an_order(rig, how)
    document_id = (await rig.record(transaction_id)).document_id
    other = await restored(rig)
    await begun_by_the_lost_one(other, transaction_id)
    assert (await refused(other.cancel(document_id, idempotency_key="k"))).slug == "in-flight"
    await other.until(1.1)
    assert (await other.record(transaction_id)).status is Status.POSTED
    assert (rig.legacy.calls, len(rig.legacy.book)) == (0, 1)
    if how == "accepted":
        answer = await other.cancel(document_id, idempotency_key="k")
        assert (answer.transaction.operation, answer.transaction.status) == ("cancel", Status.POSTED)
        assert [one.cancelled for one in rig.legacy.book] == [True]
    assert await audited(other) == []


async def test_what_waits_is_asked_for_where_its_parent_would_go(rig: Rig):
    """It is called off from the end of the chain, although its order is held and has no pin. Its own slice is another
    ERP's."""
    parent = await an_order(rig, "held")
    child = (await rig.send(invoice(**TO_CLOUD), "invoices")).transaction
    assert child.status is Status.WAITING
    other = await restored(rig)
    await begun_by_the_lost_one(other, child.transaction_id)
    problem = await refused(other.cancel(child.document_id, "invoices", caller=BILLING))
    assert problem.slug == "in-flight"
    await other.until(1.1)
    assert (await other.record(child.transaction_id)).status is Status.POSTED
    assert (await other.record(parent)).status is Status.HELD
    assert (rig.legacy.calls, rig.cloud.inquiries) == (0, 0)
    assert await audited(other) == []


async def test_what_cannot_be_compared_because_its_customer_has_no_number_here_is_looked_at(store: Any):
    rig = await Rig.on(store, needs_party=True)
    await lay(rig, "hold", "customers")
    await rig.send(customer(), "customers")
    waits = (await rig.send(order(customer={"externalId": "NEW"}, **TO_CLOUD))).transaction
    assert waits.status is Status.WAITING
    other = await restored(rig)
    await begun_by_the_lost_one(other, waits.transaction_id, rig.cloud)
    await refused(other.cancel(waits.document_id))
    await other.until(1.1)
    assert (await other.record(waits.transaction_id)).status is Status.IN_DOUBT
    assert (await the_one(other)).cause == "found-other"


async def test_what_the_gateway_keeps_itself_is_nowhere_else(rig: Rig):
    await lay(rig, "hold", "contracts")
    held = (await rig.send(contract(), "contracts", queueing=RESPOND_ASYNC)).transaction
    assert held.status is Status.HELD
    other = await restored(rig)
    ended = (await other.cancel(held.document_id, "contracts")).transaction
    assert (ended.transaction_id, ended.status) == (held.transaction_id, Status.CANCELLED)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("how", ["accepted", "held", "not_sent", "held_again"])
async def test_what_is_refused_by_now_is_inquired_first(rig: Rig, how: str, there: bool):
    """Its period was closed meanwhile. Of the last two stands a step that was not sent, as this record says."""
    overlay = await lay(rig, "hold") if how == "held" else None
    if how in {"accepted", "held"}:
        transaction_id = (await rig.send(order(), queueing=RESPOND_ASYNC)).transaction.transaction_id
    else:
        rig.legacy.script = ["down"]
        transaction_id = (await rig.send(order())).transaction.transaction_id
        assert await rig.line.drain(30)
    if how == "held_again":
        overlay = await lay(rig, "hold")
        await rig.until(5.0)
        assert (await rig.record(transaction_id)).status is Status.HELD
    calls = rig.legacy.calls
    other = await restored(rig)
    if there:
        await begun_by_the_lost_one(other, transaction_id)
    await close(other)
    if overlay is not None:
        await lift(other, overlay)
    await other.until(5.0)
    if not there:
        assert (await other.record(transaction_id)).status is Status.UNKNOWN
    await the_quiet_time_is_over(other)
    record = await other.record(transaction_id)
    assert rig.legacy.calls == calls
    assert await audited(other) == []
    if there:
        assert (record.status, len(rig.legacy.book), rig.legacy.inquiries) == (Status.POSTED, 1, 1)
        assert await exceptions(other) == []
        return
    assert (record.status, len(rig.legacy.book), rig.legacy.inquiries) == (Status.REJECTED, 0, 2)
    assert json.loads(record.problem or "")["code"] == (await the_one(other)).reason_code == "policy-check-failed"
    again = await other.send(order(postingDate="1996-08-01"), replaces=transaction_id, wait_s=5.0)
    if how == "not_sent":
        assert again.transaction.status is Status.POSTED


@pytest.mark.parametrize("there", [True, False])
async def test_a_reversal_that_is_refused_by_now_is_inquired_first(rig: Rig, there: bool):
    await posted(rig)
    document_id = await posted(rig, invoice(), "invoices")
    made = (await rig.reverse(document_id, caller=BILLING, queueing=RESPOND_ASYNC, wait_s=0.0)).transaction
    assert made.status is Status.ACCEPTED
    calls = rig.legacy.calls
    other = await restored(rig)
    if there:
        await begun_by_the_lost_one(other, made.transaction_id)
    await close(other)
    await the_quiet_time_is_over(other)
    status, state = (Status.POSTED, "reversed") if there else (Status.REJECTED, "active")
    assert (await other.record(made.transaction_id)).status is status
    document = await other.document(document_id)
    assert (document.state, document.busy_with) == (state, None)
    assert (rig.legacy.calls, len(rig.legacy.book)) == (calls, 3 if there else 2)
    assert await audited(other) == []


@pytest.mark.parametrize("there", [True, False])
async def test_a_document_of_several_legs_is_inquired_leg_by_leg(store: Any, there: bool):
    """Where the lost gateway posted the first, the second is not in its ERP, and refused: the first is taken back."""
    rig = await split_rig(store)
    made = (await rig.send(charge(), "journal_entries", queueing=RESPOND_ASYNC)).transaction
    other = await restored(rig)
    await close(other)
    await other.until(0.0)
    record = await other.record(made.transaction_id)
    assert (record.status, [one["status"] for one in json.loads(record.legs or "")]) == (
        Status.UNKNOWN,
        ["unknown", "planned"],
    )
    if there:
        rig.legacy, rig.cloud = rig.cloud, rig.legacy
        await posted_by_the_lost_one(rig, made.transaction_id)
        rig.legacy, rig.cloud = rig.cloud, rig.legacy
    await the_quiet_time_is_over(other)
    await the_quiet_time_is_over(other)
    record = await other.record(made.transaction_id)
    assert record.status is (Status.COMPENSATED if there else Status.REJECTED)
    assert (rig.cloud.calls, rig.legacy.calls) == (1 if there else 0, 0)
    assert (rig.cloud.inquiries, rig.legacy.inquiries) == ((3, 2) if there else (2, 0))
    assert (len(rig.cloud.book), standing(rig.cloud)) == ((2, 0) if there else (0, 0))
    assert await audited(other) == []


@pytest.mark.parametrize("there", [True, False])
async def test_what_people_call_off_is_inquired_first(rig: Rig, there: bool):
    transaction_id = await an_order(rig, "held")
    await rig.store.write(lambda unit: open_stuck(unit, rig.parts, transaction_id, "long_held", "gateway"))
    other = await restored(rig)
    if there:
        await begun_by_the_lost_one(other, transaction_id)
    moved = await ask(other, "cancel")
    if moved.move.state == "asked":
        moved = await both(other, "cancel")
    assert moved.move.state == "under_way"
    assert (await other.record(transaction_id)).status is Status.HELD
    await the_quiet_time_is_over(other)
    status, inquiries = (Status.POSTED, 1) if there else (Status.CANCELLED, 2)
    assert (await other.record(transaction_id)).status is status
    assert (rig.legacy.calls, rig.legacy.inquiries) == (0, inquiries)
    [closed] = await exceptions(other)
    assert (closed.state, closed.outcome) == ("closed", status.value)
    [move] = [one for one in await rig.store.reads.exception_moves(closed.exception_id) if one.state != "replaced"]
    assert (move.state, move.result) == ("refused" if there else "done", status.value)
    assert await audited(other) == []


@pytest.mark.parametrize("there", [True, False])
async def test_a_customer_whose_order_came_to_nothing_is_inquired_first(rig: Rig, there: bool):
    """The order, which waits for it, is called off; the lost gateway may have made the customer."""
    await rig.line.submit(command(order_of_new(), wait_s=0.0, queueing=IN_BULK))
    new = await customer_record(rig)
    assert new.status is Status.ACCEPTED
    order_id = (await rig.store.write(lambda unit: unit.natural_key("salesforce", "orders", "20001"))).transaction_id
    document_id = (await rig.record(order_id)).document_id
    await lay(rig, "hold", "customers")
    await rig.settle()
    assert (await customer_record(rig)).status is Status.HELD
    other = await restored(rig)
    if there:
        await begun_by_the_lost_one(other, new.transaction_id, rig.cloud)
    assert (await refused(other.cancel(document_id))).slug == "in-flight"
    await the_quiet_time_is_over(other)
    await the_quiet_time_is_over(other)
    assert (await other.record(order_id)).status is Status.CANCELLED
    assert (await other.record(new.transaction_id)).status is (Status.COMPENSATED if there else Status.CANCELLED)
    assert held_by(rig, "customers") == ([False] if there else [])
    assert held_by(rig, "orders") == []
    assert await audited(other) == []


async def test_a_customer_that_is_asked_for_meanwhile_stays(rig: Rig):
    overlay = await lay(rig, "hold", "customers")
    await rig.line.submit(command(order_of_new(), wait_s=0.0))
    new = await customer_record(rig)
    order_id = (await rig.store.write(lambda unit: unit.natural_key("salesforce", "orders", "20001"))).transaction_id
    other = await restored(rig)
    await refused(other.cancel((await rig.record(order_id)).document_id))
    await the_quiet_time_is_over(other)
    assert (await other.record(order_id)).status is Status.CANCELLED
    assert (await other.record(new.transaction_id)).status is Status.UNKNOWN
    rig.clock.forward(1.0)
    await other.send(order("20002", customer={"externalId": "NEW"}, **TO_CLOUD))
    await the_quiet_time_is_over(other)
    await lift(other, overlay)
    await the_quiet_time_is_over(other)
    assert (await other.record(new.transaction_id)).status is Status.POSTED
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True])
