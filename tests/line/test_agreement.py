"""A document has the customer and currency of what it follows; a billed order is not lowered below its bills."""

from typing import Any

import pytest

from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.store.store import Store
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, contract, credit_note, journal_entry, priced
from tests.line.rig import Rig, invoice, order, payment

OTHER = {"externalId": "ALFKI", "name": "Alfreds", "geography": "DE", "address": {"countryCode": "DE"}}
THEIRS = {"customer": {"externalId": "ALFKI", "source": "salesforce"}, **TO_CLOUD}
OF_CONTRACT = {"contractReference": {"externalId": "SUB-1", "source": "salesforce"}}


async def two_invoices_in_the_cloud(rig: Rig) -> None:
    """I1 of VINET, I2 of ALFKI."""
    await posted(rig, OTHER, "customers")
    await posted(rig, order("1", **TO_CLOUD))
    await posted(rig, order("2", customer={"externalId": "ALFKI"}, **TO_CLOUD))
    await posted(rig, invoice("I1", "1", **TO_CLOUD), "invoices")
    await posted(rig, invoice("I2", "2", **THEIRS), "invoices")


async def test_a_payment_of_another_customers_invoice_is_refused(rig: Rig) -> None:
    await two_invoices_in_the_cloud(rig)
    calls = rig.cloud.calls
    problem = await refused(rig.send(payment("P", ("I1", "I2"), **THEIRS), "payments"))
    assert (problem.slug, [error.field for error in problem.errors]) == ("invalid-document", ["customer"])
    assert "allocations[0].invoiceReference" in problem.errors[0].message
    problem = await refused(rig.send(payment("P", ("I1", "I2"), **TO_CLOUD), "payments"))
    assert "allocations[1].invoiceReference" in problem.errors[0].message
    assert rig.cloud.calls == calls
    assert await posted(rig, payment("P", ("I2",), **THEIRS), "payments")


@pytest.mark.parametrize(
    ("body", "domain", "field"),
    [
        (invoice("I3", "1", **THEIRS), "invoices", "customer"),
        (invoice("I3", "1", currencyCode="EUR", **TO_CLOUD), "invoices", "currencyCode"),
        (payment("P", ("I1",), currencyCode="EUR", **TO_CLOUD), "payments", "currencyCode"),
        (credit_note("C", "I1", **THEIRS), "invoices", "customer"),
    ],
)
async def test_what_has_another_customer_or_currency_than_it_follows_is_refused(
    rig: Rig, body: dict[str, Any], domain: str, field: str
) -> None:
    await two_invoices_in_the_cloud(rig)
    problem = await refused(rig.send(body, domain))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", field)


async def test_an_invoice_bills_a_contract_of_its_own_customer_and_a_renewal_may_have_another(rig: Rig) -> None:
    await posted(rig, OTHER, "customers")
    await posted(rig, contract(**TO_CLOUD), "contracts")
    await posted(rig, order("2", customer={"externalId": "ALFKI"}, **TO_CLOUD))
    problem = await refused(rig.send(invoice("I2", "2", **THEIRS, **OF_CONTRACT), "invoices"))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "customer")
    renewal = contract("SUB-2", renewalOf={"externalId": "SUB-1"}, customer={"externalId": "ALFKI"}, **TO_CLOUD)
    assert await posted(rig, renewal, "contracts")


async def test_a_cancelled_contract_is_not_renewed_and_its_final_bill_and_credits_relate_to_it(rig: Rig) -> None:
    ended = await posted(rig, contract(), "contracts")
    await posted(rig, order() | priced(20))
    await posted(rig, invoice(**OF_CONTRACT), "invoices")
    await rig.cancel(ended, "contracts")
    renewal = contract("SUB-2", renewalOf={"externalId": "SUB-1"})
    problem = await refused(rig.send(renewal, "contracts"))
    assert (problem.slug, problem.errors[0].field) == ("lineage-closed", "renewalOf")
    final = await rig.document(await posted(rig, invoice("final", **OF_CONTRACT), "invoices"))
    credit = await rig.document(await posted(rig, credit_note("C", "INV-10248", **OF_CONTRACT), "invoices"))
    contract_lineage = (await rig.document(ended)).lineage_id
    view = await rig.store.reads.lineage(contract_lineage, Visible())
    related = {one.document_id for one in view.relations if (one.kind, one.target_document_id) == ("relates", ended)}
    assert {final.document_id, credit.document_id} < related
    # the contract stays ended, and what it is billed by belongs to its own lineage
    assert (await rig.document(ended)).state == "cancelled"
    assert contract_lineage not in {final.lineage_id, credit.lineage_id}


async def test_an_order_is_not_lowered_below_what_it_was_billed_for(rig: Rig) -> None:
    ordered = await posted(rig, order() | priced(20))
    await posted(rig, invoice(), "invoices")
    problem = await refused(rig.change(ordered, priced(11)))
    assert (problem.slug, problem.errors[0].field) == ("invalid-document", "totals.grossAmount")
    assert "168.00 USD" in problem.detail
    assert (await rig.change(ordered, priced(12))).transaction.status is Status.POSTED
    # what was credited is billed no more, whether the credit names the order beside the invoice or not
    await posted(rig, credit_note("C1", "INV-10248", 2), "invoices")
    both = credit_note("C2", "INV-10248", 2, orderReference={"externalId": "10248", "source": "salesforce"})
    await posted(rig, both, "invoices")
    assert "112.00 USD" in (await refused(rig.change(ordered, priced(7)))).detail
    assert (await rig.change(ordered, priced(8))).transaction.status is Status.POSTED


