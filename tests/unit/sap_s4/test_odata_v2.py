"""OData V2: what goes out, what comes in, and what must never be taken for an answer."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cloud_erp.sap_s4.json_answer import read_json
from adapters.cloud_erp.sap_s4.odata_v2 import ODataV2
from adapters.cloud_erp.sap_s4.odata_v4 import ODataV4
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Problem, Row, Rows, key_predicate, text_literal
from adapters.errors import Garbled
from adapters.transport import ErpResponse
from tests.unit.sap_s4.scripted import as_json, problem

V2 = ODataV2()
ORDERS = Address("API_SALES_ORDER_SRV", "A_SalesOrder")


def _entity(response: ErpResponse) -> Row:
    return V2.entity(read_json(response), ORDERS)


def _rows(response: ErpResponse) -> Rows:
    return V2.collection(read_json(response), ORDERS)


def test_an_entity_goes_out_as_the_gateway_reads_it() -> None:
    entity: Entity = {
        "Name": "für",
        "Flag": True,
        "Net": Decimal("168.00"),
        "Tiny": Decimal("0.0000001"),
        "Day": date(1996, 7, 4),
        "None": None,
        "to_Item": [{"Net": Decimal(-15)}],
    }
    assert (
        V2.encode(entity)
        == (
            '{"Name":"für","Flag":true,"Net":"168.00","Tiny":"0.0000001","Day":"/Date(836438400000)/","None":null,'
            '"to_Item":{"results":[{"Net":"-15"}]}}'
        ).encode()
    )


def test_addresses_and_literals() -> None:
    address = Address("API_SALES_ORDER_SRV", "A_SalesOrder")
    assert V2.path(address) == "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder"
    assert V2.service_path(address) == "/sap/opu/odata/sap/API_SALES_ORDER_SRV/"
    assert V2.day_literal(date(1996, 7, 4)) == "datetime'1996-07-04T00:00:00'"
    assert text_literal("O'Neil') or (1 eq 1") == "'O''Neil'') or (1 eq 1'"


@given(st.dates())
def test_every_day_comes_back(day: date) -> None:
    sent = json.loads(V2.encode({"Day": day}))["Day"]
    assert V2.read_date("Day", sent) == day


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=3, allow_nan=False))
def test_every_amount_comes_back_exactly(amount: Decimal) -> None:
    assert V2.read_decimal("Net", json.loads(V2.encode({"Net": amount}))["Net"]) == amount


def test_a_row_is_read_by_type() -> None:
    row = _entity(
        as_json(
            {
                "d": {
                    "Text": "a",
                    "Initial": "",
                    "Null": None,
                    "Net": "123991.820",
                    "Day": "/Date(836438400000+0120)/",
                    "Flag": False,
                    "to_Item": {"results": [{"Net": "1"}]},
                    "to_Other": {"__deferred": {"uri": "x"}},
                    "to_Cut": {"results": [], "__next": "x"},
                    "Half": "\ud800",
                }
            }
        )
    )
    assert row.text("Text") == "a"
    assert row.text("Null") == row.text("Initial") == ""
    assert row.amount("Net") == Decimal("123991.82")
    assert row.day("Day") == date(1996, 7, 4)
    assert row.day("Null") is None
    assert row.flag("Flag") is False
    assert [item.amount("Net") for item in row.many("to_Item")] == [Decimal(1)]
    for call in (
        lambda: row.text("Missing"),
        lambda: row.text("Flag"),
        lambda: row.text("Half"),
        lambda: row.number("Initial"),
        lambda: row.amount("Text"),
        lambda: row.amount("Null"),
        lambda: row.day("Text"),
        lambda: row.flag("Text"),
        lambda: row.many("to_Other"),
        lambda: row.many("to_Cut"),
        lambda: row.many("Text"),
    ):
        with pytest.raises(Garbled):
            call()


@pytest.mark.parametrize("value", ["/Date()/", "/Date(99999999999999999)/", "/Date(999999999999999)/", "1996-07-04", 0])
def test_what_is_no_date_is_garbled(value: object) -> None:
    with pytest.raises(Garbled):
        V2.read_date("Day", value)


@pytest.mark.parametrize("value", ["1e5", "NaN", "1,5", "", " 1", "1\n", "١", 1, None, "1" * 17, "0." + "1" * 7])
def test_what_is_no_decimal_is_garbled(value: object) -> None:
    with pytest.raises(Garbled):
        V2.read_decimal("Net", value)


def test_one_entity_and_a_collection_are_not_taken_for_each_other() -> None:
    with pytest.raises(Garbled, match="collection"):
        _entity(as_json({"d": {"results": [{"SalesOrder": "1"}, {"SalesOrder": "2"}]}}))
    bodies: list[object] = [{"d": {"SalesOrder": "1"}}, {"d": {"results": [1]}}, {"d": []}, {"value": []}]
    for body in bodies:
        with pytest.raises(Garbled):
            _rows(as_json(body))
    assert _rows(as_json({"d": {"results": []}})).rows == ()
    assert _rows(as_json({"d": {"results": [{}], "__next": "http://elsewhere/"}})).more


def test_an_error_has_code_message_and_property() -> None:
    said = read_json(problem(400, "too long", "X/001", "SoldToParty"))
    assert V2.problem(said) == Problem("X/001", "too long", "SoldToParty")
    assert V2.problem({"error": {"code": "X", "message": "text"}}) == Problem("X", "text")


def test_an_error_is_bounded_and_printable() -> None:
    found = V2.problem(read_json(problem(400, "a\x1b[31m\n" + "b" * 10_000)))
    assert found is not None
    assert len(found.message) <= 500
    assert found.message.isprintable()


@pytest.mark.parametrize(
    "body",
    [{}, {"error": []}, {"error": {}}, {"error": {"code": "", "message": "x"}}, {"error": {"code": 1, "message": "x"}},
     {"error": {"code": "X"}}, {"error": {"code": "X", "message": {"value": None}}}],
)  # fmt: skip
def test_half_an_error_is_none(body: dict[str, object]) -> None:
    assert V2.problem(body) is None
    assert ODataV4({}, "nested").problem(body) is None


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["d", "value", "error", "results", "responses", "@odata.context"]) | st.text(),
        st.recursive(
            st.none() | st.booleans() | st.text() | st.decimals(-9, 9, places=1),
            lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        ),
    )
)
def test_any_json_is_an_answer_or_garbled(answer: dict[str, object]) -> None:
    for dialect in (V2, ODataV4({}, "nested")):
        for read in (dialect.entity, dialect.collection):
            with contextlib.suppress(Garbled):
                read(answer, ORDERS)
        dialect.problem(answer)


def test_an_entity_of_another_set_is_garbled() -> None:
    ours = {"d": {"__metadata": {"type": "API_SALES_ORDER_SRV.A_SalesOrderType"}}}
    assert V2.entity(ours, ORDERS).etag() == ""
    other = {"__metadata": {"type": "API_PURCHASEORDER_PROCESS_SRV.A_PurchaseOrderType"}}
    with pytest.raises(Garbled):
        V2.entity({"d": other}, ORDERS)
    with pytest.raises(Garbled):
        V2.collection({"d": {"results": [other]}}, ORDERS)


@pytest.mark.parametrize("etag", ["x", 'W/"a"\r\nX: y', 'W/"a', 7, 'W/"ä"', '"a"b"'])
def test_an_etag_that_could_be_another_header_is_garbled(etag: object) -> None:
    with pytest.raises(Garbled):
        V2.entity({"d": {"__metadata": {"etag": etag}}}, ORDERS).etag()
    assert V2.entity({"d": {"__metadata": {"etag": "W/\"datetime'1996-07-01T08%3A00'\""}}}, ORDERS).etag()


def test_a_key_is_quoted() -> None:
    key = {"AccountingDocument": "01/?#'", "CompanyCode": "1710"}
    assert key_predicate(key) == "(AccountingDocument=%2701%2F%3F%23%27%27%27,CompanyCode=%271710%27)"
