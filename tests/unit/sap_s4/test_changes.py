"""Changing and calling off: read, compare, one call with all of it, found by how the document stands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Address, Contact, Customer, Invoice, Order, Payment
from adapters.errors import Misconfigured, OutcomeUnknown, Rejected
from adapters.port import Cancellation, Change, Posting, Submission
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.documents import ADDRESS, HEAD, line, submitted, two_lines
from tests.unit.sap_s4.driving import (
    CHANGE,
    CUSTOMER,
    ORDER,
    PRODUCT,
    SUBMISSIONS,
    VERSIONS,
    acts,
    allow,
    changed,
    do,
    in_memory,
    is_posting,
)
from tests.unit.sap_s4.scripted import ScriptedTransport, Step, number, problem

CHANGED = (ORDER, CUSTOMER, PRODUCT)


def _postings(transport: ScriptedTransport) -> list[ErpRequest]:
    return [one for one in transport.seen if is_posting(one)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("original", SUBMISSIONS, ids=lambda one: one.domain)
async def test_what_is_done_to_a_document_is_one_call_and_found(version: str, original: Submission) -> None:
    for act in range(len(acts(original, await in_memory(version)[0].submit(original, allow)))):
        driver, transport, _ = in_memory(version)
        posting = acts(original, await driver.submit(original, allow))[act]
        assert await driver.inquire(posting) == ()
        before = len(_postings(transport))
        posted = await do(driver, posting)
        assert len(_postings(transport)) == before + 1
        [found] = await driver.inquire(posting)
        assert found.number == posted.number
        assert found.agrees_with(driver.expectation(posting))
        assert found.cancelled is isinstance(posting, Cancellation)
        with pytest.raises(OutcomeUnknown):
            await do(driver, posting)
        assert len(_postings(transport)) == before + 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_changed_order_confirms_its_new_total_in_the_same_call(version: str) -> None:
    driver, _, _ = in_memory(version)
    change = acts(ORDER, await driver.submit(ORDER, allow))[0]
    posted = await do(driver, change)
    assert posted.confirmed.amount == Decimal("145.00") == driver.expectation(change).total
    assert posted.confirmed.company_code == "1000"


async def test_only_what_differs_is_sent_and_the_first_step_has_the_etag() -> None:
    driver, transport, _ = in_memory("v4")
    original = submitted(Order(**two_lines(ship_to=ADDRESS, quote_reference="Q-7")))
    posted = await driver.submit(original, allow)
    lines = (original.document.lines[0],)  # type: ignore[union-attr]
    document = Order(
        **two_lines(
            lines=lines,
            requested_delivery_date=date(1996, 8, 1),
            totals={"net_amount": "142.80", "tax_amount": "33.28", "freight_amount": "32.38", "gross_amount": "208.46"},
        )
    )
    await driver.change(Change(posted.number, original, document, CHANGE, submitted(document).numbers), allow)
    requests = json.loads(transport.seen[-1].body or b"")["requests"]
    order = "(SalesOrder=%270000004700%27"
    assert [(one["method"], one["url"], one.get("body")) for one in requests] == [
        ("PATCH", f"SalesOrder{order})", {"RequestedDeliveryDate": "1996-08-01"}),
        ("DELETE", f"SalesOrderItem{order},SalesOrderItem=%27000020%27)", None),
        ("DELETE", f"SalesOrderHeaderPartner{order},PartnerFunction=%27SH%27)", None),
        ("PATCH", f"SalesOrderText{order},Language=%27EN%27,LongTextID=%27TX01%27)", {"LongText": "externalId: 10248"}),
        ("GET", f"SalesOrder{order})", None),
    ]  # fmt: skip
    assert all(one["headers"]["if-match"].startswith('W/"') for one in requests[:-1])


async def test_a_change_of_items_alone_is_guarded_by_the_orders_etag() -> None:
    driver, transport, erp = in_memory("v2")
    posted = await driver.submit(ORDER, allow)
    etag = f'W/"{erp.stands["A_SalesOrder"][0]["__etag"]}"'
    lines = (ORDER.document.lines[0], line(20, "9.800125", "10.5", "102.90"))  # type: ignore[union-attr]
    document = ORDER.document.model_copy(update={"lines": lines})
    await driver.change(Change(posted.number, ORDER, document, CHANGE, ORDER.numbers), allow)
    body = (transport.seen[-1].body or b"").decode()
    first = body[body.index("PATCH") :]
    assert first.startswith("PATCH A_SalesOrder(SalesOrder=%270000004700%27) HTTP/1.1\r\n")
    assert f"If-Match: {etag}\r\n" in first.split("\r\n\r\n")[0] + "\r\n"
    assert ORDER.external_reference in first.split("\r\n\r\n")[1]


async def test_steps_state_what_shall_be_not_by_how_much_it_differs() -> None:
    """A second one changes nothing: the same batch again leaves the same order."""
    driver, transport, erp = in_memory("v4")
    change = acts(CUSTOMER, await driver.submit(CUSTOMER, allow))[0]
    await do(driver, change)
    once = erp.stands["A_BusinessPartner"][0]["OrganizationBPName1"]
    assert once == "Vins et alcools Chevalier"
    batch = json.loads(transport.seen[-1].body or b"")
    assert [one["body"] for one in batch["requests"]] == [{"OrganizationBPName1": once}]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("original", CHANGED, ids=lambda one: one.domain)
async def test_a_change_by_somebody_else_is_left_alone(version: str, original: Submission) -> None:
    driver, transport, erp = in_memory(version)
    postings = acts(original, await driver.submit(original, allow))
    before = len(_postings(transport))
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
    assert len(_postings(transport)) == before


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("original", CHANGED, ids=lambda one: one.domain)
async def test_a_change_that_comes_between_reading_and_sending_wins(version: str, original: Submission) -> None:
    """The ETag of what was read no longer matches: nothing of ours is done."""
    driver, _, erp = in_memory(version)
    posting = acts(original, await driver.submit(original, allow))[0]
    [root] = [rows[0] for rows in erp.stands.values() if rows]

    def meddle() -> None:
        root["__etag"] += 1000
        root["Meddled"] = "yes"

    with pytest.raises(Rejected) as refused:
        await do(driver, posting, meddle)
    assert "changed by another user" in refused.value.message
    assert root["Meddled"] == "yes"
    assert await driver.inquire(posting) == ()


@pytest.mark.parametrize("version", VERSIONS)
async def test_if_one_of_the_steps_fails_none_is_done(version: str) -> None:
    """The last of them here: the others were executed, and are undone."""
    driver, _, erp = in_memory(version)
    change = acts(ORDER, await driver.submit(ORDER, allow))[0]
    stood = json.dumps(erp.stands, default=str)

    def meddle() -> None:
        erp.stands["A_SalesOrder"][0]["to_Item"][0]["__etag"] += 1000

    with pytest.raises(Rejected):
        await do(driver, change, meddle)
    erp.stands["A_SalesOrder"][0]["to_Item"][0]["__etag"] -= 1000
    assert json.dumps(erp.stands, default=str) == stood


async def test_a_rolled_back_member_that_states_success_is_no_success() -> None:
    """One failed member of an atomicity group is enough (seen on SAP CAP)."""

    def lie(request: ErpRequest, answer: ErpResponse) -> Step:
        if not request.path.endswith("$batch"):
            return answer
        body = json.loads(answer.body)
        body["responses"][-2] = {"id": body["responses"][-2]["id"], "status": 400, "body": json.loads(refused.body)}
        return replace(answer, body=json.dumps(body).encode())

    refused = problem(400, "Credit limit exceeded", "V1/849")
    driver, _, _ = in_memory("v4", lie)
    change = acts(ORDER, await driver.submit(ORDER, allow))[0]
    with pytest.raises(Rejected) as failed:
        await do(driver, change)
    assert failed.value.code == "V1/849"


async def test_of_several_failures_the_doubtful_one_counts() -> None:
    def answer_with(statuses: tuple[int, ...]) -> Any:
        def answers(request: ErpRequest, answer: ErpResponse) -> Step:
            if not request.path.endswith("$batch"):
                return answer
            said = json.loads(problem(400, "no").body)
            responses = [{"id": str(place), "status": one, "body": said} for place, one in enumerate(statuses, 1)]
            return replace(answer, body=json.dumps({"responses": responses}).encode())

        return answers

    for statuses, error in (((400, 500), OutcomeUnknown), ((500, 400), OutcomeUnknown), ((400, 409), Rejected)):
        driver, _, _ = in_memory("v4", answer_with(statuses))
        change = acts(ORDER, await driver.submit(ORDER, allow))[0]
        with pytest.raises(error):
            await do(driver, change)


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
    before = len(_postings(transport))
    with pytest.raises(Rejected, match="delivered"):
        await driver.cancel(Cancellation(posted.number, ORDER, CHANGE), allow)
    assert len(_postings(transport)) == before


async def test_without_a_reason_orders_cannot_be_called_off() -> None:
    driver, transport, _ = in_memory("v2", cancel_reason="")
    posted = await driver.submit(ORDER, allow)
    before = len(transport.seen)
    with pytest.raises(Misconfigured, match="cancel_reason"):
        await driver.cancel(Cancellation(posted.number, ORDER, CHANGE), allow)
    assert len(transport.seen) == before


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


async def test_a_customer_changes_name_address_and_contact() -> None:
    contact = Contact(name="Paul", phone="1", email="a@b.example")
    original = Submission(replace_contact(contact), CUSTOMER.external_reference)
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


def replace_contact(contact: Contact) -> Customer:
    """The customer with this contact."""
    return CUSTOMER.document.model_copy(update={"contact": contact})  # type: ignore[return-value]


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
        Cancellation(number("customer", "1"), CUSTOMER, CHANGE),
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


async def test_a_reading_behind_the_steps_that_fails_leaves_them_done() -> None:
    def without(request: ErpRequest, answer: ErpResponse) -> Step:
        if not request.path.endswith("$batch"):
            return answer
        body = json.loads(answer.body)
        body["responses"][-1]["body"] = {"SalesOrder": 7}
        return replace(answer, body=json.dumps(body).encode())

    driver, _, _ = in_memory("v4", without)
    change = acts(ORDER, await driver.submit(ORDER, allow))[0]
    posted = await do(driver, change)
    assert posted.confirmed.amount is None
    assert (await driver.inquire(change))[0].as_demanded