OF_ORDER = {"orderReference": {"externalId": "10248", "source": "salesforce"}}
NOT_AN_INVOICE = "names a credit note, not an invoice"


async def test_a_credit_note_is_neither_credited_nor_paid(rig: Rig) -> None:
    await posted(rig)
    billed = await posted(rig, invoice(), "invoices")
    await posted(rig, credit_note("C1", "INV-10248", 6), "invoices")
    calls = rig.legacy.calls
    problem = await refused(rig.send(credit_note("C2", "C1", 6), "invoices"))
    assert (problem.slug, [(one.field, one.message) for one in problem.errors]) == (
        "invalid-document",
        [("invoiceReference", NOT_AN_INVOICE)],
    )
    problem = await refused(rig.send(payment("P", ("INV-10248", "C1")), "payments"))
    assert (problem.slug, [(one.field, one.message) for one in problem.errors]) == (
        "invalid-document",
        [("allocations[1].invoiceReference", NOT_AN_INVOICE)],
    )
    assert rig.legacy.calls == calls
    # what is left of the invoice is credited by naming the invoice
    await posted(rig, credit_note("C3", "INV-10248", 6), "invoices")
    view = await rig.store.reads.lineage((await rig.document(billed)).lineage_id, Visible())
    assert sum(one.document_type == "credit_note" for one in view.documents) == 2


async def test_a_credit_note_does_not_follow_an_order_that_its_invoice_does_not(rig: Rig) -> None:
    await posted(rig)
    unrelated = await posted(rig, order("2"))
    await posted(rig, invoice(), "invoices")
    await posted(rig, invoice("I2", "2"), "invoices")
    body = credit_note("C", "INV-10248", 6, orderReference={"externalId": "2", "source": "salesforce"})
    problem = await refused(rig.send(body, "invoices"))
    assert problem.slug == "invalid-document"
    assert [one.field for one in problem.errors] == ["invoiceReference", "orderReference"]
    assert (await refused(rig.change(unrelated, priced(11)))).errors[0].field == "totals.grossAmount"
    assert await posted(rig, credit_note("C", "INV-10248", 6, **OF_ORDER), "invoices")


async def test_a_credit_that_names_an_order_alone_takes_nothing_from_what_it_was_billed_for(rig: Rig) -> None:
    ordered = await posted(rig)
    await posted(rig, invoice(), "invoices")
    alone = credit_note("C", "INV-10248", 6, **OF_ORDER)
    del alone["invoiceReference"]
    await posted(rig, alone, "invoices")
    assert "168.00 USD" in (await refused(rig.change(ordered, priced(11)))).detail


async def test_a_journal_entry_follows_one_lineage(rig: Rig) -> None:
    for name in ("1", "2", "3"):
        await posted(rig, order(name))
        await posted(rig, invoice(f"I{name}", name), "invoices")
    # one payment may settle several lineages of one system
    await posted(rig, payment("P", ("I1", "I2")), "payments")
    two = {"invoiceReference": {"externalId": "I1"}, "orderReference": {"externalId": "2", "source": "salesforce"}}
    problem = await refused(rig.send(journal_entry(**two), "journal_entries"))
    assert problem.slug == "invalid-document"
    assert [one.field for one in problem.errors] == ["invoiceReference", "orderReference"]
    paid = {"paymentReference": {"externalId": "P"}}
    for name in ("I2", "2"):
        unpaid, settled = (
            {"orderReference": {"externalId": number, "source": "salesforce"}}
            if name == "2"
            else {"invoiceReference": {"externalId": f"I{number}"}}
            for number in ("3", "2")
        )
        assert (await refused(rig.send(journal_entry(**paid, **unpaid), "journal_entries"))).slug == "invalid-document"
        assert await posted(rig, journal_entry(f"JE-{name}", **paid, **settled), "journal_entries")


async def test_more_lines_than_the_target_takes_are_refused_before_they_are_sent(store: Store) -> None:
    rig = await Rig.on(store, max_lines=1)
    ordered = await posted(rig)
    (line,) = order()["lines"]
    two = {"lines": [line, line | {"lineNumber": 2}], "totals": {"netAmount": "336.00", "grossAmount": "336.00"}}
    calls = rig.legacy.calls
    for call in (rig.send(order("2", **two)), rig.change(ordered, two), rig.send(journal_entry(), "journal_entries")):
        problem = await refused(call)
        assert (problem.slug, problem.errors[0].field) == ("invalid-document", "lines")
        assert "legacy-main takes 1 lines" in problem.detail
    assert rig.legacy.calls == calls


async def test_an_unknown_reference_tells_under_which_source_it_was_looked_up(rig: Rig) -> None:
    await posted(rig)
    for reference, told in (
        ({"externalId": "10248"}, "10248 under the source billing"),
        ({"externalId": "1", "source": "salesforce"}, "salesforce:1"),
    ):
        problem = await refused(rig.send(invoice(orderReference=reference), "invoices"))
        assert problem.slug == "unknown-reference"
        assert f"is known as {told}" in problem.errors[0].message


async def test_an_order_below_its_bills_may_still_be_raised(rig: Rig) -> None:
    ordered = await posted(rig, order() | priced(5))
    await posted(rig, invoice(), "invoices")
    assert (await rig.change(ordered, priced(6))).transaction.status is Status.POSTED
