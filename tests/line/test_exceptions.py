"""What needs a person comes in front of one, in the commit of the outcome, and goes from there when it needs none."""

import json

import pytest

from gateway.domain.transaction import Status
from gateway.transactions.exceptions import open_stuck
from tests.line.dead_ends import exceptions, the_one, words_of
from tests.line.rig import Rig, invoice, order


async def entry(rig: Rig, transaction_id: str, kind: str) -> dict[str, object]:
    """The last of its kind."""
    found: dict[str, object] = json.loads(
        next(one.body for one in reversed(await rig.entries(transaction_id)) if one.kind == kind)
    )
    return found


async def events(rig: Rig, kind: str) -> list[dict[str, object]]:
    pending = [json.loads(one.body) for one in await rig.store.outbox.pending(10_000)]
    return [one["data"] for one in pending if one["type"] == f"erp.control.{kind}.v1"]


async def test_what_an_erp_refuses_needs_a_person(rig: Rig):
    rig.legacy.script = ["reject"]
    record = (await rig.send(order(), wait_s=5.0)).transaction
    found = await the_one(rig)
    assert record.exception_id == found.exception_id
    assert (found.reason_code, found.cause, found.state) == ("rejected-by-erp", None, "open")
    assert (found.transaction_id, found.lineage_id) == (record.transaction_id, record.lineage_id)
    assert (found.domain, found.business_unit, found.geography) == ("orders", "Northern", "FR")
    assert (found.system_id, found.amount, found.currency_code) == ("legacy-main", "168.00", "USD")
    assert found.owner_team == rig.rules.current.rulebook.owners["orders"][0]
    assert await words_of(rig, found) == {
        "code": "V1/152",
        "field": "customer",
        "message": "the credit limit is exceeded",
    }
    opened = await entry(rig, record.transaction_id, "exception_opened")
    assert (opened["exceptionId"], opened["reasonCode"]) == (found.exception_id, "rejected-by-erp")
    assert "credit" not in json.dumps(opened)
    [told] = await events(rig, "exception_opened")
    assert told["exceptionId"] == found.exception_id


async def test_the_children_of_what_was_refused_need_one_too(rig: Rig):
    rig.legacy.script = ["busy", "reject"]
    parent = (await rig.send(order())).transaction
    child = (await rig.send(invoice(), "invoices")).transaction
    assert child.status is Status.WAITING
    await rig.settle()
    await rig.until(3.0)
    assert (await rig.record(parent.transaction_id)).status is Status.REJECTED
    found = await exceptions(rig, state="open")
    assert sorted((one.transaction_id, one.reason_code) for one in found) == sorted(
        [(parent.transaction_id, "rejected-by-erp"), (child.transaction_id, "parent-rejected")]
    )


@pytest.mark.parametrize(("behaviour", "cause"), [("twice", "several-found"), ("other", "found-other")])
async def test_what_is_in_doubt_says_why(rig: Rig, behaviour: str, cause: str):
    rig.legacy.script = [behaviour]
    answer = await rig.send(order())
    await rig.settle()
    await rig.until(1.1)
    found = await the_one(rig)
    assert (found.transaction_id, found.reason_code, found.cause) == (
        answer.transaction.transaction_id,
        "in-doubt",
        cause,
    )


async def test_what_goes_well_needs_nobody(rig: Rig):
    await rig.send(order(), wait_s=5.0)
    rig.legacy.script = ["lost_answer"]
    await rig.send(order("10249"))
    await rig.settle()
    await rig.until(2.0)
    assert await exceptions(rig) == []


async def test_a_sweep_puts_what_is_stuck_before_a_person_once_and_its_end_takes_it_away(rig: Rig):
    rig.legacy.script = ["down"]
    record = (await rig.send(order())).transaction
    await rig.settle()

    async def swept(unit):
        return await open_stuck(unit, rig.parts, record.transaction_id, "dispatched-too-long", "sweep")

    assert await rig.store.write(swept)
    assert not await rig.store.write(swept)
    found = await the_one(rig)
    assert (found.reason_code, found.cause) == ("stuck", "dispatched-too-long")
    await rig.until(5.0)
    assert (await rig.record(record.transaction_id)).status is Status.POSTED
    [closed] = await exceptions(rig)
    assert (closed.state, closed.outcome) == ("closed", "posted")
    assert (await rig.record(record.transaction_id)).exception_id is None
    assert not await rig.store.write(swept)


async def test_a_source_that_corrects_its_document_takes_it_away(rig: Rig):
    rig.legacy.script = ["reject"]
    refused = (await rig.send(order(), wait_s=5.0)).transaction
    corrected = (await rig.send(order(), replaces=refused.transaction_id, wait_s=5.0)).transaction
    [closed] = await exceptions(rig)
    assert (closed.state, closed.outcome, closed.replaced_by) == ("closed", "replaced", corrected.transaction_id)
    moved = await entry(rig, refused.transaction_id, "exception_moved")
    assert moved["replacedByTransactionId"] == corrected.transaction_id
    assert (await rig.record(refused.transaction_id)).status is Status.REJECTED
