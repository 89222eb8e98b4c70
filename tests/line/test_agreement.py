"""A document has the customer and currency of what it follows; a billed order is not lowered below its bills."""

from typing import Any

import pytest

from gateway.domain.transaction import Status
from tests.line.asking import posted, refused
from tests.line.documents import TO_CLOUD, contract, credit_note, priced
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


async def test_nothing_bills_or_renews_a_cancelled_contract_and_a_credit_may_name_it(rig: Rig) -> None:
    ended = await posted(rig, contract(), "contracts")
    await posted(rig, order())
    await posted(rig, invoice(**OF_CONTRACT), "invoices")
    await rig.cancel(ended, "contracts")
    for body, domain, field in (
        (invoice("late", **OF_CONTRACT), "invoices", "contractReference"),
        (contract("SUB-2", renewalOf={"externalId": "SUB-1"}), "contracts", "renewalOf"),
    ):
        problem = await refused(rig.send(body, domain))
        assert (problem.slug, problem.errors[0].field) == ("lineage-closed", field)
    assert await posted(rig, credit_note("C", "INV-10248", **OF_CONTRACT), "invoices")


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


async def test_an_order_below_its_bills_may_still_be_raised(rig: Rig) -> None:
    ordered = await posted(rig, order() | priced(5))
    await posted(rig, invoice(), "invoices")
    assert (await rig.change(ordered, priced(6))).transaction.status is Status.POSTED
