"""What was accepted and not sent is called off without asking any ERP."""

import asyncio
import json

import pytest

from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, credit_note, customer, journal_entry
from tests.line.rig import BILLING, SALESFORCE, Rig, invoice, order, payment

WESTERN = "live,legacy-main,cloud-main,,,{},Phase 1: the Western"
HELD = {"orders.csv": (WESTERN.format(""), WESTERN.format("hold"))}
ORDERS = TransactionFilter(domain="orders")
EVERYTHING = Visible()


async def a_waiting_order(rig: Rig, external_id: str = "1") -> str:
    """It waits for its customer; (transaction id)."""
    rig.cloud.gate = asyncio.Event()
    await rig.send(customer(), "customers")
    answer = await rig.send(order(external_id, customer={"externalId": "NEW"}, **TO_CLOUD))
    assert answer.transaction.status is Status.WAITING
    return answer.transaction.transaction_id


async def test_a_waiting_creation_ends_as_cancelled_and_is_the_answer(rig: Rig):
    transaction_id = await a_waiting_order(rig)
    created = await rig.record(transaction_id)
    answer = await rig.cancel(created.document_id, reason="a secret reason", idempotency_key="k")
    assert answer.transaction.transaction_id == transaction_id
    assert (answer.transaction.status, answer.transaction.operation) == (Status.CANCELLED, "create")
    assert (await rig.document(created.document_id)).state == "cancelled"
    assert (await rig.statuses())[transaction_id] == "cancelled"
    cancelled = json.loads((await rig.entries(transaction_id))[-1].body)
    assert (cancelled["kind"], cancelled["actor"]) == ("cancelled", "salesforce")
    assert "secret" not in json.dumps(cancelled)
    kept = await rig.store.reads.payload(cancelled["payloadId"])
    assert json.loads(kept.body) == {"reason": "a secret reason"}
    again = await rig.cancel(created.document_id, reason="a secret reason", idempotency_key="k")
    assert (again.replayed, again.transaction.transaction_id) == (True, transaction_id)
    rig.cloud.gate.set()
    await rig.settle()
    await rig.until(100.0)
    assert (await rig.record(transaction_id)).status is Status.CANCELLED
    assert [found.number.document_type for found in rig.cloud.book] == ["customer"]


async def test_what_others_wait_for_is_not_called_off_before_they_are(rig: Rig):
    """Another client's invoice and payment would end with it, and nobody would have told that client."""
    transaction_id = await a_waiting_order(rig)
    document_id = (await rig.record(transaction_id)).document_id
    theirs = {"customer": {"externalId": "NEW", "source": "salesforce"}, **TO_CLOUD}
    billed = (await rig.send(invoice("I", "1", **theirs), "invoices")).transaction
    paid = (await rig.send(payment("P", ("I",), **theirs), "payments")).transaction
    for called_off, followed_by, domain, caller in (
        (document_id, billed.document_id, "orders", SALESFORCE),
        (billed.document_id, paid.document_id, "invoices", BILLING),
    ):
        problem = await refused(rig.cancel(called_off, domain, caller=caller))
        assert problem.slug == "has-follow-ups"
        assert [one["documentId"] for one in problem.extra["followUps"]] == [followed_by]
        assert (await rig.document(called_off)).state == "active"
    for one in (transaction_id, billed.transaction_id, paid.transaction_id):
        assert (await rig.record(one)).status is Status.WAITING
    # from the end of the chain it goes, and whatever waits for a creation that was called off does so no more
    for called_off, domain, caller in (
        (paid.document_id, "payments", BILLING),
        (billed.document_id, "invoices", BILLING),
        (document_id, "orders", SALESFORCE),
    ):
        answer = await rig.cancel(called_off, domain, caller=caller)
        assert answer.transaction.status is Status.CANCELLED
    rig.cloud.gate.set()
    await rig.settle()
    assert [found.number.document_type for found in rig.cloud.book] == ["customer"]


async def test_who_waits_for_its_end_is_told(rig: Rig):
    rig.cloud.gate = asyncio.Event()
    await rig.send(customer(), "customers")
    waiting = asyncio.create_task(rig.send(order(customer={"externalId": "NEW"}, **TO_CLOUD), wait_s=60.0))
    async with asyncio.timeout(30):
        while not (listed := await rig.store.reads.transactions(ORDERS, EVERYTHING, 1, None)):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await rig.cancel(listed[0].document_id)
    assert (await asyncio.wait_for(waiting, 30)).transaction.status is Status.CANCELLED
    rig.cloud.gate.set()
    await rig.settle()


