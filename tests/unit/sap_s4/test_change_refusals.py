"""What cannot be changed or called off here, and the two ways of calling an order off."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Invoice, Payment
from adapters.errors import Misconfigured, Rejected
from adapters.port import Cancellation, Change, Posting
from tests.unit.sap_s4.documents import HEAD, submitted, two_lines
from tests.unit.sap_s4.driving import (
    CHANGE,
    CUSTOMER,
    ORDER,
    PRODUCT,
    allow,
    changed,
    do,
    in_memory,
    postings_of,
)
from tests.unit.sap_s4.scripted import number


@pytest.mark.parametrize("way", ["zero_quantity", "rejection_reason"])
async def test_both_ways_of_calling_an_order_off(way: str) -> None:
    driver, _, erp = in_memory("v2", cancel_orders_by=way)
    posted = await driver.submit(ORDER, allow)
    cancellation = Cancellation(posted.number, ORDER, CHANGE, "the customer's own words")
    await driver.cancel(cancellation, allow)
    [order] = erp.stands["A_SalesOrder"]
    reasons = {item["SalesDocumentRjcnReason"] for item in order["to_Item"]}
    quantities = {item["RequestedQuantity"] for item in order["to_Item"]}
    if way == "zero_quantity":
        assert (order["SDDocumentReason"], reasons, quantities) == ("Z9", {""}, {Decimal(0)})
    else:
        assert (order["SDDocumentReason"], reasons) == ("", {"Z9"})
        assert 0 not in quantities
    [found] = await driver.inquire(cancellation)
    assert found.cancelled
    assert found.as_demanded
    assert "own words" not in json.dumps(erp.stands, default=str)


async def test_an_order_that_is_delivered_is_not_called_off() -> None:
    driver, transport, erp = in_memory("v2")
    posted = await driver.submit(ORDER, allow)
    erp.stands["A_SalesOrder"][0]["OverallDeliveryStatus"] = "B"
    before = len(postings_of(transport))
    with pytest.raises(Rejected, match="delivered"):
        await driver.cancel(Cancellation(posted.number, ORDER, CHANGE), allow)
    assert len(postings_of(transport)) == before


async def test_without_a_reason_orders_cannot_be_called_off() -> None:
    driver, transport, _ = in_memory("v2", cancel_reason="")
    posted = await driver.submit(ORDER, allow)
    before = len(transport.seen)
    with pytest.raises(Misconfigured, match="cancel_reason"):
        await driver.cancel(Cancellation(posted.number, ORDER, CHANGE), allow)
    assert len(transport.seen) == before


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("customer", {"customer": HEAD["customer"].model_copy(update={"external_id": "ALFKI"})}),
        ("postingDate", {"posting_date": date(1996, 8, 1)}),
        ("currencyCode", {"currency_code": "EUR"}),
        ("externalId", {"external_id": "another"}),
    ],
)
async def test_members_that_cannot_be_changed_are_refused(member: str, values: dict[str, Any]) -> None:
    driver, transport, _ = in_memory("v2")
    document = changed(ORDER).model_copy(update=values)
    change = Change(number("sales_order", "0000004700"), ORDER, document, CHANGE, ORDER.numbers)
    with pytest.raises(Rejected) as refused:
        await driver.change(change, allow)
    assert refused.value.field == member
    assert transport.seen == []


async def test_what_is_not_changed_here_is_refused_without_a_call() -> None:
    driver, transport, _ = in_memory("v2")
    sales_order = number("sales_order", "0000004700")
    invoice, payment = submitted(Invoice(**two_lines())), submitted(Payment(**HEAD, amount=Decimal(1)))
    postings: list[Posting] = [
        Change(sales_order, invoice, invoice.document, CHANGE),
        Change(sales_order, ORDER, invoice.document, CHANGE),
        Change(number("product", "X"), ORDER, changed(ORDER), CHANGE, ORDER.numbers),
        Change(number("sales_order", "1", "legacy-main"), ORDER, changed(ORDER), CHANGE, ORDER.numbers),
        Cancellation(sales_order, invoice, CHANGE),
        Cancellation(sales_order, payment, CHANGE),
        Cancellation(number("product", "1"), PRODUCT, CHANGE),
    ]
    for posting in postings:
        with pytest.raises(Misconfigured):
            await do(driver, posting)
        if not isinstance(posting, Change) or posting.original.document is invoice.document:
            with pytest.raises(Misconfigured):
                await driver.inquire(posting)
    assert transport.seen == []


async def test_a_document_that_is_not_there_is_neither_changed_nor_found() -> None:
    driver, _, _ = in_memory("v2")
    for original, kind in ((ORDER, "sales_order"), (CUSTOMER, "customer"), (PRODUCT, "product")):
        document = changed(original)
        change = Change(number(kind, "0000000001"), original, document, CHANGE, submitted(document).numbers)
        with pytest.raises(Rejected, match="there is no"):
            await driver.change(change, allow)
        assert await driver.inquire(change) == ()
