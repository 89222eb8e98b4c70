"""An order with its new customer: both or neither, each once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.canonical import Invoice
from gateway.domain.new_customer import take_new_customer
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from tests.line.asking import refused
from tests.line.dead_ends import exceptions
from tests.line.documents import TO_CLOUD, customer
from tests.line.newcomers import bring, command, customer_record, held_by, order_of_new, statuses
from tests.line.rig import Rig, order

LEGACY_ORDER = {"businessUnit": "Northern", "geography": "FR"}


async def members(rig: Rig, transaction_id: str, kind: str) -> dict[str, Any]:
    entries = [json.loads(one.body) for one in await rig.entries(transaction_id)]
    return next(one for one in entries if one["kind"] == kind)


async def test_the_customer_is_posted_and_then_the_order_for_it(rig: Rig) -> None:
    made = (await bring(rig)).transaction
    new = await customer_record(rig)
    assert (new.status, made.status) == (Status.POSTED, Status.POSTED)
    assert (new.system_id, made.system_id) == ("cloud-main", "cloud-main")
    assert [one.document.domain for one in rig.cloud.seen] == ["customers", "orders"]
    assert rig.cloud.seen[1].numbers["customer"].document_number == new.erp_document_number
    assert await rig.kinds(new.transaction_id) == "accepted routed dispatched posted linked".split()
    assert await rig.kinds(made.transaction_id) == ("accepted waiting routed pinned dispatched posted linked".split())
    # two decisions, each by the table of its own domain
    assert (await members(rig, new.transaction_id, "routed"))["rule"]["row"] == "c-all"
    assert (await members(rig, made.transaction_id, "routed"))["rule"]["row"] == "o-west"
    accepted = await members(rig, new.transaction_id, "accepted")
    assert accepted["madeForTransactionId"] == made.transaction_id
    assert (await members(rig, made.transaction_id, "accepted"))["newCustomerTransactionId"] == new.transaction_id
    assert (await rig.document(new.document_id)).made_for is None, "confirmed"
    assert (await rig.document(made.document_id)).customer_id == new.document_id
    assert await rig.statuses() == {new.transaction_id: "posted", made.transaction_id: "posted"}


async def test_the_order_is_the_same_document_as_one_that_names_the_customer(rig: Rig) -> None:
    made = (await bring(rig)).transaction
    plain = order("20001", **TO_CLOUD) | {"customer": {"externalId": "NEW"}}
    again = await rig.send(plain)
    assert (again.transaction.transaction_id, again.replayed) == (made.transaction_id, True)
    assert "newCustomer" not in await rig.content(made.document_id)
    assert made.content_hash == again.transaction.content_hash


@pytest.mark.parametrize("while_it_is", ["waiting", "unknown", "posted"])
async def test_a_repeat_at_any_time_is_answered_with_the_same_order(rig: Rig, while_it_is: str) -> None:
    if while_it_is == "waiting":
        rig.cloud.script = ["lost_call"]
    if while_it_is == "unknown":
        rig.cloud.script = ["post", "lost_answer"]
    made = (await bring(rig, idempotency_key="deal-1")).transaction
    assert made.status.value == while_it_is
    for how in ({}, {"idempotency_key": "deal-1"}):
        again = await bring(rig, **how)
        assert (again.transaction.transaction_id, again.replayed) == (made.transaction_id, True)
    await rig.until(200)
    await rig.until(200)
    assert await statuses(rig, made.transaction_id) == (Status.POSTED, Status.POSTED)
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True])


async def test_the_same_order_with_another_customer_is_no_repeat(rig: Rig) -> None:
    await bring(rig, idempotency_key="deal-1")
    other = order_of_new(of=customer(name="Another name"))
    for how in ({}, {"idempotency_key": "deal-1"}):
        problem = await refused(rig.line.submit(command(other, **how)))
        assert (problem.slug, problem.errors[0].field) == ("natural-key-conflict", "newCustomer.externalId")


async def test_a_customer_that_is_known_with_this_content_is_used(rig: Rig) -> None:
    await rig.send(customer(), "customers", wait_s=5.0)
    made = (await bring(rig)).transaction
    assert (made.status, held_by(rig, "customers")) == (Status.POSTED, [True])
    assert "waiting" not in await rig.kinds(made.transaction_id)


async def test_a_known_customer_with_other_content_accepts_nothing(rig: Rig) -> None:
    await rig.send(customer(), "customers", wait_s=5.0)
    problem = await refused(bring(rig, order_of_new(of=customer(name="Other"))))
    assert (problem.slug, problem.errors[0].field) == ("natural-key-conflict", "newCustomer.externalId")
    assert await rig.store.write(lambda unit: unit.natural_key("salesforce", "orders", "20001")) is None


async def test_an_imported_customer_is_referred_to_instead(rig: Rig) -> None:
    row = CrossReferenceRow("customers", "salesforce", "NEW", "cloud-main", "customer", "4711")
    await import_cross_references(rig.store, rig.parts.tools, rig.rules.current, [row])
    problem = await refused(bring(rig))
    assert (problem.slug, problem.errors[0].field) == ("duplicate-master", "newCustomer")


async def test_a_customer_and_an_order_of_different_systems_are_refused_together(rig: Rig) -> None:
    problem = await refused(bring(rig, order_of_new(**LEGACY_ORDER)))
    assert (problem.slug, problem.errors[0].field) == ("unknown-reference", "newCustomer")
    assert problem.extra == {"customerSystemId": "cloud-main", "orderSystemId": "legacy-main"}
    assert await rig.store.write(lambda unit: unit.natural_key("salesforce", "customers", "NEW")) is None
    assert rig.cloud.calls == rig.legacy.calls == 0


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (order_of_new() | {"customer": {"externalId": "VINET"}}, ["newCustomer", "customer"]),
        (order_of_new(of=customer(externalId=None)), ["newCustomer.externalId"]),
        (order_of_new(of=customer(nickname="x")), ["newCustomer.nickname"]),
        (order_of_new() | {"newCustomer": []}, ["newCustomer"]),
    ],
)
def test_what_is_no_order_with_a_customer_names_the_member(body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        command(body)
    assert caught.value.slug == "invalid-document"
    assert [one.field for one in caught.value.errors] == fields


def test_other_documents_know_no_such_member() -> None:
    members = {"newCustomer": {}}
    assert take_new_customer(Invoice, members) is None
    assert members == {"newCustomer": {}}


async def test_a_refused_customer_ends_the_order_unsent(rig: Rig) -> None:
    rig.cloud.script = ["reject"]
    made = (await bring(rig)).transaction
    assert await statuses(rig, made.transaction_id) == (Status.REJECTED, Status.REJECTED)
    told = json.loads(made.problem or "")
    assert (told["code"], [one["field"] for one in told["errors"]]) == ("parent-rejected", ["newCustomer"])
    assert made.transaction_id in told["remedy"], "what `replaces` is to name"
    assert (await customer_record(rig)).transaction_id in told["detail"], "where the ERP's reason is"
    assert [one.document.domain for one in rig.cloud.seen] == ["customers"]
    assert {one.reason_code for one in await exceptions(rig, state="open")} == {"rejected-by-erp", "parent-rejected"}
    # corrected, both go
    body = order_of_new(of=customer(name="Corrected"))
    again = (await bring(rig, body, replaces=made.transaction_id)).transaction
    assert await statuses(rig, again.transaction_id) == (Status.POSTED, Status.POSTED)
    assert (await customer_record(rig)).replaces is not None
    assert await exceptions(rig, state="open") == []


async def test_an_order_that_only_names_such_a_customer_is_told_of_its_own_member(rig: Rig) -> None:
    rig.cloud.script = ["lost_call", "reject"]
    brought = (await bring(rig)).transaction
    plain = (await rig.send(order("20002", **TO_CLOUD) | {"customer": {"externalId": "NEW"}})).transaction
    assert {brought.status, plain.status} == {Status.WAITING}
    await rig.until(200)
    for made, field in ((brought, "newCustomer"), (plain, "customer")):
        ended = await rig.record(made.transaction_id)
        assert ended.status is Status.REJECTED
        assert [one["field"] for one in json.loads(ended.problem or "")["errors"]] == [field]


async def test_two_callers_with_one_new_customer_make_one_customer_and_two_orders(rig: Rig) -> None:
    bodies = [order_of_new(name) for name in ("20001", "20002")]
    answers = await asyncio.gather(*(rig.line.submit(command(one, wait_s=0.0)) for one in bodies))
    await rig.settle()
    assert {(await rig.record(one.transaction.transaction_id)).status for one in answers} == {Status.POSTED}
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True, True])


@pytest.mark.parametrize("way", ["lost_answer", "lost_call", "late", "busy", "crash"])
async def test_the_order_waits_until_the_customer_is_known_to_stand(rig: Rig, way: str) -> None:
    rig.cloud.script = [way]
    made = (await bring(rig)).transaction
    assert made.status is Status.WAITING
    for _ in range(6):
        await rig.until(60)
        rig.cloud.post_what_was_late()
    assert await statuses(rig, made.transaction_id) == (Status.POSTED, Status.POSTED)
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True])


async def test_a_list_is_accepted_in_one_commit_and_a_refused_order_leaves_no_customer(rig: Rig) -> None:
    good, bad = order_of_new("20001"), order_of_new("20002", of=customer("OTHER"), **LEGACY_ORDER)
    by_reference = order("20003", **TO_CLOUD) | {"customer": {"externalId": "NEW"}}
    answers = await rig.line.accept_many([command(one) for one in (bad, good, by_reference, good)])
    assert isinstance(answers[0], Problem)
    assert [getattr(one, "replayed", None) for one in answers] == [None, False, False, True]
    assert await rig.store.write(lambda unit: unit.natural_key("salesforce", "customers", "OTHER")) is None
    await rig.settle()
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True, True])
