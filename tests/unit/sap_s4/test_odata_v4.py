"""OData V4: numbers as numbers, ISO dates, `value`, JSON batches."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cloud_erp.sap_s4.group import Group, Step
from adapters.cloud_erp.sap_s4.json_answer import read_json
from adapters.cloud_erp.sap_s4.odata_v4 import ODataV4
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Problem
from adapters.errors import Garbled
from adapters.transport import ErpResponse
from tests.unit.sap_s4.scripted import as_json, problem

SERVICE = "API_SALES_ORDER_SRV"
ORDERS = Address(SERVICE, "A_SalesOrder")
ENTRIES = Address("API_JOURNALENTRY_SRV", "A_JournalEntry")
V4 = ODataV4({}, "nested")
SAP = ODataV4(
    {
        SERVICE: "api_salesorder/srvd_a2x/sap/salesorder/0001",
        "A_SalesOrderItemPrElement": "SalesOrderItemPricingElement",
        "to_Item": "_Item",
        "to_PricingElement": "_ItemPricingElement",
    },
    "nested",
)
"""Names as SAP's own service has them."""
KEY = {"SalesOrder": "1"}
GROUP = Group(
    ORDERS,
    (
        Step("PATCH", ORDERS, KEY, {"RequestedDeliveryDate": date(1996, 7, 4)}, etag='W/"1"'),
        Step("DELETE", Address(SERVICE, "A_SalesOrderItem"), {**KEY, "SalesOrderItem": "10"}),
        Step("POST", ORDERS, KEY, {"NetAmount": Decimal("1.50"), "to_PricingElement": [{"a": True}]}, "to_Item"),
    ),
    (ORDERS, KEY),
)


def test_an_entity_goes_out_with_exact_numbers() -> None:
    entity: Entity = {
        "Name": 'für "uns"',
        "Flag": True,
        "Net": Decimal("1234567890123.456"),
        "Tiny": Decimal("0.0000001"),
        "Thousand": Decimal("1E+3"),
        "Day": date(1996, 7, 4),
        "None": None,
        "to_Item": [{"Net": Decimal(-15), "to_PricingElement": []}],
    }
    start = '{"Name":"für \\"uns\\"","Flag":true,"Net":1234567890123.456,"Tiny":0.0000001,"Thousand":1000,'
    assert V4.encode(entity).decode() == (
        f'{start}"Day":"1996-07-04","None":null,"to_Item":[{{"Net":-15,"to_PricingElement":[]}}]}}'
    )
    assert SAP.encode({"to_Item": [{"to_PricingElement": []}]}) == b'{"_Item":[{"_ItemPricingElement":[]}]}'


def test_addresses_and_names() -> None:
    root = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap"
    assert V4.path(ORDERS) == f"{root}/api_salesorder/0001/SalesOrder"
    assert SAP.path(Address(SERVICE, "A_SalesOrderItemPrElement")) == (
        f"{root}/salesorder/0001/SalesOrderItemPricingElement"
    )
    assert V4.serves(ORDERS)
    assert not V4.serves(ENTRIES)
    assert V4.day_literal(date(1996, 7, 4)) == "1996-07-04"
    assert V4.format == {}


def test_an_expansion_nests_or_goes_by_path() -> None:
    paths = ("to_Item", "to_Item/to_PricingElement", "to_Partner", "to_Partner/to_Address", "to_Text")
    assert V4.expand(paths) == "to_Item($expand=to_PricingElement),to_Partner($expand=to_Address),to_Text"
    assert SAP.expand(paths[:2]) == "_Item($expand=_ItemPricingElement)"
    assert ODataV4({}, "path").expand(paths[:2]) == "to_Item,to_Item/to_PricingElement"


@given(st.decimals(-(10**13), 10**13, places=3))
def test_every_amount_comes_back_exactly(amount: Decimal) -> None:
    body = ErpResponse(200, {"content-type": "application/json"}, V4.encode({"Net": amount}))
    assert V4.entity(read_json(body), ORDERS).amount("Net") == amount


@given(st.dates())
def test_every_day_comes_back(day: date) -> None:
    assert V4.read_date("Day", json.loads(V4.encode({"Day": day}))["Day"]) == day


def test_a_row_is_read_by_type() -> None:
    row = V4.entity(
        {
            "@odata.context": "http://x/$metadata#SalesOrder/$entity",
            "@odata.etag": 'W/"1"',
            "Text": "a",
            "Net": Decimal("1.5E+3"),
            "AsText": "12.50",
            "Zero": Decimal("0E-3"),
            "Day": "1996-07-04",
            "Moment": "1996-07-04T00:00:00.000Z",
            "Null": None,
            "to_Item": [{"Net": Decimal(1)}],
            "to_Cut": [],
            "to_Cut@odata.nextLink": "x",
        },
        ORDERS,
    )
    assert (row.etag(), row.text("Text"), row.text("Null")) == ('W/"1"', "a", "")
    assert (row.amount("Net"), row.amount("AsText"), row.amount("Zero")) == (1500, Decimal("12.50"), 0)
    assert row.day("Day") == row.day("Moment") == date(1996, 7, 4)
    assert row.day("Null") is None
    assert [item.amount("Net") for item in row.many("to_Item")] == [1]
    for call in (
        lambda: row.many("to_Cut"),
        lambda: row.many("to_Missing"),
        lambda: row.many("Text"),
        lambda: row.amount("Day"),
        lambda: row.day("Text"),
    ):
        with pytest.raises(Garbled):
            call()


