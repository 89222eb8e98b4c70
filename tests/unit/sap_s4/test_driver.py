"""What every answer means for a posting, and that nothing is posted twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import DOMAINS, Payment
from adapters.cloud_erp.sap_s4.services import ORDERS
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import ErpPort, Operation, Reversal, Search, Submission
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.documents import HEAD, submitted
from tests.unit.sap_s4.driving import ENTRY, INVOICE, ORDER, PRODUCT, allow, driver_of, in_memory, order_row
from tests.unit.sap_s4.scripted import SYSTEM, Step, as_json, as_served, html, number, problem


def _echo(request: ErpRequest) -> Step:
    """A journal entry as the ERP gives it back."""
    row = as_served(json.loads(request.body or b"{}"))
    return as_json({"d": {**row, "AccountingDocument": "0100000007"}}, 201)


def test_the_driver_is_a_port() -> None:
    driver, _ = driver_of(_echo)
    assert isinstance(driver, ErpPort)
    assert driver.system_id == SYSTEM
    capabilities = driver.capabilities()
    assert set(capabilities) == {(domain, operation) for domain in DOMAINS for operation in Operation}
    assert all(one.supported is not bool(one.reason) for one in capabilities.values())
    assert not any(one.can_validate for one in capabilities.values())
    assert [key for key, one in capabilities.items() if one.reference_unique] == [("products", Operation.CREATE)]


async def test_what_has_no_v4_service_goes_over_v2_or_is_refused_with_the_reason() -> None:
    mixed, transport, _ = in_memory("v4")
    await mixed.submit(INVOICE, allow)
    entry = transport.seen[-1]
    assert entry.path == "/sap/opu/odata/sap/API_JOURNALENTRY_SRV/A_JournalEntry"
    assert "OData-Version" not in entry.headers
    await mixed.submit(ORDER, allow)
    order = transport.seen[-1]
    assert order.path.endswith("/api_salesorder/0001/SalesOrder")
    assert "DataServiceVersion" not in order.headers
    # One access token and one CSRF token serve both.
    assert sum(one.headers.get("X-CSRF-Token") == "Fetch" for one in transport.seen) == 1
    only_v4, transport, _ = in_memory("v4", accounting_over="none")
    for domain in ("invoices", "payments", "journal_entries"):
        for operation in Operation:
            capability = only_v4.capabilities()[domain, operation]
            assert not capability.supported
            assert "V4" in capability.reason
    for call in (only_v4.submit(INVOICE, allow), only_v4.search(Search("invoices")), only_v4.inquire(ENTRY)):
        with pytest.raises(Misconfigured):
            await call
    assert transport.seen == []


async def test_v4_sends_what_v4_reads() -> None:
    named = {"odata_version": "v4", "v4_names": {"to_Item": "_Item"}, "sap_client": "100"}
    driver, transport = driver_of(lambda _: as_json({"value": []}), **named)
    with pytest.raises(Garbled):
        await driver.submit(ORDER, allow)
    assert b'"_Item":[{"SalesOrderItem":"000001"' in (transport.seen[-1].body or b"")
    assert transport.seen[-1].headers["sap-client"] == "100"
    assert (await driver.search(Search("orders", posted_from=date(1996, 7, 1)))).documents == ()
    query = transport.seen[-1].query
    assert query["$filter"] == "SalesOrderDate ge 1996-07-01"
    assert "$format" not in query


async def test_an_order_is_posted_and_confirmed() -> None:
    warning = json.dumps({"code": "V1/302", "message": "moved", "details": [{"code": "X", "message": "two"}, 1]})
    answer = as_json({"d": order_row()}, 201, headers={"sap-message": warning})
    driver, transport = driver_of(lambda _: answer)
    posted = await driver.submit(ORDER, allow)
    assert posted.number == number("sales_order", "0000004737")
    assert posted.confirmed.amount == Decimal("278.08") == driver.expectation(ORDER).total
    assert posted.confirmed.company_code == "1000"
    assert posted.confirmed.posting_date == date(1996, 7, 4)
    assert posted.messages == ("V1/302 moved", "X two")
    assert transport.seen[-1].headers["Content-Type"].startswith("application/json")


async def test_an_entry_is_confirmed_with_its_period() -> None:
    driver, transport = driver_of(_echo)
    posted = await driver.submit(INVOICE, allow)
    assert posted.number.document_number == "0100000007/1710/1996"
    assert (posted.confirmed.fiscal_year, posted.confirmed.fiscal_period) == (1996, 7)
    assert posted.confirmed.amount == Decimal("311.36")
    assert transport.seen[-1].query == {"$expand": "to_JournalEntryItem"}


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (problem(400, "Credit limit exceeded", "V1/849", "SoldToParty"), Rejected, "V1/849"),
        (problem(409, "exists"), Rejected, "/IWBEP/CX_MGW_BUSI_EXCEPTION"),
        (problem(412, "changed"), Rejected, "/IWBEP/CX_MGW_BUSI_EXCEPTION"),
        (problem(428, "no ETag"), Rejected, "/IWBEP/CX_MGW_BUSI_EXCEPTION"),
        (problem(403, "No authorization", "/IWFND/CM_BEC"), Misconfigured, "/IWFND/CM_BEC"),
        (problem(404, "no such service", "X"), Misconfigured, "X"),
        (problem(405, "read-only", "X"), Misconfigured, "X"),
        (problem(423, "locked", "X"), NotSent, "X"),
        (html(423), NotSent, "423"),
        (html(429), NotSent, "429"),
        (problem(503, "No dialog work process available", "/IWFND/CM_MGW_RT"), NotSent, "/IWFND/CM_MGW_RT"),
        (problem(503, "something else", "X"), OutcomeUnknown, "X"),
        (html(503), OutcomeUnknown, "503"),
        (problem(500, "An exception was raised", "X"), OutcomeUnknown, "X"),
        (html(502), OutcomeUnknown, "502"),
        (html(504), OutcomeUnknown, "504"),
        (html(400), Garbled, "400"),
        (html(403), Garbled, "403"),
        (html(404), Garbled, "404"),
        (ErpResponse(302, {"location": "/login"}, b""), Garbled, "302"),
        (ErpResponse(204, {}, b""), Garbled, "204"),
        (as_json({"d": order_row()}, 200), Garbled, "200"),
        (as_json({"error": {"code": "X"}}, 400), Garbled, "400"),
        (NotSent("refused"), NotSent, ""),
        (OutcomeUnknown("cut"), OutcomeUnknown, ""),
        (Garbled("not HTTP"), Garbled, ""),
    ],
)
async def test_an_answer_other_than_success(answer: Step, error: type[ErpError], code: str) -> None:
    driver, transport = driver_of(lambda _: answer)
    with pytest.raises(error) as failed:
        await driver.submit(ORDER, allow)
    assert type(failed.value) is error
    assert failed.value.code == code
    assert transport.paths().count("POST A_SalesOrder") == 1


async def test_a_refusal_has_the_words_and_the_property_of_the_erp() -> None:
    driver, _ = driver_of(lambda _: problem(400, "Credit limit exceeded", "V1/849", "SoldToParty"))
    with pytest.raises(Rejected) as refused:
        await driver.submit(ORDER, allow)
    assert (refused.value.message, refused.value.field) == ("Credit limit exceeded", "SoldToParty")


@pytest.mark.parametrize(("value", "seconds"), [("30", 30.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_how_long_the_busy_erp_asks_to_wait(value: str, seconds: float | None) -> None:
    busy = problem(503, "No dialog work process available", "/IWFND/CM_MGW_RT")
    answer = ErpResponse(503, {**busy.headers, "retry-after": value}, busy.body)
    driver, _ = driver_of(lambda _: answer)
    with pytest.raises(NotSent) as failed:
        await driver.submit(ORDER, allow)
    assert failed.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "body",
    [
        {"d": {"results": [order_row(), order_row()]}},
        {"d": {"results": [order_row()]}},
        {"d": order_row(PurchaseOrderByCustomer="ANOTHER")},
        {"d": order_row(SalesOrder="")},
        {"d": order_row(SalesOrder="47/37")},
        {"d": order_row(SalesOrder=4737)},
        {"d": order_row(TotalNetAmount=278.08)},
        {"d": order_row(SalesOrderDate="1996-07-04")},
        {"d": {}},
        {},
    ],
)
async def test_a_201_that_is_not_our_document_is_no_success(body: object) -> None:
    driver, _ = driver_of(lambda _: as_json(body, 201))
    with pytest.raises(Garbled):
        await driver.submit(ORDER, allow)


@pytest.mark.parametrize(
    "response",
    [
        ErpResponse(201, {"content-type": "text/html"}, b"<html>"),
        ErpResponse(201, {"content-type": "application/json"}, json.dumps({"d": order_row()}).encode()[:-9]),
        ErpResponse(201, {"content-type": "application/json;charset=latin1"}, json.dumps({"d": order_row()}).encode()),
        ErpResponse(201, {"content-type": "application/json"}, b'{"d":' * 100_000),
        ErpResponse(201, {"content-type": "application/json"}, b'{"d":{"SalesOrder":"1","SalesOrder":"2"}}'),
    ],
)  # fmt: skip
async def test_a_hostile_201_is_no_success(response: ErpResponse) -> None:
    driver, _ = driver_of(lambda _: response)
    for submission in (ORDER, INVOICE, PRODUCT):
        with pytest.raises(Garbled):
            await driver.submit(submission, allow)


async def test_a_product_that_an_earlier_attempt_created_is_not_rejected() -> None:
    def erp(request: ErpRequest, name: str = "Chai") -> Step:
        if request.method == "POST":
            return problem(409, "An entity with the same key already exists")
        texts = [{"Language": "EN", "ProductDescription": name}]
        return as_json({"d": {"results": [{"BaseUnit": "PC", "to_Description": {"results": texts}}]}})

    driver, _ = driver_of(erp)
    with pytest.raises(OutcomeUnknown):
        await driver.submit(PRODUCT, allow)
    driver, _ = driver_of(lambda request: erp(request, "Chang"))
    with pytest.raises(Rejected):
        await driver.submit(PRODUCT, allow)
    driver, _ = driver_of(lambda request: erp(request) if request.method == "POST" else html(500))
    with pytest.raises(OutcomeUnknown):
        await driver.submit(PRODUCT, allow)


async def test_what_is_not_offered_is_refused_without_a_call() -> None:
    driver, transport = driver_of(_echo)
    undo = Reversal(number("sales_order", "1"), ORDER, "UNDO", date(1996, 7, 4))
    long = INVOICE.document.model_copy(update={"lines": INVOICE.document.lines * 250})  # type: ignore[union-attr]
    for call in (
        driver.validate(ORDER),
        driver.reverse(undo, allow),
        driver.reverse(replace(undo, original=PRODUCT), allow),
        driver.submit(replace(INVOICE, document=long), allow),
        driver.read(number("sales_order", "1", "legacy-main")),
        driver.read(number("delivery", "1")),
        driver.search(Search("contracts")),
        driver.search(Search("customers", company_code="1000")),
        driver.search(Search("orders", cursor="\n")),
        driver.search(Search("invoices", cursor="1/2")),
    ):
        with pytest.raises((Misconfigured, Rejected)):
            await call
    assert await driver.read(number("sales_order", "x' or 1 eq 1")) is None
    assert transport.seen == []


async def test_a_document_is_reversed_once() -> None:
    entry = as_served(json.loads((await _posted_body(INVOICE)) or b""))
    standing = {**entry, "AccountingDocument": "0100000007"}
    undo = Reversal(number("accounting_document", "0100000007/1710/1996"), INVOICE, "UNDO", date(1996, 7, 5))
    mirrors: list[dict[str, Any]] = []

    def erp(request: ErpRequest) -> Step:
        if request.method == "POST":
            answer = _echo(request)
            assert isinstance(answer, ErpResponse)
            mirrors.append({**json.loads(answer.body)["d"], "AccountingDocument": "0100000009"})
            return as_json({"d": mirrors[0]}, 201)
        asked = request.query["$filter"]
        if "HeaderText eq 'REV 0100000007/1710/1996'" in asked or "ReferenceDocument eq 'UNDO'" in asked:
            return as_json({"d": {"results": mirrors}})
        found = [standing] if "AccountingDocument eq '0100000007'" in asked else []
        return as_json({"d": {"results": found}})

    driver, transport = driver_of(erp)
    posted = await driver.reverse(undo, allow)
    assert posted.number.document_number == "0100000009/1710/1996"
    assert posted.confirmed.posting_date == date(1996, 7, 5)
    read = await driver.read(undo.number)
    assert read is not None
    assert read.reversed_by == "0100000009/1710/1996"
    with pytest.raises(OutcomeUnknown):
        await driver.reverse(undo, allow)  # an earlier attempt of the same reversal
    with pytest.raises(Rejected):
        await driver.reverse(replace(undo, external_reference="OTHER"), allow)
    gone = number("accounting_document", "0100000008/1710/1996")
    with pytest.raises(Rejected):
        await driver.reverse(replace(undo, number=gone), allow)
    dearer = submitted(Payment(**HEAD, amount=Decimal("1.00")))
    with pytest.raises(Rejected):
        await driver.reverse(replace(undo, original=dearer), allow)
    assert transport.paths().count("POST A_JournalEntry") == 1


async def _posted_body(submission: Submission) -> bytes | None:
    driver, transport = driver_of(_echo)
    await driver.submit(submission, allow)
    return transport.seen[-1].body


async def test_health_says_what_does_not_work_and_never_raises() -> None:
    driver, transport = driver_of(lambda _: as_json({"d": {"EntitySets": []}}))
    health = await driver.health()
    assert health.ready
    assert transport.seen[-1].path == f"/sap/opu/odata/sap/{ORDERS.service}/"
    for answer in (html(500), problem(403, "No authorization"), NotSent("refused"), Garbled("not HTTP")):
        driver, _ = driver_of(lambda _, answer=answer: answer)
        health = await driver.health()
        assert not health.ready
        assert health.detail
        assert "s3cret" not in health.detail


async def test_closing_closes_the_transport() -> None:
    driver, transport = driver_of(_echo)
    await driver.aclose()
    assert transport.closed
