"""How a document stands: what counts as somebody else's change, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Address, Contact, Customer, Order
from adapters.errors import Rejected
from adapters.port import Change, Submission
from tests.unit.sap_s4.documents import line, submitted, two_lines
from tests.unit.sap_s4.driving import (
    CHANGE,
    CHANGED,
    CUSTOMER,
    ORDER,
    VERSIONS,
    acts,
    allow,
    do,
    in_memory,
    postings_of,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("original", CHANGED, ids=lambda one: one.domain)
async def test_a_change_by_somebody_else_is_left_alone(version: str, original: Submission) -> None:
    driver, transport, erp = in_memory(version)
    postings = acts(original, await driver.submit(original, allow))
    before = len(postings_of(transport))
    [root] = [rows[0] for rows in erp.stands.values() if rows]
    meddled: dict[str, tuple[dict[str, Any], str, Any]] = {
        "orders": (root.get("to_Item", [{}])[0], "NetAmount", Decimal("1.00")),
        "customers": (root.get("to_BusinessPartnerAddress", [{}])[0], "CityName", "Paris"),
        "products": (root, "BaseUnit", "KG"),
    }
    entity, name, value = meddled[original.domain]
    entity[name] = value
    for posting in postings:
        with pytest.raises(Rejected) as refused:
            await do(driver, posting)
        assert refused.value.code == "CHANGED_SINCE"
        assert name in refused.value.message
        assert str(value) not in refused.value.message
        [found] = await driver.inquire(posting)
        assert not found.as_demanded
        assert not found.agrees_with(driver.expectation(posting))
    assert len(postings_of(transport)) == before


async def test_what_is_not_ours_is_neither_compared_nor_touched() -> None:
    """Partners, conditions and texts that SAP or a clerk added."""
    driver, _, erp = in_memory("v2")
    posted = await driver.submit(ORDER, allow)
    [order] = erp.stands["A_SalesOrder"]
    key = {"SalesOrder": order["SalesOrder"], "__etag": 1}
    payer = {**key, "PartnerFunction": "PY", "Customer": "1", "to_Address": []}
    note = {**key, "Language": "DE", "LongTextID": "TX02", "LongText": "Vorsicht"}
    own = {**order["to_Item"][0]["to_PricingElement"][0], "PricingProcedureStep": "900", "ConditionType": "VPRS"}
    order["to_Partner"].append(payer)
    order["to_Text"].append(note)
    order["to_Item"][0]["to_PricingElement"].append(own)
    for posting in acts(ORDER, posted)[:1]:
        await do(driver, posting)
        [found] = await driver.inquire(posting)
        assert found.as_demanded
    [order] = erp.stands["A_SalesOrder"]
    assert payer in order["to_Partner"]
    assert note in order["to_Text"]
    assert own in order["to_Item"][0]["to_PricingElement"]


async def test_a_delivery_date_that_the_erp_moved_is_not_somebody_elses_change() -> None:
    asked = two_lines(requested_delivery_date=date(1996, 7, 10))
    original = submitted(Order(**asked))
    driver, _, erp = in_memory("v2")
    posted = await driver.submit(original, allow)
    moved = date(1996, 8, 1)
    erp.stands["A_SalesOrder"][0]["RequestedDeliveryDate"] = moved
    document = Order(**{**asked, "quote_reference": "Q"})
    change = Change(posted.number, original, document, CHANGE, original.numbers)
    assert await driver.inquire(change) == ()
    await driver.change(change, allow)
    assert erp.stands["A_SalesOrder"][0]["RequestedDeliveryDate"] == moved
    assert (await driver.inquire(change))[0].as_demanded
    # A date alone: the day there could be either, so a person must look.
    sooner = Order(**{**asked, "requested_delivery_date": date(1996, 7, 20), "quote_reference": "Q"})
    doubtful = Change(posted.number, submitted(document), sooner, CHANGE, original.numbers)
    with pytest.raises(Rejected):
        await driver.change(doubtful, allow)
    # One that is later than the day there is plainly not done yet.
    later = Order(**{**asked, "requested_delivery_date": date(1996, 9, 1), "quote_reference": "Q"})
    await driver.change(Change(posted.number, submitted(document), later, CHANGE, original.numbers), allow)
    assert erp.stands["A_SalesOrder"][0]["RequestedDeliveryDate"] == date(1996, 9, 1)


async def test_the_freight_keeps_its_item_when_lines_are_added_behind() -> None:
    driver, _, erp = in_memory("v2")
    posted = await driver.submit(ORDER, allow)
    more = two_lines()
    more["lines"] += (line(5_000, "5.00", "1", "5.00"),)
    more["totals"] = {
        "net_amount": "250.70",
        "tax_amount": "33.28",
        "freight_amount": "32.38",
        "gross_amount": "316.36",
    }
    document = Order(**more)
    await driver.change(Change(posted.number, ORDER, document, CHANGE, submitted(document).numbers), allow)
    items = erp.stands["A_SalesOrder"][0]["to_Item"]
    assert sorted(item["SalesOrderItem"] for item in items) == ["000001", "000020", "005000", "999999"]


async def test_the_freight_makes_room_for_a_line_of_its_number() -> None:
    driver, _, erp = in_memory("v2")
    posted = await driver.submit(ORDER, allow)
    more = two_lines()
    more["lines"] += (line(999_999, "5.00", "1", "5.00"),)
    more["totals"] = {
        "net_amount": "250.70",
        "tax_amount": "33.28",
        "freight_amount": "32.38",
        "gross_amount": "316.36",
    }
    document = Order(**more)
    change = Change(posted.number, ORDER, document, CHANGE, submitted(document).numbers)
    await driver.change(change, allow)
    items = {item["SalesOrderItem"]: item["Material"] for item in erp.stands["A_SalesOrder"][0]["to_Item"]}
    assert items["999998"] == "FREIGHT"
    assert (await driver.inquire(change))[0].as_demanded


def _with_contact(contact: Contact) -> Customer:
    """The customer with this contact."""
    return CUSTOMER.document.model_copy(update={"contact": contact})  # type: ignore[return-value]


async def test_a_customer_changes_name_address_and_contact() -> None:
    contact = Contact(name="Paul", phone="1", email="a@b.example")
    original = Submission(_with_contact(contact), CUSTOMER.external_reference)
    driver, _, erp = in_memory("v2")
    posted = await driver.submit(original, allow)
    long = "Vins et alcools Chevalier, père, fils et petits-fils"
    document = Customer(name=long, geography="FR", address=Address(country_code="CH", city="Genève"))
    change = Change(posted.number, original, document, CHANGE)
    await driver.change(change, allow)
    [partner] = erp.stands["A_BusinessPartner"]
    assert (partner["OrganizationBPName1"], partner["BusinessPartnerFullName"]) == (long[:40], long)
    [address] = partner["to_BusinessPartnerAddress"]
    assert (address["CityName"], address["StreetName"], address["Country"]) == ("Genève", "", "CH")
    assert (address["PhoneNumber"], address["EmailAddress"]) == ("", "")
    # The ERP states a full name of its own where there was none; that is no change.
    back = Change(posted.number, replace(original, document=document), original.document, CHANGE)
    posted = await driver.change(back, allow)
    assert posted.messages == ("contact name, title and fax are left out",)
    partner["BusinessPartnerFullName"] = partner["OrganizationBPName1"]
    assert (await driver.inquire(back))[0].as_demanded