async def test_a_held_creation_is_called_off_too_and_can_be_submitted_again(store):
    rig = await Rig.on(store, edits=HELD)
    held = (await rig.send(order(**TO_CLOUD))).transaction
    assert held.status is Status.HELD
    answer = await rig.cancel(held.document_id)
    assert answer.transaction.status is Status.CANCELLED
    assert rig.cloud.calls == 0
    again = await rig.send(order(), replaces=held.transaction_id, wait_s=5.0)
    assert (again.transaction.status, again.transaction.document_id) == (Status.POSTED, held.document_id)
    document = await rig.document(held.document_id)
    assert (document.state, document.version) == ("active", 3)


async def test_calling_off_and_sending_at_once_never_both_happen(rig: Rig):
    for number in range(10):
        rig.cloud.gate = asyncio.Event()
        name = f"NEW-{number}"
        await rig.send(customer(name), "customers")
        waits = await rig.send(order(str(number), customer={"externalId": name}, **TO_CLOUD))
        rig.cloud.gate.set()
        assert await rig.line.drain(30)
        sent_before = rig.cloud.calls
        _, called_off = await asyncio.gather(
            rig.line.work(10), rig.cancel(waits.transaction.document_id, wait_s=0.0), return_exceptions=True
        )
        await rig.settle()
        status = (await rig.record(waits.transaction.transaction_id)).status
        if isinstance(called_off, BaseException):
            assert isinstance(called_off, Problem)
            assert called_off.slug == "document-busy"
            assert (status, rig.cloud.calls) == (Status.POSTED, sent_before + 1)
        elif called_off.transaction.operation == "create":
            assert (status, rig.cloud.calls) == (Status.CANCELLED, sent_before)
        else:
            assert (status, rig.cloud.calls) == (Status.POSTED, sent_before + 2)


async def test_a_creation_that_was_sent_keeps_its_document_busy(rig: Rig):
    rig.legacy.gate = asyncio.Event()
    created = (await rig.send(order())).transaction
    with pytest.raises(Problem) as caught:
        await rig.cancel(created.document_id)
    assert (caught.value.slug, caught.value.retry_after_s) == ("document-busy", 2)
    assert caught.value.extra["busyWithTransactionId"] == created.transaction_id
    rig.legacy.gate.set()
    await rig.settle()
    assert (await rig.cancel(created.document_id)).transaction.operation == "cancel"


FOLLOWS = [
    ("invoices", invoice("I", "10248")),
    ("invoices", credit_note("C", "INV-10248")),
    ("payments", payment("P")),
    ("journal_entries", journal_entry(invoiceReference={"externalId": "INV-10248"})),
]


@pytest.mark.parametrize(("domain", "body"), FOLLOWS)
async def test_what_waits_for_its_parent_is_called_off(rig: Rig, domain: str, body: dict):
    await posted(rig)
    rig.legacy.gate = asyncio.Event()
    parent = (await rig.send(invoice(), "invoices")).transaction
    if body["externalId"] == "I":  # it waits for an order of its own
        await rig.send(order("2"))
        body = invoice("I", "2")
    waiting = (await rig.send(body, domain)).transaction
    assert waiting.status is Status.WAITING
    answer = await rig.cancel(waiting.document_id, domain, caller=BILLING, reason="twice")
    assert (answer.transaction.transaction_id, answer.transaction.status) == (waiting.transaction_id, Status.CANCELLED)
    assert (await rig.document(waiting.document_id)).state == "cancelled"
    rig.legacy.gate.set()
    await rig.settle()
    await rig.until(100.0)
    assert (await rig.record(waiting.transaction_id)).status is Status.CANCELLED
    assert (await rig.record(parent.transaction_id)).status is Status.POSTED
    again = await rig.send(body, domain, replaces=waiting.transaction_id, wait_s=5.0)
    assert (again.transaction.status, again.transaction.document_id) == (Status.POSTED, waiting.document_id)


@pytest.mark.parametrize(("domain", "body"), FOLLOWS)
async def test_what_is_posted_is_reversed_and_not_called_off(rig: Rig, domain: str, body: dict):
    await posted(rig)
    await posted(rig, invoice(), "invoices")
    document_id = await posted(rig, body, domain)
    problem = await refused(rig.cancel(document_id, domain, caller=BILLING))
    assert (problem.slug, problem.remedy) == ("operation-not-served", "reverse the document")
    assert (await rig.reverse(document_id, domain)).transaction.status is Status.POSTED
    assert (await refused(rig.cancel(document_id, domain, caller=BILLING))).slug == "document-closed"


async def test_an_invoice_under_way_is_busy_and_not_called_off(rig: Rig):
    await posted(rig)
    rig.legacy.script = ["lost_call"]
    sent = (await rig.send(invoice(), "invoices")).transaction
    await rig.settle()
    assert (await refused(rig.cancel(sent.document_id, "invoices", caller=BILLING))).slug == "document-busy"


async def test_masters_are_never_called_off(rig: Rig):
    document_id = await posted(rig, customer(), "customers")
    assert (await refused(rig.cancel(document_id, "customers"))).slug == "operation-not-served"
