"""Batches of OData V2: whole, or garbled."""

from __future__ import annotations

import email.parser
import email.policy
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cloud_erp.sap_s4 import multipart
from adapters.cloud_erp.sap_s4.group import Group, Step
from adapters.cloud_erp.sap_s4.multipart import Call
from adapters.cloud_erp.sap_s4.odata_v2 import ODataV2
from adapters.cloud_erp.sap_s4.wire import Address
from adapters.errors import Garbled
from adapters.transport import ErpResponse
from tests.unit.sap_s4.scripted import problem

ORDERS = Address("API_SALES_ORDER_SRV", "A_SalesOrder")
KEY = {"SalesOrder": "1"}
STEPS = (
    Step("PATCH", ORDERS, KEY, {"RequestedDeliveryDate": date(1996, 7, 4)}, etag='W/"1"'),
    Step("DELETE", Address("API_SALES_ORDER_SRV", "A_SalesOrderItem"), {**KEY, "SalesOrderItem": "10"}),
)
GROUP = Group(ORDERS, STEPS)
BOTH = Group(ORDERS, STEPS, (ORDERS, KEY))
V2 = ODataV2()
_HTTP = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"


def _said(status: int, body: bytes = b"", headers: str = "") -> bytes:
    kind = "Content-Type: application/json\r\n" if body else ""
    start = f"HTTP/1.1 {status} Said\r\n{kind}{headers}Content-Length: {len(body)}\r\n\r\n"
    return _HTTP + start.encode() + body + b"\r\n"


def _changeset(*parts: bytes, end: bytes = b"--in--\r\n") -> bytes:
    return b"Content-Type: multipart/mixed; boundary=in\r\n\r\n" + b"".join(b"--in\r\n" + one for one in parts) + end


def _batch(*parts: bytes, end: bytes = b"--out--\r\n", kind: str = "multipart/mixed; boundary=out") -> ErpResponse:
    return ErpResponse(202, {"content-type": kind}, b"".join(b"--out\r\n" + one for one in parts) + end)


DONE = _changeset(_said(204), _said(204, headers='ETag: W/"2"\r\n'))


def test_a_batch_goes_out_as_one_changeset_and_a_reading() -> None:
    media_type, body = V2.encode_group(BOTH)
    parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {media_type}\r\n\r\n".encode() + body
    )
    changeset, reading = parsed.get_payload()
    assert changeset.get_content_type() == "multipart/mixed"
    first, second = (part.get_payload(decode=True) for part in changeset.get_payload())
    assert first == (
        b'PATCH A_SalesOrder(SalesOrder=%271%27) HTTP/1.1\r\nAccept: application/json\r\nIf-Match: W/"1"\r\n'
        b"Content-Type: application/json\r\nContent-Length: 48\r\n\r\n"
        b'{"RequestedDeliveryDate":"/Date(836438400000)/"}'
    )
    assert second.startswith(b"DELETE A_SalesOrderItem(SalesOrder=%271%27,SalesOrderItem=%2710%27) HTTP/1.1\r\n")
    assert [part["Content-ID"] for part in changeset.get_payload()] == ["1", "2"]
    assert reading.get_payload(decode=True).startswith(b"GET A_SalesOrder(SalesOrder=%271%27) HTTP/1.1\r\n")


@given(st.binary(max_size=200))
def test_no_content_can_end_its_part(content: bytes) -> None:
    media_type, body = multipart.encode([Call("POST", "X", {}, content)], None)
    mark = media_type.partition("boundary=batch_")[2].encode()
    assert body.count(b"--batch_" + mark) == 2
    assert mark not in content


def test_a_whole_answer_is_read() -> None:
    read = V2.read_group(_batch(DONE, _said(200, b'{"d": {"SalesOrder": "1"}}')), BOTH)
    assert [member.status for member in read.members] == [204, 204]
    assert read.members[1].headers["etag"] == 'W/"2"'
    assert read.reading is not None
    assert read.reading.answer == {"d": {"SalesOrder": "1"}}


def test_an_error_in_place_of_the_changeset_is_its_answer() -> None:
    [member] = V2.read_group(_batch(_said(412, problem(412, "changed").body)), GROUP).members
    assert (member.status, member.answer is not None) == (412, True)
    members = V2.read_group(_batch(_changeset(_said(204), _said(400))), GROUP).members
    assert [member.status for member in members] == [204, 400]
    assert members[1].answer is None


def test_whatever_is_cut_off_an_answer_before_its_end_is_noticed() -> None:
    whole = _batch(DONE, _said(200, b'{"d": {}}'))
    end = whole.body.rindex(b"--out--") + len(b"--out--")
    for length in range(end):
        with pytest.raises(Garbled):
            V2.read_group(ErpResponse(202, whole.headers, whole.body[:length]), BOTH)
    assert V2.read_group(ErpResponse(202, whole.headers, whole.body[:end]), BOTH).reading is not None


@pytest.mark.parametrize(
    "response",
    [
        _batch(DONE),
        _batch(DONE, _said(200), _said(200)),
        _batch(_said(204), _said(200)),
        _batch(DONE, DONE),
        _batch(_changeset(_said(204)), _said(200)),
        _batch(_changeset(_said(204), _said(204), _said(204)), _said(200)),
        _batch(_changeset(_said(204), _said(204), end=b""), _said(200)),
        _batch(_changeset(_said(204), b"Content-Type: text/html\r\n\r\n<html>\r\n"), _said(200)),
        _batch(_changeset(_said(204), _HTTP + b"HTTP/1.1 xyz\r\n\r\n\r\n"), _said(200)),
        _batch(_changeset(_said(204), _HTTP + b"HTTP/1.1 204 No Content\r\nno header\r\n\r\n\r\n"), _said(200)),
        _batch(_changeset(_said(204), _HTTP + b"HTTP/1.1 204 X\r\nContent-Length: 9\r\n\r\n{}\r\n"), _said(200)),
        _batch(_changeset(_said(204), _HTTP + b"HTTP/1.1 204 X\r\nContent-Length: 1\r\n\r\n{}\r\n"), _said(200)),
        _batch(_changeset(_said(204), _HTTP + b"HTTP/1.1 204 X\r\n" + b"A: b\r\n" * 65 + b"\r\n\r\n"), _said(200)),
        _batch(DONE, _said(200), kind="multipart/mixed"),
        _batch(DONE, _said(200), kind="multipart/mixed; boundary=other"),
        _batch(DONE, _said(200), kind="application/json"),
        _batch(DONE, _said(200), end=b"--out--\r\nmore"),
        ErpResponse(202, {"content-type": "multipart/mixed; boundary=out"}, b"before\r\n--out--\r\n"),
        ErpResponse(202, {"content-type": "multipart/mixed; boundary=out"}, b"--out--\r\n"),
        ErpResponse(202, {"content-type": "multipart/mixed; boundary=out"}, b""),
        ErpResponse(202, {"content-type": "multipart/mixed; boundary=out"}, b"--out\r\n" * 10_003 + b"--out--\r\n"),
        ErpResponse(202, {}, b""),
    ],
    ids=lambda response: str(len(response.body)),
)
def test_what_is_no_whole_batch_is_garbled(response: ErpResponse) -> None:
    with pytest.raises(Garbled):
        V2.read_group(response, BOTH)
