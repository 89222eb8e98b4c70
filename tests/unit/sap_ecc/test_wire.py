"""Envelopes in and out: what is written, and that nothing hostile or broken is read as an answer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.legacy_erp.sap_ecc import wire
from adapters.legacy_erp.sap_ecc.wire import (
    COMMIT,
    CREATE_ORDER,
    POST_DOCUMENT,
    READ_TABLE,
    Answer,
    Fault,
    Unreadable,
    clean,
    envelope,
    parse,
)
from tests.unit.sap_ecc.documents import read_envelope
from tests.unit.sap_ecc.hostile import hostile_xml
from tests.unit.sap_ecc.scripted import answer, golden

UTF8 = "text/xml; charset=utf-8"


def test_reads_the_answers_of_a_real_process() -> None:
    created = parse(CREATE_ORDER, UTF8, golden("order.answer"))
    assert isinstance(created, Answer)
    assert created.text("SALESDOCUMENT") == "0000004737"
    assert [wire.text_of(row, "TYPE") for row in created.rows("RETURN")] == ["S"]
    committed = parse(COMMIT, UTF8, golden("commit.answer"))  # RETURN is one structure here
    assert isinstance(committed, Answer)
    assert [wire.text_of(row, "NUMBER") for row in committed.rows("RETURN")] == ["344"]


def test_reads_a_fault_of_a_real_process() -> None:
    fault = parse(POST_DOCUMENT, UTF8, golden("fault.answer"))
    assert fault == Fault(
        "/IWBEP/CX_MGW_BUSI_EXCEPTION", "Value of property 'DocumentItemText' exceeds maximum length 50"
    )


def test_an_empty_table_has_no_rows() -> None:
    read = parse(READ_TABLE, UTF8, answer("RfcReadTableResponse", "<DATA/><FIELDS></FIELDS>").encode())
    assert isinstance(read, Answer)
    assert read.has("data")
    assert read.rows("DATA") == ()
    assert not read.has("RETURN")


@pytest.mark.parametrize("name", ["SalesOrderCreateFromDat2Response", "BAPI_SALESORDER_CREATEFROMDAT2.Response"])
@pytest.mark.parametrize("namespace", [wire.RFC, wire.MC_STYLE])
def test_both_ways_of_naming_are_read(name: str, namespace: str) -> None:
    read = parse(CREATE_ORDER, UTF8, answer(name, "<SalesDocument>1</SalesDocument>", namespace).encode())
    assert isinstance(read, Answer)
    assert read.text("SALESDOCUMENT") == "1"


GOOD = answer("SalesOrderCreateFromDat2Response", "<SALESDOCUMENT>1</SALESDOCUMENT><EXTRA/>")
HOSTILE = hostile_xml(GOOD, "1") | {
    "two numbers": GOOD.replace("<EXTRA/>", "<SALESDOCUMENT>2</SALESDOCUMENT>").encode(),
    "two spellings": GOOD.replace("<EXTRA/>", "<SalesDocument>2</SalesDocument>").encode(),
    "a function of the same family": answer("SalesOrderChangeResponse", "<SALESDOCUMENT>1</SALESDOCUMENT>").encode(),
}


def test_the_measure_of_the_hostile_ones_is_good() -> None:
    read = parse(CREATE_ORDER, UTF8, GOOD.encode())
    assert isinstance(read, Answer)
    assert read.text("SALESDOCUMENT") == "1"


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_hostile_is_an_answer(body: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        parse(CREATE_ORDER, UTF8, body)
    assert "passwd" not in str(raised.value)


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "application/json", "text/xml; charset=iso-8859-1", 'text/xml; charset="utf-16"']
)
def test_another_content_type_is_no_answer(content_type: str) -> None:
    with pytest.raises(Unreadable):
        parse(CREATE_ORDER, content_type, GOOD.encode())


def test_no_prefix_of_an_answer_is_an_answer() -> None:
    whole = golden("order.answer").rstrip()
    for length in range(len(whole)):
        with pytest.raises(Unreadable):
            parse(CREATE_ORDER, UTF8, whole[:length])


@given(at=st.integers(0, len(golden("order.answer")) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_never_escapes(at: int, byte: int) -> None:
    body = bytearray(golden("order.answer"))
    body[at] = byte
    with contextlib.suppress(Unreadable):
        parse(CREATE_ORDER, UTF8, bytes(body))


@given(st.binary(max_size=300))
def test_no_bytes_escape(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(CREATE_ORDER, UTF8, body)


@given(st.text(max_size=120), st.integers(1, 60))
def test_cleaned_text_fits_and_is_xml(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned.encode("utf-16-le")) <= 2 * limit
    assert cleaned == cleaned.strip()
    name, parameters = read_envelope(envelope(COMMIT, {"TEXT": cleaned}))
    assert (name, parameters) == ("BAPI_TRANSACTION_COMMIT", {"TEXT": cleaned})


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=30))
def test_short_clean_text_is_kept(text: str) -> None:
    line = " ".join(text.split())
    assert clean(text, 60) == line


def test_an_envelope_is_soap_1_1() -> None:
    root = etree.fromstring(envelope(COMMIT, {"WAIT": "X", "RETURN": ""}))
    assert root.tag == f"{{{wire.SOAP}}}Envelope"
    assert root[0][0].tag == f"{{{wire.RFC}}}BAPI_TRANSACTION_COMMIT"
    assert [(child.tag, child.text) for child in root[0][0]] == [("WAIT", "X"), ("RETURN", None)]
