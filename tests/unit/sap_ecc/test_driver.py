"""The driver between a scripted transport and its caller: calls, their order, and what a loss at each point means."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.port import ErpPort, Search, Submission
from tests.unit.sap_ecc.documents import PASSWORD, SETTINGS, SYSTEM, invoice, line, number, order, submission
from tests.unit.sap_ecc.scripted import ScriptedTransport, Step, answer, golden, odata_error, row, xml

ORDER = submission(order(line(1, "12", "14.00", "168.00")))
INVOICE = submission(invoice(line(1, "12", "14.00", "168.00")))


def _allow() -> None:
    pass


def _driver(*steps: Step, **settings: Any) -> tuple[SapEccDriver, ScriptedTransport]:
    transport = ScriptedTransport(*steps)
    return SapEccDriver(SYSTEM, replace(SETTINGS, **settings), transport), transport


def _functions(transport: ScriptedTransport) -> list[str]:
    return [re.findall(r"rfc/sap/([a-z0-9_]+)/100/", request.path)[0] for request in transport.sent]


def test_it_is_a_port() -> None:
    assert isinstance(_driver()[0], ErpPort)


async def test_an_order_is_created_committed_and_read_back() -> None:
    driver, transport = _driver(
        xml(golden("order.answer")), xml(golden("commit.answer")), xml(golden("orders_by_reference.answer"))
    )
    posted = await driver.submit(ORDER, _allow)
    assert _functions(transport) == ["bapi_salesorder_createfromdat2", "bapi_transaction_commit", "rfc_read_table"]
    assert transport.permitted == [True, False, False]
    assert str(posted.number) == "legacy-main/sales_order/0000004737"
    assert (str(posted.confirmed.amount), posted.confirmed.currency_code) == ("303.28", "USD")


async def test_an_invoice_confirms_its_key_without_reading_back() -> None:
    driver, transport = _driver(xml(golden("invoice.answer")), xml(golden("commit.answer")), read_back=False)
    posted = await driver.submit(INVOICE, _allow)
    assert str(posted.number) == "legacy-main/accounting_document/0100000007/1000/1996"
    assert (posted.confirmed.company_code, posted.confirmed.fiscal_year) == ("1000", 1996)
    assert posted.confirmed.amount is None
    assert len(transport.sent) == 2


async def test_a_failed_reading_back_is_no_failed_posting() -> None:
    for trouble in (OutcomeUnknown("cut"), NotSent("busy"), xml("<html/>"), odata_error(500, "X", "no")):
        driver, _ = _driver(xml(golden("order.answer")), xml(golden("commit.answer")), trouble)
        posted = await driver.submit(ORDER, _allow)
        assert posted.confirmed.amount is None


async def test_no_permit_no_call() -> None:
    class Expired(Exception):
        pass

    def refuse() -> None:
        raise Expired

    driver, transport = _driver()
    with pytest.raises(Expired):
        await driver.submit(ORDER, refuse)
    assert transport.sent == []


@pytest.mark.parametrize(
    "trouble",
    [
        NotSent("no connection"),
        OutcomeUnknown("cut"),
        Garbled("garbage"),
        odata_error(401, "X", "no"),
        odata_error(423, "X", "locked"),
        odata_error(503, "/IWFND/CM_MGW_RT", "busy"),
        odata_error(400, "X", "bad"),
        xml(golden("fault.answer"), 500),
        xml(golden("order.answer")),
        xml(answer("TransactionCommitResponse", f"<RETURN>{row('E', text='no')}</RETURN>")),
        xml(answer("TransactionCommitResponse", f"<RETURN>{row('E', 'MC', '601', 'locked')}</RETURN>")),
        xml(answer("TransactionCommitResponse", "")),
    ],
)
async def test_whatever_the_commit_comes_to_the_outcome_is_unknown(trouble: Step) -> None:
    driver, transport = _driver(xml(golden("order.answer")), trouble)
    with pytest.raises(OutcomeUnknown) as raised:
        await driver.submit(ORDER, _allow)
    assert "0000004737" in raised.value.message
    assert len(transport.sent) == 2


async def test_a_commit_may_say_nothing() -> None:
    driver, _ = _driver(
        xml(golden("order.answer")), xml(answer("TransactionCommitResponse", "<RETURN/>")), read_back=False
    )
    assert (await driver.submit(ORDER, _allow)).number.document_number == "0000004737"


async def test_the_commit_goes_into_the_session_of_the_create() -> None:
    cookies = ("sap-contextid=SID%3aANON; path=/; HttpOnly", "MYSAPSSO2=abc; path=/")
    created = xml(golden("order.answer"), cookies=cookies)
    driver, transport = _driver(created, xml(golden("commit.answer")), read_back=False)
    await driver.submit(ORDER, _allow)
    assert "cookie" not in transport.sent[0].headers
    assert transport.sent[1].headers["cookie"] == "sap-contextid=SID%3aANON; MYSAPSSO2=abc"


async def test_an_endpoint_that_commits_itself_gets_no_commit() -> None:
    driver, transport = _driver(xml(golden("order.answer")), commits_itself=True, read_back=False)
    await driver.submit(ORDER, _allow)
    assert _functions(transport) == ["bapi_salesorder_createfromdat2"]


async def test_a_refusal_is_not_committed() -> None:
    driver, transport = _driver(xml(golden("order_refused.answer")))
    with pytest.raises(Rejected) as raised:
        await driver.submit(ORDER, _allow)
    assert raised.value.code == "V1/033"
    assert len(transport.sent) == 1


@pytest.mark.parametrize(
    "inner",
    [
        "<RETURN/>",
        f"<SALESDOCUMENT/><RETURN>{row('S')}</RETURN>",
        f"<SALESDOCUMENT>4 7</SALESDOCUMENT><RETURN>{row('S')}</RETURN>",
        f"<SALESDOCUMENT>0000004737</SALESDOCUMENT><RETURN>{row('E')}</RETURN>",
        "<SALESDOCUMENT>0000004737</SALESDOCUMENT>",
        f"<SALESDOCUMENT>0000004737</SALESDOCUMENT><RETURN>{row('Q')}</RETURN>",
        f"<SALESDOCUMENT><a/></SALESDOCUMENT><RETURN>{row('S')}</RETURN>",
    ],
)
async def test_a_contradictory_answer_is_neither_success_nor_refusal(inner: str) -> None:
    driver, transport = _driver(xml(answer("SalesOrderCreateFromDat2Response", inner)))
    with pytest.raises(Garbled):
        await driver.submit(ORDER, _allow)
    assert len(transport.sent) == 1


async def test_a_refused_accounting_document_has_a_dollar_for_a_key() -> None:
    refused = answer("AccDocumentPostResponse", f"<OBJ_KEY>$</OBJ_KEY><RETURN>{row('E', 'F5', '201')}</RETURN>")
    driver, _ = _driver(xml(refused))
    with pytest.raises(Rejected):
        await driver.submit(INVOICE, _allow)


async def test_a_test_run_is_asked_for_orders_only() -> None:
    driver, transport = _driver(xml(golden("order_test_run.answer")))
    report = await driver.validate(ORDER)
    assert (report.accepted, report.messages) == (True, ("V1/312 Test run: no document was created",))
    assert b"<TESTRUN>X</TESTRUN>" in (transport.sent[0].body or b"")
    assert transport.permitted == [False]
    with pytest.raises(Misconfigured):
        await driver.validate(INVOICE)
    assert len(transport.sent) == 1


async def test_a_test_run_that_is_refused_here_or_there() -> None:
    driver, _ = _driver(xml(golden("order_refused.answer")))
    assert not (await driver.validate(ORDER)).accepted
    too_fine = submission(order(line(1, "1.0001", "1.00", "1.00")))
    report = await driver.validate(too_fine)
    assert not report.accepted
    assert "lines[0].quantity.value" in report.messages[0]


async def test_a_test_run_that_gives_a_number_is_garbled() -> None:
    driver, _ = _driver(xml(golden("order.answer")))
    with pytest.raises(Garbled):
        await driver.validate(ORDER)


async def test_an_inquiry_asks_for_the_reference_and_completes_accounting_documents() -> None:
    none = answer("RfcReadTableResponse", _empty_headers())
    driver, transport = _driver(xml(golden("headers_by_reference.answer")), xml(golden("items.answer")), xml(none))
    [found] = await driver.inquire(INVOICE)
    assert (found.party, found.currency_code, str(found.total)) == ("1000001", "USD", "336.45")
    assert found.reversed_by is None
    assert b"ReferenceDocument = '0123456789ABCDEF'" in (transport.sent[0].body or b"")
    assert b"'REVERSAL 0100000007/1996'" in (transport.sent[2].body or b"")


async def test_a_mirror_that_was_mirrored_itself_reverses_nothing() -> None:
    found, items = xml(golden("headers_by_reference.answer")), xml(golden("items.answer"))

    def mirrors(*numbers: str) -> Step:
        rows = "".join(f"<item><WA>{one}        1000       1996      DA</WA></item>" for one in numbers)
        return xml(answer("RfcReadTableResponse", _empty_headers().replace("<DATA/>", f"<DATA>{rows}</DATA>")))

    for steps, reversals in (
        ((mirrors("0100000008"), mirrors()), ["0100000008"]),
        ((mirrors("0100000008"), mirrors("0100000009"), mirrors()), []),
        ((mirrors("0100000008", "0100000010"), mirrors("0100000009"), mirrors(), mirrors()), ["0100000010"]),
        ((mirrors("0100000008", "0100000010"), mirrors(), mirrors()), ["0100000008", "0100000010"]),
    ):
        driver, transport = _driver(found, items, *steps)
        [document] = await driver.inquire(INVOICE)
        assert list(document.reversals) == [f"{one}/1000/1996" for one in reversals]
        assert transport.steps == []
        assert b"'REVERSAL 0100000008/1996'" in (transport.sent[3].body or b"")
    driver, _ = _driver(found, items, mirrors("          "))
    with pytest.raises(Garbled):
        await driver.inquire(INVOICE)


async def test_a_header_left_behind_is_found_and_does_not_agree() -> None:
    no_items = answer("RfcReadTableResponse", _empty_items())
    driver, _ = _driver(
        xml(golden("header_left_behind.answer")), xml(no_items), xml(answer("RfcReadTableResponse", _empty_headers()))
    )
    [found] = await driver.inquire(INVOICE)
    assert not found.agrees_with(driver.expectation(INVOICE))


def _empty_headers() -> str:
    answered = golden("headers_by_reference.answer").decode()
    return "<DATA/>" + answered[answered.index("<FIELDS>") : answered.index("</FIELDS>") + len("</FIELDS>")]


def _empty_items() -> str:
    answered = golden("items.answer").decode()
    return "<DATA/>" + answered[answered.index("<FIELDS>") : answered.index("</FIELDS>") + len("</FIELDS>")]


async def test_reading_what_cannot_be_there_asks_nobody() -> None:
    driver, transport = _driver()
    assert await driver.read(number("sales_order", "no number at all")) is None
    assert await driver.read(number("accounting_document", "0100000007")) is None
    for wrong in (number("customer", "1000001"), number("sales_order", "1", "other")):
        with pytest.raises(Misconfigured):
            await driver.read(wrong)
    assert transport.sent == []


@pytest.mark.parametrize(
    "search",
    [
        Search("customers"),
        Search("invoices", company_code="10"),
        Search("orders", company_code="' OR"),
        Search("invoices", cursor="'"),
        Search("orders", cursor="'"),
    ],
)
async def test_a_search_that_cannot_be(search: Search) -> None:
    driver, transport = _driver()
    with pytest.raises(Misconfigured):
        await driver.search(search)
    assert transport.sent == []


async def test_an_unreadable_row_is_garbled() -> None:
    driver, _ = _driver(xml(answer("RfcReadTableResponse", "<DATA/>")))
    with pytest.raises(Garbled):
        await driver.inquire(ORDER)


async def test_health_never_raises() -> None:
    for trouble, ready in ((xml(answer("RfcPingResponse", "")), True), (NotSent("down"), False), (xml("x"), False)):
        driver, _ = _driver(trouble)
        assert (await driver.health()).ready is ready


async def test_closing_closes_the_transport() -> None:
    driver, transport = _driver()
    await driver.aclose()
    assert transport.closed


async def test_no_secret_in_errors_or_representations() -> None:
    encoded = base64.b64encode(f"gateway:{PASSWORD}".encode()).decode()
    driver, transport = _driver(odata_error(401, "X", "no"))
    with pytest.raises(ErpError) as raised:
        await driver.submit(ORDER, _allow)
    shown = f"{raised.value!r} {raised.value} {SETTINGS!r} {driver!r} {transport.sent[0]!r}"
    assert PASSWORD not in shown
    assert encoded not in shown
    assert transport.sent[0].headers["authorization"] == f"Basic {encoded}"


def test_a_submission_of_another_kind_has_no_expectation() -> None:
    driver, _ = _driver()
    wrong = Submission(ORDER.document, ORDER.external_reference, {})
    with pytest.raises(Misconfigured):
        driver.expectation(wrong)
