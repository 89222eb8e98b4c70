"""What follows from a document keeps it from being undone, and what is undone is followed no more."""

import asyncio

import pytest

from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, credit_note, journal_entry, priced
from tests.line.rig import BILLING, Rig, invoice, order, payment


async def test_an_order_with_an_invoice_is_not_cancelled_until_that_is_reversed(rig: Rig):
    ordered = await posted(rig, order())
    billed = await posted(rig, invoice(), "invoices")
    problem = await refused(rig.cancel(ordered))
    assert problem.slug == "has-follow-ups"
    assert [one["documentId"] for one in problem.extra["followUps"]] == [billed]
    # a change takes nothing from what follows
    assert (await rig.change(ordered, priced(20))).transaction.status is Status.POSTED
    await rig.reverse(billed)
    assert (await rig.cancel(ordered)).transaction.status is Status.POSTED


@pytest.mark.parametrize(
    ("domain", "body"),
    [
        ("payments", payment()),
        ("invoices", credit_note("C1", "INV-10248")),
        ("journal_entries", journal_entry(invoiceReference={"externalId": "INV-10248"})),
    ],
)
async def test_an_invoice_with_something_upon_it_is_not_reversed_until_that_is(rig: Rig, domain: str, body: dict):
    await posted(rig, order())
    billed = await posted(rig, invoice(), "invoices")
    upon = await posted(rig, body, domain)
    assert (await refused(rig.reverse(billed))).slug == "has-follow-ups"
    await rig.reverse(upon, domain)
    assert (await rig.reverse(billed)).transaction.status is Status.POSTED


async def test_what_is_under_way_counts_and_what_failed_does_not(rig: Rig):
    ordered = await posted(rig, order())
    rig.legacy.script = ["lost_call"]
    under_way = (await rig.send(invoice("I1"), "invoices")).transaction
    await rig.settle()
    assert (await rig.record(under_way.transaction_id)).status is Status.UNKNOWN
    assert (await refused(rig.cancel(ordered))).extra["followUpCount"] == 1
    rig.legacy.script = ["reject"]
    await rig.until(1.1)
    await rig.until(110.0)
    assert (await rig.record(under_way.transaction_id)).status is Status.REJECTED
    assert (await rig.cancel(ordered)).transaction.status is Status.POSTED


async def test_a_payment_over_two_invoices_follows_both(rig: Rig):
    await posted(rig, order("1"))
    await posted(rig, order("2"))
    first = await posted(rig, invoice("I1", "1"), "invoices")
    second = await posted(rig, invoice("I2", "2"), "invoices")
    paid = await posted(rig, payment("P", ("I1", "I2")), "payments")
    for billed in (first, second):
        problem = await refused(rig.reverse(billed))
        assert [one["documentId"] for one in problem.extra["followUps"]] == [paid]
        view = await rig.store.reads.lineage((await rig.document(billed)).lineage_id, Visible())
        shown = {(one.field, one.target_document_id) for one in view.relations if one.document_id == paid}
        fields = ("allocations[0].invoiceReference", "allocations[1].invoiceReference")
        # in the payment's own lineage all of its links, in that of the other invoice the one that leads there
        assert shown >= {(fields[billed == second], billed)}
        if billed == first:
            assert shown == {(fields[0], first), (fields[1], second)}


async def test_a_corrected_document_follows_what_it_names_now(rig: Rig):
    first, second = await posted(rig, order("1")), await posted(rig, order("2"))
    rig.legacy.script = ["reject"]
    refusal = (await rig.send(invoice("I", "1"), "invoices", wait_s=5.0)).transaction
    answer = await rig.send(invoice("I", "2"), "invoices", replaces=refusal.transaction_id, wait_s=5.0)
    assert answer.transaction.status is Status.POSTED
    document = await rig.document(answer.transaction.document_id)
    assert (document.version, document.etag) == (2, "v2")
    assert (await refused(rig.cancel(second))).slug == "has-follow-ups"
    assert (await rig.cancel(first)).transaction.status is Status.POSTED


@pytest.mark.parametrize("where", [{}, TO_CLOUD], ids=["legacy", "cloud"])
async def test_nothing_follows_what_was_undone(rig: Rig, where: dict):
    ordered = await posted(rig, order(**where))
    billed = await posted(rig, invoice("I1"), "invoices")
    await rig.reverse(billed)
    await rig.cancel(ordered)
    for body, domain, field in (
        (invoice("I2"), "invoices", "orderReference"),
        (payment("P", ("I1",)), "payments", "allocations[0].invoiceReference"),
        (credit_note("C1", "I1"), "invoices", "invoiceReference"),
    ):
        problem = await refused(rig.send(body, domain))
        assert (problem.slug, problem.errors[0].field) == ("lineage-closed", field)


