"""What is asked for when documents are read, and which rows are believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Customer
from adapters.errors import Garbled
from adapters.port import Search, Submission
from adapters.transport import ErpRequest
from tests.unit.sap_s4.documents import ADDRESS, REFERENCE
from tests.unit.sap_s4.driving import INVOICE, ORDER, allow, driver_of, order_row
from tests.unit.sap_s4.scripted import Step, as_json, as_served, number


async def test_an_inquiry_asks_by_reference_and_trusts_no_other_document() -> None:
    rows = [order_row(), order_row(SalesOrder="0000004738")]
    driver, transport = driver_of(lambda _: as_json({"d": {"results": rows}}))
    found = await driver.inquire(ORDER)
    assert [one.number.document_number for one in found] == ["0000004737", "0000004738"]
    assert all(one.agrees_with(driver.expectation(ORDER)) for one in found)
    assert transport.seen[-1].query["$filter"] == f"PurchaseOrderByCustomer eq '{REFERENCE}'"
    rows[1]["PurchaseOrderByCustomer"] = "OTHER"
    with pytest.raises(Garbled):
        await driver.inquire(ORDER)
    driver, _ = driver_of(lambda _: as_json({"d": {"results": rows * 20}}))
    with pytest.raises(Garbled):
        await driver.inquire(ORDER)


async def test_a_number_that_answers_with_two_documents_is_garbled() -> None:
    wanted = number("sales_order", "0000004737")
    for rows in ([order_row(), order_row()], [order_row(SalesOrder="0000004738")]):
        driver, _ = driver_of(lambda _, rows=rows: as_json({"d": {"results": rows}}))
        with pytest.raises(Garbled):
            await driver.read(wanted)
    driver, _ = driver_of(lambda _: as_json({"d": {"results": []}}))
    assert await driver.read(wanted) is None


async def test_pages_follow_the_key_whether_the_server_cuts_them_or_not() -> None:
    orders = [order_row(SalesOrder=f"{4700 + place:010d}") for place in range(7)]

    def erp(request: ErpRequest) -> Step:
        asked = request.query["$filter"]
        behind = asked.split("SalesOrder gt '")[1][:10] if "SalesOrder gt" in asked else ""
        left = [row for row in orders if row["SalesOrder"] > behind]
        given = left[: min(2, int(request.query["$top"]))]  # the server gives two at most
        more = {"__next": "http://elsewhere.example/$skiptoken=1"} if len(left) > len(given) else {}
        return as_json({"d": {"results": given, **more}})

    driver, transport = driver_of(erp)
    search = Search("orders", posted_from=date(1996, 7, 1), posted_until=date(1996, 7, 4), company_code="1000", limit=3)
    first = await driver.search(search)
    assert len(first.documents) == 3
    rest = await driver.search(replace(search, limit=100, cursor=first.next_cursor))
    assert [one.number.document_number for one in (*first.documents, *rest.documents)] == [
        row["SalesOrder"] for row in orders
    ]
    assert rest.next_cursor == ""
    assert (
        transport.seen[-1]
        .query["$filter"]
        .startswith(
            "SalesOrderDate ge datetime'1996-07-01T00:00:00' and SalesOrderDate lt datetime'1996-07-05T00:00:00'"
            " and SalesOrganization eq '1710' and (("
        )
    )
    totals = await driver.control_totals(search)
    assert (totals.count, totals.totals) == (7, {"USD": Decimal("1946.56")})


async def test_a_server_that_repeats_a_page_is_garbled() -> None:
    driver, _ = driver_of(lambda _: as_json({"d": {"results": [order_row()], "__next": "x"}}))
    with pytest.raises(Garbled):
        await driver.control_totals(Search("orders"))
    driver, _ = driver_of(lambda _: as_json({"d": {"results": [], "__next": "x"}}))
    with pytest.raises(Garbled):
        await driver.search(Search("orders"))


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_pieces() -> None:
    def erp(request: ErpRequest) -> Step:
        if int(request.query["$top"]) > 3:
            return Garbled("the answer is too large")
        return as_json({"d": {"results": []}})

    driver, transport = driver_of(erp)
    assert (await driver.search(Search("payments"))).documents == ()
    assert [one.query.get("$top") for one in transport.seen if "$top" in one.query] == ["50", "12", "3"]


async def test_customers_are_partners_with_the_role() -> None:
    def partner(name: str, role: str) -> dict[str, Any]:
        roles = {"results": [{"BusinessPartnerRole": role}]}
        said = {"BusinessPartner": name, "Customer": "", "SearchTerm1": REFERENCE, "BusinessPartnerIsBlocked": False}
        return said | {"to_BusinessPartnerRole": roles}

    rows = [partner("1", "FLCU01"), partner("2", "FLVN01")]
    driver, _ = driver_of(lambda _: as_json({"d": {"results": rows}}))
    found = await driver.search(Search("customers"))
    assert [one.number for one in found.documents] == [number("customer", "1")]
    submission = Submission(Customer(name="n", geography="FR", address=ADDRESS), REFERENCE)
    assert driver.expectation(submission).party is None


async def test_a_mirror_that_was_mirrored_itself_reverses_nothing() -> None:
    mirrored: dict[str, str] = {}
    entry: dict[str, Any] = {}

    def erp(request: ErpRequest) -> Step:
        if request.method == "POST":
            entry.update(as_served(json.loads(request.body or b"{}")))
            return as_json({"d": {**entry, "AccountingDocument": "0100000001"}}, 201)
        asked = request.query["$filter"]
        if "HeaderText eq 'REV " in asked:
            of = asked.split("'REV ")[1][:10]
            found = [mirror for mirror, original in sorted(mirrored.items()) if original == of]
        else:
            found = ["0100000001"] if "AccountingDocument eq '0100000001'" in asked else []
        return as_json({"d": {"results": [{**entry, "AccountingDocument": one} for one in found]}})

    driver, _ = driver_of(erp)
    await driver.submit(INVOICE, allow)

    async def reversals() -> list[str]:
        read = await driver.read(number("accounting_document", "0100000001/1710/1996"))
        assert read is not None
        assert read.reversed_by == (read.reversals[0] if read.reversals else None)
        return [one[:10] for one in read.reversals]

    assert await reversals() == []
    mirrored["0100000002"] = "0100000001"
    assert await reversals() == ["0100000002"]
    mirrored["0100000003"] = "0100000002"
    assert await reversals() == []
    mirrored["0100000004"] = "0100000001"
    assert await reversals() == ["0100000004"]
    mirrored["0100000005"] = "0100000003"
    assert await reversals() == ["0100000002", "0100000004"]
