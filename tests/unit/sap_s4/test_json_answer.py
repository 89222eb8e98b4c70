"""JSON of an answer: what must never be taken for one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cloud_erp.sap_s4.json_answer import MAX_DEPTH, clipped, read_json
from adapters.errors import Garbled
from adapters.transport import ErpResponse
from tests.unit.sap_s4.scripted import html


def _body(text: bytes, content_type: str = "application/json;charset=utf-8") -> ErpResponse:
    return ErpResponse(200, {"content-type": content_type}, text)


@pytest.mark.parametrize(
    "response",
    [
        html(),
        _body(b"{}", "application/xml"),
        _body(b"{}", ""),
        _body(b"{}", "application/json;charset=iso-8859-1"),
        _body(b"{}", 'application/json;odata=verbose; charset="utf-16"'),
        _body("{}".encode("utf-16")),
        _body(b'{"d": {"SalesOrder": "00000047'),
        _body(b'{"d": {"a": 1, "a": 2}}'),
        _body(b'{"d": NaN}'),
        _body(b'{"d": -Infinity}'),
        _body(b'{"d": ' + b"9" * 41 + b"}"),
        _body(b'{"d": 1e999}'),
        _body(b'{"d": 1e-999}'),
        _body(b'{"d": 1e9999999999999999999999999999}'),
        _body(b'{"d": -1e9999999999999999999999999999}'),
        _body(b'\xef\xbb\xbf{"d": {}}'),
        _body(b'{"d": "\xff"}'),
        _body(b"[]"),
        _body(b"null"),
        _body(b""),
        _body(b'{"d":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)),
        _body(b"[" * 500_000),
        _body(b'{"d":' * 200_000),
        _body(b'"' + b"x" * 8_000_001 + b'"'),
    ],
    ids=lambda response: response.body[:20].decode("latin-1"),
)
def test_what_is_no_answer_is_garbled(response: ErpResponse) -> None:
    with pytest.raises(Garbled):
        read_json(response)


def test_numbers_are_exact() -> None:
    read = read_json(_body(b'{"a": 9007199254740993, "b": 0.1, "c": 1.50, "d": 1E3, "e": 1234567890123.456}'))
    assert [str(value) for value in read.values()] == ["9007199254740993", "0.1", "1.50", "1E+3", "1234567890123.456"]


@given(st.decimals(-(10**13), 10**13, places=3))
def test_every_amount_is_read_as_it_was_written(amount: Decimal) -> None:
    assert read_json(_body(b'{"a": ' + format(amount, "f").encode() + b"}"))["a"] == amount


@given(st.text())
def test_an_object_cut_anywhere_is_no_answer(text: str) -> None:
    whole = json.dumps({"d": {"a": text, "b": [1, True, None]}}).encode()
    for end in range(len(whole)):
        with pytest.raises(Garbled):
            read_json(_body(whole[:end]))


def test_a_text_for_people_is_bounded_and_printable() -> None:
    assert clipped("a\x1b[31m\n\ud800" + "b" * 10_000).isprintable()
    assert len(clipped("b" * 10_000)) == 500
