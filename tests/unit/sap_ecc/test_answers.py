"""What answers mean: it happened, it was refused, or nobody knows."""

from __future__ import annotations

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import answers
from adapters.legacy_erp.sap_ecc.wire import CREATE_ORDER, READ_TABLE, Answer, Unreadable, parse
from adapters.transport import ErpResponse
from tests.unit.sap_ecc.scripted import answer, golden, odata_error, row, xml

NOTHING = ErpResponse(503, {}, b"")
HTML = ErpResponse(502, {"content-type": "text/html"}, b"<html>Bad Gateway</html>")


@pytest.mark.parametrize(
    ("response", "meant"),
    [
        (odata_error(401, "X", "no"), Misconfigured),
        (ErpResponse(401, {}, b""), Misconfigured),
        (odata_error(403, "/IWFND/CM_BEC", "No authorization"), Misconfigured),
        (odata_error(403, "/IWFND/CM_CSRF", "CSRF", x_csrf_token="Required"), Misconfigured),
        (ErpResponse(403, {"x-csrf-token": "Required"}, b""), Misconfigured),
        (ErpResponse(403, {}, b""), OutcomeUnknown),
        (odata_error(404, "X", "no such service"), Misconfigured),
        (odata_error(400, "/IWFND/CM_CONSUMER", "no such client"), Misconfigured),
        (odata_error(400, "X", "bad"), Rejected),
        (odata_error(412, "X", "changed"), Rejected),
        (odata_error(423, "X", "locked by user"), NotSent),
        (ErpResponse(423, {}, b""), NotSent),
        (ErpResponse(429, {}, b""), NotSent),
        (odata_error(503, answers.BUSY_CODE, "No dialog work process available"), NotSent),
        (odata_error(503, "/IWBEP/CX_MGW_BUSI_EXCEPTION", "a proxy's words"), OutcomeUnknown),
        (odata_error(500, answers.BUSY_CODE, "not with this status"), OutcomeUnknown),
        (odata_error(500, "/IWBEP/CX_MGW_TECH_EXCEPTION", "An exception was raised"), OutcomeUnknown),
        (odata_error(200, "X", "an error with success"), OutcomeUnknown),
        (NOTHING, OutcomeUnknown),
        (HTML, OutcomeUnknown),
        (ErpResponse(403, {"content-type": "text/html"}, b"<html>a proxy</html>"), OutcomeUnknown),
        (ErpResponse(400, {"content-type": "application/json"}, b'{"error": "another"}'), OutcomeUnknown),
        (ErpResponse(400, {"content-type": "application/json"}, b"[" * 50_000), OutcomeUnknown),
        (ErpResponse(200, {"content-type": "text/html"}, b"<html>maintenance</html>"), Garbled),
        (ErpResponse(302, {"location": "/login"}, b""), Garbled),
        (xml(golden("fault.answer"), 400), OutcomeUnknown),
        (xml(golden("fault.answer"), 500), OutcomeUnknown),
        (xml(golden("fault.answer"), 200), OutcomeUnknown),
        (xml(golden("order.answer"), 202), OutcomeUnknown),
        (xml(golden("order.answer"), 500), OutcomeUnknown),
        (xml(golden("order.answer")[:-1]), Garbled),
        (xml(golden("invoice.answer")), Garbled),
    ],
)
def test_classes(response: ErpResponse, meant: type[ErpError]) -> None:
    with pytest.raises(ErpError) as raised:
        answers.read_answer(CREATE_ORDER, response, posts=True)
    assert type(raised.value) is meant


def test_a_fault_of_a_reading_function_that_names_our_mistake() -> None:
    for fault, meant in (("unknown_table", Misconfigured), ("fault", OutcomeUnknown)):
        with pytest.raises(ErpError) as raised:
            answers.read_answer(READ_TABLE, xml(golden(f"{fault}.answer"), 400), posts=False)
        assert type(raised.value) is meant


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_retry_after(header: str, seconds: float | None) -> None:
    busy = odata_error(503, answers.BUSY_CODE, "busy", retry_after=header)
    with pytest.raises(NotSent) as raised:
        answers.read_answer(CREATE_ORDER, busy, posts=True)
    assert raised.value.retry_after_s == seconds


def _messages(inner: str) -> tuple[answers.Message, ...]:
    read = parse(CREATE_ORDER, "text/xml", answer("SalesOrderCreateFromDat2Response", inner).encode())
    assert isinstance(read, Answer)
    return answers.messages(read)


def test_return_may_be_a_table_a_structure_or_empty() -> None:
    one = "<TYPE>S</TYPE><ID>V1</ID><NUMBER>311</NUMBER><MESSAGE>saved</MESSAGE>"
    assert [message.code for message in _messages(f"<RETURN><item>{one}</item></RETURN>")] == ["V1/311"]
    assert [message.code for message in _messages(f"<RETURN>{one}</RETURN>")] == ["V1/311"]
    assert _messages("<RETURN/>") == ()
    assert _messages("<RETURN><TYPE/><ID/><NUMBER>000</NUMBER><MESSAGE/></RETURN>") == ()


@pytest.mark.parametrize(
    "inner", ["", "<RETURN>text</RETURN>", "<RETURN><item>text</item></RETURN>", f"<RETURN>{row('X')}</RETURN>"]
)
def test_a_return_that_is_none(inner: str) -> None:
    with pytest.raises(Unreadable):
        _messages(inner)


def test_a_refusal_names_code_field_and_all_reasons() -> None:
    read = answers.read_answer(CREATE_ORDER, xml(golden("order_refused.answer")), posts=True)
    refused = answers.refusal(answers.messages(read), frozenset())
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.field) == ("V1/033", "ORDER_ITEMS_IN[2].MATERIAL")
    assert refused.message == "Material NONE does not exist"
    several = "<RETURN>" + row("W") + row("E", "V1", "1", "one") + row("A", "V1", "2", "two") + "</RETURN>"
    refused = answers.refusal(_messages(several), frozenset())
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.message) == ("V1/1", "one; two")


def test_a_lock_message_is_to_be_tried_again() -> None:
    held = _messages("<RETURN>" + row("E", "V4", "219", "failed") + row("E", "MC", "601", "locked") + "</RETURN>")
    assert isinstance(answers.refusal(held, frozenset({("MC", "601")})), NotSent)
    assert isinstance(answers.refusal(held, frozenset()), Rejected)


def test_warnings_refuse_nothing_and_are_kept() -> None:
    said = _messages("<RETURN>" + row("S") + row("W", "V1", "115", "Customer reference exists") + "</RETURN>")
    assert answers.refusal(said, frozenset()) is None
    assert answers.remarks(said) == ("V1/115 Customer reference exists",)
