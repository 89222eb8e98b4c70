"""An order that came with its customer is corrected by operations: it and its customer go as they would by a caller."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.transaction import Status
from tests.line.acts import lay
from tests.line.asking import refused
from tests.line.dead_ends import ask, exceptions
from tests.line.documents import TO_CLOUD, customer
from tests.line.newcomers import bring, command, customer_record, held_by, order_of_new, statuses
from tests.line.rig import Rig, order

MENDED = customer(name="Corrected")


async def refused_with(rig: Rig, *script: str) -> Any:
    """An order that came to nothing, and its exception."""
    rig.cloud.script = list(script)
    made = (await bring(rig)).transaction
    [found] = [one for one in await exceptions(rig, state="open") if one.transaction_id == made.transaction_id]
    return found


async def the_order(rig: Rig) -> Any:
    """The transaction that made the order last."""
    key = await rig.store.write(lambda unit: unit.natural_key("salesforce", "orders", "20001"))
    return await rig.record(key.transaction_id)


async def taken_back(rig: Rig) -> None:
    for _ in range(6):
        await rig.until(60)
    assert (await customer_record(rig)).status is Status.COMPENSATED


async def names_of_customers(rig: Rig) -> list[str]:
    """As the cloud ERP took them, in their order."""
    found = (rig.cloud.contents[one.number.document_number] for one in rig.cloud.book)
    return [one.name for one in found if one.domain == "customers"]


async def test_a_refused_customer_is_corrected_with_its_order(rig: Rig) -> None:
    exception = await refused_with(rig, "reject")
    first = await customer_record(rig)
    moved = await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED, quoteReference="Q-1"))
    await rig.settle()
    assert (moved.move.state, moved.exception.outcome) == ("done", "replaced")
    again = await the_order(rig)
    assert (again.transaction_id, again.replaces) == (moved.exception.replaced_by, exception.transaction_id)
    assert await statuses(rig, again.transaction_id) == (Status.POSTED, Status.POSTED)
    assert (await customer_record(rig)).replaces == first.transaction_id
    assert (await names_of_customers(rig), held_by(rig, "orders")) == (["Corrected"], [True])
    assert "newCustomer" not in await rig.content(again.document_id)
    assert await exceptions(rig, state="open") == [], "that of the customer too"


async def test_a_customer_that_was_taken_back_is_made_with_what_is_corrected(rig: Rig) -> None:
    exception = await refused_with(rig, "post", "reject")
    await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED))
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.POSTED, Status.POSTED)
    assert held_by(rig, "customers") == [False, True]
    assert (await names_of_customers(rig))[-1] == "Corrected"


async def test_a_customer_that_stands_is_not_made_again(rig: Rig) -> None:
    await rig.send(customer(), "customers", wait_s=5.0)
    exception = await refused_with(rig, "reject")
    first = await customer_record(rig)
    problem = await refused(ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED)))
    assert (problem.slug, problem.errors[0].field) == ("natural-key-conflict", "document.newCustomer.externalId")
    assert problem.detail.startswith("document: newCustomer: ")
    assert "send `customer`" in problem.remedy
    assert "PATCH /v1/customers/{documentId}" in problem.remedy
    [still] = await exceptions(rig, state="open")
    assert (still.exception_id, still.move_id) == (exception.exception_id, None), "another move may be made"
    await ask(rig, "resubmit", of=exception, document=order_of_new(quoteReference="Q-1"))
    await rig.settle()
    assert (await customer_record(rig)).transaction_id == first.transaction_id
    assert (held_by(rig, "customers"), held_by(rig, "orders")) == ([True], [True])


async def test_a_correction_that_names_the_customer_brings_it_as_it_was(rig: Rig) -> None:
    exception = await refused_with(rig, "post", "reject")
    body = order("20001", **TO_CLOUD, quoteReference="Q-1") | {"customer": {"externalId": "NEW"}}
    await ask(rig, "resubmit", of=exception, document=body)
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.POSTED, Status.POSTED)
    assert held_by(rig, "customers") == [False, True]


async def test_a_correction_for_another_customer_leaves_the_first_one_undone(rig: Rig) -> None:
    await rig.send(customer("OTHER"), "customers", wait_s=5.0)
    exception = await refused_with(rig, "post", "reject")
    body = order("20001", **TO_CLOUD) | {"customer": {"externalId": "OTHER"}}
    await ask(rig, "resubmit", of=exception, document=body)
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.COMPENSATED, Status.POSTED)
    assert held_by(rig, "customers") == [True, False], "nobody wants the first one"


async def test_a_correction_may_bring_a_customer_of_another_name(rig: Rig) -> None:
    exception = await refused_with(rig, "reject")
    await ask(rig, "resubmit", of=exception, document=order_of_new(of=customer("OTHER")))
    await rig.settle()
    assert (await customer_record(rig, "OTHER")).status is Status.POSTED
    assert (await customer_record(rig)).status is Status.REJECTED
    assert (await the_order(rig)).status is Status.POSTED


async def test_an_order_without_a_name_is_corrected_with_its_customer(rig: Rig) -> None:
    rig.cloud.script = ["reject"]
    body = order_of_new(externalId=None)
    made = (await bring(rig, body, idempotency_key="deal-1")).transaction
    [exception] = [one for one in await exceptions(rig, state="open") if one.domain == "orders"]
    moved = await ask(rig, "resubmit", of=exception, document=body | {"newCustomer": MENDED})
    await rig.settle()
    assert moved.exception.replaced_by != made.transaction_id
    assert await statuses(rig, moved.exception.replaced_by or "") == (Status.POSTED, Status.POSTED)


async def test_while_it_is_taken_back_the_move_waits_for_the_same_request(rig: Rig) -> None:
    exception = await refused_with(rig, "post", "reject", "busy")
    assert (await customer_record(rig)).status is Status.COMPENSATING
    again = {"of": exception, "document": order_of_new(of=MENDED), "key": "k"}
    for _ in range(2):
        problem = await refused(ask(rig, "resubmit", **again))
        assert (problem.slug, problem.retry_after_s) == ("in-flight", 5)
    await taken_back(rig)
    done = await ask(rig, "resubmit", **again)
    await rig.settle()
    assert (done.move.state, done.exception.outcome) == ("done", "replaced")
    assert (await names_of_customers(rig), held_by(rig, "customers")) == (["New customer", "Corrected"], [False, True])


async def test_sent_again_as_it_was_it_waits_until_its_customer_is_taken_back(rig: Rig) -> None:
    exception = await refused_with(rig, "post", "reject", "busy")
    problem = await refused(ask(rig, "retry", of=exception, key="k"))
    assert (problem.slug, problem.retry_after_s) == ("in-flight", 5)
    await taken_back(rig)
    await ask(rig, "retry", of=exception, key="k")
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.POSTED, Status.POSTED)


async def test_a_repeat_makes_nothing_twice(rig: Rig) -> None:
    exception = await refused_with(rig, "reject")
    first = await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED), key="k")
    assert (first.replayed, first.move.state) == (False, "done")
    for _ in range(2):
        assert (await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED), key="k")).replayed
    await rig.settle()
    # and by the caller
    again = await bring(rig, order_of_new(of=MENDED), replaces=exception.transaction_id)
    assert (again.replayed, held_by(rig, "customers"), held_by(rig, "orders")) == (True, [True], [True])


async def test_two_ways_at_once_make_one_customer(rig: Rig) -> None:
    """The customer's own exception is moved first, and then the order's."""
    exception = await refused_with(rig, "reject")
    [of_customer] = [one for one in await exceptions(rig, state="open") if one.domain == "customers"]
    await ask(rig, "resubmit", of=of_customer, document=MENDED)
    await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED))
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.POSTED, Status.POSTED)
    assert (held_by(rig, "customers"), await exceptions(rig, state="open")) == ([True], [])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (order_of_new(of=customer(nickname="x")), ["document.newCustomer.nickname"]),
        (order_of_new(of=customer(externalId=None)), ["document.newCustomer.externalId"]),
        (
            order_of_new() | {"customer": {"externalId": "VINET"}},
            ["document.newCustomer", "document.customer"],
        ),
        ({name: one for name, one in order_of_new().items() if name != "newCustomer"}, ["document.customer"]),
    ],
)
async def test_its_form_is_judged_when_it_is_asked_for(rig: Rig, body: dict[str, Any], fields: list[str]) -> None:
    exception = await refused_with(rig, "reject")
    problem = await refused(ask(rig, "resubmit", of=exception, document=body))
    assert (problem.slug, [one.field for one in problem.errors]) == ("invalid-document", fields)
    assert await rig.store.reads.exception_moves(exception.exception_id) == [], "nobody asked for it"


async def test_a_corrected_order_that_comes_to_nothing_takes_its_customer_back(rig: Rig) -> None:
    exception = await refused_with(rig, "reject")
    rig.cloud.script = ["post", "reject"]
    await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED))
    await rig.settle()
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.COMPENSATED, Status.REJECTED)
    assert held_by(rig, "customers") == [False]


async def test_a_held_customer_keeps_the_corrected_order_waiting(rig: Rig) -> None:
    exception = await refused_with(rig, "reject")
    await lay(rig, "hold", "customers")
    await ask(rig, "resubmit", of=exception, document=order_of_new(of=MENDED))
    assert await statuses(rig, (await the_order(rig)).transaction_id) == (Status.HELD, Status.WAITING)
    assert (await rig.line.submit(command(order_of_new(of=MENDED), wait_s=0.0))).replayed