@pytest.mark.parametrize("value", ["1996-13-01", "1996-07-04T00:00:00+02:00", "/Date(0)/", "1996-7-4", "", Decimal(0)])
def test_what_is_no_date_is_garbled(value: object) -> None:
    with pytest.raises(Garbled):
        V4.read_date("Day", value)


@pytest.mark.parametrize(
    "value", [Decimal("1E+16"), Decimal("1E-7"), Decimal(10**20), "1e5", "NaN", "", None, True, 1.5, "1\n"]
)
def test_what_is_no_decimal_is_garbled(value: object) -> None:
    with pytest.raises(Garbled):
        V4.read_decimal("Net", value)


def test_one_entity_and_a_collection_are_not_taken_for_each_other() -> None:
    with pytest.raises(Garbled, match="collection"):
        V4.entity({"value": [{}]}, ORDERS)
    for body in ({"SalesOrder": "1"}, {"value": [1]}, {"value": {}}, {"d": {"results": []}}):
        with pytest.raises(Garbled):
            V4.collection(body, ORDERS)
    assert V4.collection({"value": []}, ORDERS).rows == ()
    assert V4.collection({"value": [{}], "@odata.nextLink": "http://elsewhere/"}, ORDERS).more


@pytest.mark.parametrize("context", ["$metadata#SalesOrder(to_Item())/$entity", "$metadata#SalesOrder", "odd", 7])
def test_an_entity_of_another_set_is_garbled(context: object) -> None:
    assert V4.entity({"@odata.context": context}, ORDERS)
    for other in ("$metadata#PurchaseOrder/$entity", "$metadata#SalesOrderItem/$entity"):
        with pytest.raises(Garbled):
            V4.entity({"@odata.context": other}, ORDERS)
        with pytest.raises(Garbled):
            V4.collection({"@odata.context": other, "value": []}, ORDERS)


def test_errors_of_the_service_and_of_the_gateway_in_front() -> None:
    said = {"code": "V1/849", "message": "Credit limit\n", "target": "SoldToParty", "details": []}
    assert V4.problem({"error": said}) == Problem("V1/849", "Credit limit ", "SoldToParty")
    assert V4.problem({"error": {**said, "target": None}}) == Problem("V1/849", "Credit limit ")
    assert V4.problem(read_json(problem(503, "busy", "/IWFND/CM_MGW_RT"))) == Problem("/IWFND/CM_MGW_RT", "busy")


def test_a_batch_is_one_atomicity_group_and_the_reading_that_depends_on_it() -> None:
    media_type, body = SAP.encode_group(GROUP)
    assert media_type == "application/json"
    requests = json.loads(body)["requests"]
    assert [one.get("atomicityGroup") for one in requests] == ["changes", "changes", "changes", None]
    assert requests[0] == {
        "id": "1",
        "atomicityGroup": "changes",
        "method": "PATCH",
        "url": "SalesOrder(SalesOrder=%271%27)",
        "headers": {"accept": "application/json", "if-match": 'W/"1"', "content-type": "application/json"},
        "body": {"RequestedDeliveryDate": "1996-07-04"},
    }
    assert "body" not in requests[1]
    assert requests[2]["url"] == "SalesOrder(SalesOrder=%271%27)/_Item"
    assert requests[2]["body"] == {"NetAmount": 1.5, "_ItemPricingElement": [{"a": True}]}
    assert (requests[3]["method"], requests[3]["dependsOn"]) == ("GET", ["changes"])


def _answer(*responses: Any) -> ErpResponse:
    return as_json({"responses": list(responses)})


def _done(*ids: object, status: object = 204) -> list[dict[str, object]]:
    return [{"id": one, "status": status} for one in ids]


def test_a_complete_batch_is_read_in_the_order_of_its_steps() -> None:
    read = V4.read_group(
        _answer(
            {"id": "reading", "status": 200, "body": {"SalesOrder": "1"}},
            {"id": "2", "status": 204},
            {"id": "3", "status": 201, "headers": {"SAP-Message": "m", "x": 1}, "body": {}},
            {"id": "1", "status": 204, "headers": None, "body": "text"},
        ),
        GROUP,
    )
    assert [member.status for member in read.members] == [204, 204, 201]
    assert read.members[2].headers == {"sap-message": "m"}
    assert read.members[0].answer is None
    assert read.reading is not None
    assert read.reading.answer == {"SalesOrder": "1"}


def test_one_failed_member_stands_for_the_group() -> None:
    """Whether the others are missing, or state that they were done."""
    failed = {"id": "3", "status": 400, "body": {"error": {"code": "X", "message": "no"}}}
    for others in ([], _done("1", "2")):
        [member] = V4.read_group(_answer(*others, failed), GROUP).members
        assert member.status == 400


@pytest.mark.parametrize(
    "responses",
    [
        [],
        _done("1", "2"),
        _done("1", "2", "2"),
        _done("1", "2", "3", "4"),
        _done("1", "2", 3),
        _done("1", "2", "3", status="204"),
        _done("1", "2", "3", status=204.5),
        _done("1", "2", "3", status=0),
        _done("1", "2", "3", status=True),
        [*_done("1", "2"), None],
        [*_done("reading"), *_done("reading", "1", "2", "3")],
    ],
)
def test_a_batch_that_leaves_doubt_is_garbled(responses: list[Any]) -> None:
    with pytest.raises(Garbled):
        V4.read_group(_answer(*responses), GROUP)


@pytest.mark.parametrize("body", [{}, {"responses": {}}, {"responses": None}, {"value": []}])
def test_what_is_no_batch_is_garbled(body: object) -> None:
    with pytest.raises(Garbled):
        V4.read_group(as_json(body), GROUP)
