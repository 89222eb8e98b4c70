"""Changes and cancellations of orders: what is refused, what is sent, and how an order stands to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from adapters.canonical import Order, Reference, Totals
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc.order_changes import (
    CHANGEABLE,
    cancel_order,
    change_order,
    check_cancellation,
    check_change,
)
from adapters.legacy_erp.sap_ecc.order_items import FREIGHT_TEXT
from adapters.legacy_erp.sap_ecc.orders import create_order
from adapters.legacy_erp.sap_ecc.standing import Standing, StandingItem, StandingOrder, standing_of
from adapters.legacy_erp.sap_ecc.table_names import ECC_TABLES
from adapters.port import Cancellation, Change
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, line, number, order, ship_to, submission
from tests.unit.sap_ecc.order_model import BEFORE, OrderModel, change_of, parameters_of
from tests.unit.sap_ecc.recorded import ORDERED, cancelled, changed, invoiced, ordered, standing


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("external_id", "SO-4712"),
        ("business_unit", "produce"),
        ("geography", "FR"),
        ("company_code", "2000"),
        ("customer_segment", "gold"),
        ("posting_date", date(1996, 7, 5)),
        ("currency_code", "EUR"),
        ("quote_reference", "Q-1"),
        ("ship_to", ship_to()),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(member: str, value: object) -> None:
    after = BEFORE.model_copy(update={member: value, "lines": (line(1, "3", "10.00", "30.00"),)})
    with pytest.raises(Rejected) as raised:
        check_change(change_of(BEFORE, after), SETTINGS, SYSTEM)
    wire_name = Order.model_fields[member].alias
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", wire_name)
    assert wire_name not in CHANGEABLE


def test_every_member_of_an_order_is_either_changeable_or_refused() -> None:
    refused = {"externalId", "businessUnit", "geography", "companyCode", "customerSegment", "postingDate"}
    refused |= {"currencyCode", "customer", "quoteReference", "shipTo", "documentType"}
    assert refused | CHANGEABLE == {info.alias or name for name, info in Order.model_fields.items()}
    assert not refused & CHANGEABLE


def test_another_customer_is_refused_but_another_name_for_the_same_is_none() -> None:
    change = change_of(BEFORE, BEFORE.model_copy(update={"customer": Reference(external_id="another name")}))
    check_change(change, SETTINGS, SYSTEM)
    other = replace(change, numbers=dict(change.numbers) | {"customer": number("customer", "1000002")})
    with pytest.raises(Rejected) as raised:
        check_change(other, SETTINGS, SYSTEM)
    assert raised.value.field == "customer"


def test_a_date_cannot_be_taken_away() -> None:
    with pytest.raises(Rejected) as raised:
        check_change(change_of(BEFORE, BEFORE.model_copy(update={"requested_delivery_date": None})), SETTINGS, SYSTEM)
    assert raised.value.field == "requestedDeliveryDate"


@pytest.mark.parametrize("nets", [("20.00", "0"), ("0", "20.00")])
def test_a_line_stays_free_or_priced(nets: tuple[str, str]) -> None:
    before, after = (order(line(1, "2", f"{Decimal(net) / 2}", net)) for net in nets)
    with pytest.raises(Rejected) as raised:
        check_change(change_of(before, after), SETTINGS, SYSTEM)
    assert raised.value.field == "lines[0].netAmount"


def test_a_number_that_is_no_orders_here_is_for_operations() -> None:
    for wrong in (number("sales_order", "1", "other"), number("accounting_document", "0100000007/1000/1996")):
        with pytest.raises(Misconfigured):
            check_change(replace(changed(), number=wrong), SETTINGS, SYSTEM)
        with pytest.raises(Misconfigured):
            check_cancellation(replace(cancelled(), number=wrong), SYSTEM)


def test_what_the_erp_would_round_is_refused_in_a_change_too() -> None:
    with pytest.raises(Rejected) as raised:
        check_change(change_of(BEFORE, order(line(1, "1.0001", "1.00", "1.00"))), SETTINGS, SYSTEM)
    assert raised.value.field in {"requestedDeliveryDate", "lines[0].quantity.value"}


def test_a_cancellation_rejects_every_item_for_the_reason_of_the_settings() -> None:
    settings = replace(SETTINGS, tables=ECC_TABLES, rejection_reason="92")
    parameters = parameters_of(cancel_order(cancelled(), standing(), settings, SYSTEM))
    assert {row["ITM_NUMBER"]: row["REASON_REJ"] for row in parameters["ORDER_ITEM_IN"]} == dict.fromkeys(
        ["000001", "000020", "000030", "000040"], "92"
    )
    assert {(row["UPDATEFLAG"], row["REASON_REJ"]) for row in parameters["ORDER_ITEM_INX"]} == {("U", "X")}


def test_only_what_differs_is_sent() -> None:
    after = BEFORE.model_copy(
        update={
            "lines": (line(1, "3", "10.00", "30.00"), BEFORE.lines[1]),
            "totals": Totals(net_amount=Decimal(35), gross_amount=Decimal(35)),
        }
    )
    there = OrderModel(create_order(submission(BEFORE), SETTINGS, SYSTEM)).standing()
    parameters = parameters_of(change_order(change_of(BEFORE, after), there, SETTINGS, SYSTEM))
    assert parameters["ORDER_ITEM_IN"] == [{"ITM_NUMBER": "000001", "TARGET_QTY": "3.000", "COND_VALUE": "30.00"}]
    assert "ORDER_HEADER_IN" not in parameters
    assert parameters["SCHEDULE_LINES"] == [{"ITM_NUMBER": "000001", "SCHED_LINE": "0001", "REQ_QTY": "3.000"}]


def _verdict(posting: Change | Cancellation, there: StandingOrder) -> Standing:
    return standing_of(posting, there, SETTINGS, SYSTEM)


def test_an_order_as_it_was_created_stands_as_before_with_or_without_its_date() -> None:
    for requested in (None, date(1996, 8, 1)):
        assert _verdict(changed(), standing(requested=requested)) is Standing.BEFORE
        assert _verdict(cancelled(), standing(requested=requested)) is Standing.BEFORE


def test_a_date_that_the_erp_dropped_does_not_stand_as_the_one_that_a_change_demands() -> None:
    later = ordered().document.model_copy(update={"requested_delivery_date": date(1996, 9, 2)})
    change = replace(changed(), document=later, numbers=ordered().numbers)
    assert _verdict(change, standing(requested=None)) is Standing.BEFORE
    assert _verdict(change, standing(requested=date(1996, 9, 2))) is Standing.DEMANDED


def test_a_line_under_the_number_that_the_freight_had_does_not_go_on_saying_freight() -> None:
    before = order(line(1, "2", "10.00", "20.00"), freight="5.00")
    after = order(before.lines[0], line(10, "1", "7.00", "7.00", description=""), freight="5.00")
    model = OrderModel(create_order(submission(before), SETTINGS, SYSTEM))
    model.apply(change_order(change_of(before, after), model.standing(), SETTINGS, SYSTEM))
    texts = {item.number: item.text for item in model.standing().items}
    assert texts == {"000001": "Chai", "000010": "", "000020": FREIGHT_TEXT}


ITEMS = standing().items


@pytest.mark.parametrize(
    "there",
    [
        standing(replace(ITEMS[0], quantity=Decimal(13)), *ITEMS[1:]),
        standing(replace(ITEMS[0], material="TG19"), *ITEMS[1:]),
        standing(replace(ITEMS[0], text="Chang"), *ITEMS[1:]),
        standing(replace(ITEMS[0], unit="KG"), *ITEMS[1:]),
        standing(replace(ITEMS[0], net=Decimal("168.01")), *ITEMS[1:]),
        standing(replace(ITEMS[0], number="000002"), *ITEMS[1:]),
        standing(replace(ITEMS[0], rejected=True), *ITEMS[1:]),
        standing(replace(ITEMS[3], net=Decimal(1)), *ITEMS[:3]),
        standing(*ITEMS[:3]),
        standing(*ITEMS[1:]),
        standing(*ITEMS, replace(ITEMS[0], number="000050")),
        standing(*ITEMS, replace(ITEMS[3], number="000050")),
        standing(requested=date(1996, 8, 2)),
        standing(party="1000002"),
        standing(currency_code="EUR"),
    ],
)
def test_what_somebody_else_changed_is_seen(there: StandingOrder) -> None:
    assert _verdict(changed(), there) is Standing.OTHERWISE
    assert _verdict(cancelled(), there) is Standing.OTHERWISE


def test_a_cancelled_order_stands_as_a_cancellation_demands_and_as_no_change_does() -> None:
    there = standing(cancelled=True)
    gone = StandingOrder(there.found, None, ())
    assert _verdict(cancelled(), gone) is Standing.DEMANDED
    assert _verdict(changed(), gone) is Standing.OTHERWISE


def test_zeros_in_front_of_numbers_make_no_difference() -> None:
    made = submission(order(line(1, "2", "10.00", "20.00")))
    made = replace(made, numbers=dict(made.numbers) | {"lines[0].product": number("product", "4711")})
    item = StandingItem("000001", "000000000000004711", "Chai", Decimal(2), "PC", Decimal("20.00"))
    assert _verdict(Cancellation(ORDERED, made, "C"), standing(item)) is Standing.BEFORE


def test_the_original_of_a_cancellation_must_be_an_order() -> None:
    with pytest.raises(Misconfigured):
        check_cancellation(Cancellation(ORDERED, invoiced(), "C"), SYSTEM)


def test_the_recorded_order_is_the_one_that_is_changed() -> None:
    assert _verdict(changed(), OrderModel(create_order(ordered(), SETTINGS, SYSTEM)).standing()) is Standing.BEFORE
