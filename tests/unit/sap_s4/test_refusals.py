"""What this system could only hold altered, or could not hold at all, is refused before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Customer, Invoice, Order, Payment, Product
from adapters.cloud_erp.sap_s4.translate import accounting, customers, orders, products
from adapters.cloud_erp.sap_s4.translate.fields import UNREPRESENTABLE, Draft
from adapters.errors import ErpError, Misconfigured, Rejected
from adapters.port import Submission
from tests.unit.sap_s4.documents import ADDRESS, HEAD, journal_entry, line, submitted, two_lines
from tests.unit.sap_s4.scripted import SETTINGS, SYSTEM, number


def _draft(submission: Submission) -> Draft:
    if submission.domain == "orders":
        return orders.order_draft(submission, SETTINGS, SYSTEM)
    if submission.domain == "customers":
        return customers.customer_draft(submission, SETTINGS)
    if submission.domain == "products":
        return products.product_draft(submission, SETTINGS)
    return accounting.accounting_draft(submission, SETTINGS, SYSTEM)


def _refused(document: Any, **more: Any) -> ErpError:
    with pytest.raises(ErpError) as refused:
        _draft(submitted(document, **more))
    assert refused.value.happened is False
    return refused.value


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (Customer(name="n" * 82, geography="FR", address=ADDRESS), "name"),
        (Customer(name="n", geography="FR", address=ADDRESS.model_copy(update={"street": "s" * 61})), "address.street"),
        (Customer(name="n", geography="FR", address=ADDRESS.model_copy(update={"region": "r" * 40})), "address.region"),
        (Product(name="n" * 41), "name"),
        (Order(**two_lines(lines=(line(1, "1", "245.7000", "245.70"), line(2, "1", "0.0001", "0.00")),
            freight=None, totals={"net_amount": "245.70", "gross_amount": "245.70"})), "lines[1].quantity.value"),
        (Order(**two_lines(lines=(line(1, "245.70", "1", "245.70", discount_percent=Decimal("0.0001")),),
            freight=None, totals={"net_amount": "245.70", "gross_amount": "245.70"})), "lines[0].discountPercent"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(document: Any, field: str) -> None:
    refused = _refused(document)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.field) == (UNREPRESENTABLE, field)


def test_a_currency_with_four_decimals_is_refused() -> None:
    payment = Payment(**{**HEAD, "currency_code": "CLF"}, amount=Decimal("1.0001"))
    assert _refused(payment).field == "amount"


def test_an_unbalanced_entry_is_refused_because_the_peer_takes_it() -> None:
    wrong = Invoice(**two_lines()).model_copy(update={"freight": None})
    assert _refused(wrong).field == "totals"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"company_code": "2000"}, "lines[1].companyCode"),
        ({"currency_code": "EUR"}, "lines[1].currencyCode"),
        ({"amount": Decimal("9.00")}, "lines"),
    ],
)
def test_a_journal_entry_that_the_peer_takes_and_the_erp_could_not_hold_is_refused(
    change: dict[str, Any], field: str
) -> None:
    first, second, third = journal_entry().lines
    entry = journal_entry().model_copy(update={"lines": (first, second.model_copy(update=change), third)})
    assert _refused(entry).field == field


def test_a_line_that_repeats_the_company_and_currency_of_its_entry_is_taken() -> None:
    first, *others = journal_entry().lines
    said = first.model_copy(update={"company_code": "1000", "currency_code": "USD"})
    assert _draft(submitted(journal_entry(lines=(said, *others)))).notes == ()


def test_a_product_number_that_leaves_no_room_for_the_line_is_refused() -> None:
    named = {"lines[0].product": number("product", "P" * 40)}
    assert _refused(Invoice(**two_lines()), **named).field == "lines[0].product"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        number("customer", "1000001", "legacy-main"),
        number("product", "1000001"),
        number("customer", "12345678901"),
        number("customer", "1' or 1 eq"),
    ],
)
def test_a_customer_without_a_number_here_is_refused(wrong: Any) -> None:
    for document in (Order(**two_lines()), Invoice(**two_lines()), Payment(**HEAD, amount=Decimal(1))):
        submission = submitted(document)
        named = {name: value for name, value in submission.numbers.items() if name != "customer"}
        if wrong is not None:
            named["customer"] = wrong
        with pytest.raises(Misconfigured) as refused:
            _draft(replace(submission, numbers=named))
        assert refused.value.field == "customer"


@pytest.mark.parametrize("reference", ["", "x" * 17, "lower", "A'B", "Ä"])
def test_a_reference_that_a_field_would_change_is_refused(reference: str) -> None:
    with pytest.raises(Misconfigured):
        orders.order_draft(replace(submitted(Order(**two_lines())), external_reference=reference), SETTINGS, SYSTEM)


def test_a_company_that_is_not_configured_is_refused() -> None:
    refused = _refused(Order(**two_lines(company_code="9999")))
    assert isinstance(refused, Misconfigured)
    assert refused.field == "companyCode"
