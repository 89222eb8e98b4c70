"""Changing and calling off: read, compare, one call with all of it, found by how the document stands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.canonical import Order
from adapters.errors import ErpError, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import Cancellation, Change, Submission
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.documents import ADDRESS, line, submitted, two_lines
from tests.unit.sap_s4.driving import (
    CHANGE,
    CHANGED,
    CUSTOMER,
    ORDER,
    SUBMISSIONS,
    VERSIONS,
    acts,
    allow,
    do,
    in_memory,
    postings_of,
)
from tests.unit.sap_s4.scripted import Step, problem


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("original", SUBMISSIONS, ids=lambda one: one.domain)
async def test_what_is_done_to_a_document_is_one_call_and_found(version: str, original: Submission) -> None:
    for act in range(len(acts(original, await in_memory(version)[0].submit(original, allow)))):
        driver, transport, _ = in_memory(version)
        posting = acts(original, await driver.submit(original, allow))[act]
        assert await driver.inquire(posting) == ()
        before = len(postings_of(transport))
        posted = await do(driver, posting)
        assert len(postings_of(transport)) == before + 1
        [found] = await driver.inquire(posting)
        assert found.number == posted.number
        assert found.agrees_with(driver.expectation(posting))
        assert found.cancelled is isinstance(posting, Cancellation)
        with pytest.raises(OutcomeUnknown):
            await do(driver, posting)
        assert len(postings_of(transport)) == before + 1


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


@pytest.mark.parametrize(
    ("status", "of_a_step", "of_the_batch"),
    [
        (404, Rejected, Misconfigured),
        (412, Rejected, Rejected),
        (428, Rejected, Rejected),
        (403, Misconfigured, Misconfigured),
        (423, NotSent, NotSent),
        (500, OutcomeUnknown, OutcomeUnknown),
    ],
)
async def test_what_a_refused_step_says_and_a_refused_batch(
    status: int, of_a_step: type[ErpError], of_the_batch: type[ErpError]
) -> None:
    """Of a document that was read a moment ago, 404 says that it is gone; of a batch, that there is no such service."""
    refused = problem(status, "no", "X")
    step = {"id": "2", "status": status, "body": json.loads(refused.body)}
    inside = replace(refused, status=200, body=json.dumps({"responses": [step]}).encode())
    for said, error in ((inside, of_a_step), (refused, of_the_batch)):
        driver, _, _ = in_memory(
            "v4", lambda request, answer, said=said: said if request.path.endswith("$batch") else answer
        )
        change = acts(ORDER, await driver.submit(ORDER, allow))[0]
        with pytest.raises(error) as failed:
            await do(driver, change)
        assert type(failed.value) is error
        assert failed.value.code == "X"


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