async def test_nothing_follows_what_is_being_undone(rig: Rig):
    ordered = await posted(rig, order())
    rig.legacy.script = ["lost_call"]
    cancelling = (await rig.cancel(ordered, wait_s=0.0)).transaction
    await rig.settle()
    problem = await refused(rig.send(invoice(), "invoices"))
    assert problem.slug == "document-busy"
    assert problem.extra["busyWithTransactionId"] == cancelling.transaction_id
    assert problem.retry_after_s == 60


async def test_a_document_that_is_being_changed_can_be_followed(rig: Rig):
    ordered = await posted(rig, order())
    rig.legacy.script = ["lost_call"]
    await rig.change(ordered, priced(20), wait_s=0.0)
    await rig.settle()
    assert (await rig.send(invoice(), "invoices", wait_s=5.0)).transaction.status is Status.POSTED


async def test_credits_never_exceed_their_invoice(rig: Rig):
    await posted(rig, order())
    await posted(rig, invoice(), "invoices")
    first = await posted(rig, credit_note("C1", "INV-10248", 8), "invoices")
    problem = await refused(rig.send(credit_note("C2", "INV-10248", 5), "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "totals.grossAmount")
    assert "56.00 USD" in problem.detail
    # what is under way counts, what failed does not
    rig.legacy.script = ["lost_call"]
    await rig.send(credit_note("C3", "INV-10248", 4), "invoices")
    await rig.settle()
    assert (await refused(rig.send(credit_note("C4", "INV-10248", 1), "invoices"))).slug == "invalid-document"
    # the same one again is no second credit
    assert (await rig.send(credit_note("C3", "INV-10248", 4), "invoices")).replayed
    # a credit that was reversed can be given again
    await rig.reverse(first)
    assert await posted(rig, credit_note("C5", "INV-10248", 8), "invoices")


async def test_a_credit_in_another_currency_than_its_invoice_is_refused(rig: Rig):
    await posted(rig, order())
    await posted(rig, invoice(), "invoices")
    problem = await refused(rig.send(credit_note("C1", "INV-10248", currencyCode="EUR"), "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "currencyCode")


async def test_a_credit_for_another_customer_than_its_invoice_is_refused(rig: Rig):
    await posted(rig, order(**TO_CLOUD))
    await posted(rig, invoice(**TO_CLOUD), "invoices")
    other = {"externalId": "ALFKI", "name": "Alfreds", "geography": "DE", "address": {"countryCode": "DE"}}
    await posted(rig, other, "customers")
    customer = {"externalId": "ALFKI", "source": "salesforce"}
    theirs = credit_note("C1", "INV-10248", customer=customer, **TO_CLOUD)
    problem = await refused(rig.send(theirs, "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "customer")


async def test_a_waiting_credit_note_is_not_counted_against_itself(rig: Rig):
    await posted(rig, order())
    rig.legacy.gate = asyncio.Event()
    await rig.send(invoice(), "invoices")
    waiting = await rig.send(credit_note("C1", "INV-10248", 12), "invoices")
    assert waiting.transaction.status is Status.WAITING
    rig.legacy.gate.set()
    await rig.settle()
    assert (await rig.record(waiting.transaction.transaction_id)).status is Status.POSTED


async def test_two_credits_at_once_do_not_exceed_their_invoice_together(rig: Rig):
    await asyncio.gather(*(posted(rig, order(str(number))) for number in range(8)))
    for number in range(8):
        await posted(rig, invoice(f"I{number}", str(number)), "invoices")
        names = (f"C{number}-{n}" for n in range(8))
        calls = (rig.send(credit_note(name, f"I{number}", 7), "invoices") for name in names)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(answer, Problem) for answer in answers].count(False) == 1
        await rig.settle()


async def test_cancelling_and_following_at_once_never_both_happen(rig: Rig):
    for number in range(10):
        ordered = await posted(rig, order(str(number)))
        cancelled, followed = await asyncio.gather(
            rig.cancel(ordered, wait_s=0.0),
            rig.send(invoice(f"I{number}", str(number)), "invoices", caller=BILLING),
            return_exceptions=True,
        )
        assert isinstance(cancelled, Problem) != isinstance(followed, Problem)
        await rig.settle()
