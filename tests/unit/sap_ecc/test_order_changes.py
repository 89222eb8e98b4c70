"""Changes and cancellations of orders: what is refused, what is sent, and that what was sent makes the order right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import DocumentLine, Freight, Order, Reference, Totals
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
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import clean, envelope
from adapters.port import Cancellation, Change
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, line, number, order, read_envelope, ship_to, submission
from tests.unit.sap_ecc.recorded import ORDERED, cancelled, changed, invoiced, ordered, standing


def _parameters(call: Call) -> dict[str, Any]:
    return read_envelope(envelope(call.function, call.parameters))[1]


def _change(before: Order, after: Order) -> Change:
    made = submission(after)
    return Change(ORDERED, submission(before), after, "CHANGE0000000001", made.numbers)


BEFORE = order(line(1, "2", "10.00", "20.00"), line(2, "1", "5.00", "5.00"), requested_delivery_date=date(1996, 8, 1))


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
        check_change(_change(BEFORE, after), SETTINGS, SYSTEM)
    wire_name = Order.model_fields[member].alias
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", wire_name)
    assert wire_name not in CHANGEABLE


def test_every_member_of_an_order_is_either_changeable_or_refused() -> None:
    refused = {"externalId", "businessUnit", "geography", "companyCode", "customerSegment", "postingDate"}
    refused |= {"currencyCode", "customer", "quoteReference", "shipTo", "documentType"}
    assert refused | CHANGEABLE == {info.alias or name for name, info in Order.model_fields.items()}
    assert not refused & CHANGEABLE


def test_another_customer_is_refused_but_another_name_for_the_same_is_none() -> None:
    change = _change(BEFORE, BEFORE.model_copy(update={"customer": Reference(external_id="another name")}))
    check_change(change, SETTINGS, SYSTEM)
    other = replace(change, numbers=dict(change.numbers) | {"customer": number("customer", "1000002")})
    with pytest.raises(Rejected) as raised:
        check_change(other, SETTINGS, SYSTEM)
    assert raised.value.field == "customer"


def test_a_date_cannot_be_taken_away() -> None:
    with pytest.raises(Rejected) as raised:
        check_change(_change(BEFORE, BEFORE.model_copy(update={"requested_delivery_date": None})), SETTINGS, SYSTEM)
    assert raised.value.field == "requestedDeliveryDate"


@pytest.mark.parametrize("nets", [("20.00", "0"), ("0", "20.00")])
def test_a_line_stays_free_or_priced(nets: tuple[str, str]) -> None:
    before, after = (order(line(1, "2", f"{Decimal(net) / 2}", net)) for net in nets)
    with pytest.raises(Rejected) as raised:
        check_change(_change(before, after), SETTINGS, SYSTEM)
    assert raised.value.field == "lines[0].netAmount"


def test_a_number_that_is_no_orders_here_is_for_operations() -> None:
    for wrong in (number("sales_order", "1", "other"), number("accounting_document", "0100000007/1000/1996")):
        with pytest.raises(Misconfigured):
            check_change(replace(changed(), number=wrong), SETTINGS, SYSTEM)
        with pytest.raises(Misconfigured):
            check_cancellation(replace(cancelled(), number=wrong), SYSTEM)


def test_what_the_erp_would_round_is_refused_in_a_change_too() -> None:
    with pytest.raises(Rejected) as raised:
        check_change(_change(BEFORE, order(line(1, "1.0001", "1.00", "1.00"))), SETTINGS, SYSTEM)
    assert raised.value.field in {"requestedDeliveryDate", "lines[0].quantity.value"}


def test_a_cancellation_rejects_every_item_for_the_reason_of_the_settings() -> None:
    settings = replace(SETTINGS, tables=ECC_TABLES, rejection_reason="92")
    parameters = _parameters(cancel_order(cancelled(), standing(), settings, SYSTEM))
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
    there = _Model(create_order(submission(BEFORE), SETTINGS, SYSTEM)).standing()
    parameters = _parameters(change_order(_change(BEFORE, after), there, SETTINGS, SYSTEM))
    assert parameters["ORDER_ITEM_IN"] == [{"ITM_NUMBER": "000001", "TARGET_QTY": "3.000", "COND_VALUE": "30.00"}]
    assert "ORDER_HEADER_IN" not in parameters
    assert parameters["SCHEDULE_LINES"] == [{"ITM_NUMBER": "000001", "SCHED_LINE": "0001", "REQ_QTY": "3.000"}]


def _verdict(posting: Change | Cancellation, there: StandingOrder) -> Standing:
    return standing_of(posting, there, SETTINGS, SYSTEM)


def test_an_order_as_it_was_created_stands_as_before_with_or_without_its_date() -> None:
    for requested in (None, date(1996, 8, 1)):
        assert _verdict(changed(), standing(requested=requested)) is Standing.BEFORE
        assert _verdict(cancelled(), standing(requested=requested)) is Standing.BEFORE


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


class _Model:
    """An order as an ERP of another make would keep it: created and changed by the envelopes, read by their rules.

    Written from the vendor's description of the function, not from the driver: I inserts a whole row, U sets the
    fields that are flagged, D deletes; what is not flagged is ignored.
    """

    def __init__(self, created: Call) -> None:
        parameters = _parameters(created)
        self.requested = parameters["ORDER_HEADER_IN"].get("REQ_DATE_H", "")
        self.items: dict[str, dict[str, str]] = {row["ITM_NUMBER"]: dict(row) for row in parameters["ORDER_ITEMS_IN"]}

    def apply(self, call: Call) -> None:
        parameters = _parameters(call)
        if parameters["ORDER_HEADER_INX"].get("REQ_DATE_H") == "X":
            self.requested = parameters["ORDER_HEADER_IN"]["REQ_DATE_H"]
        flags = {row["ITM_NUMBER"]: row for row in parameters.get("ORDER_ITEM_INX", [])}
        for row in parameters.get("ORDER_ITEM_IN", []):
            key, flagged = row["ITM_NUMBER"], flags[row["ITM_NUMBER"]]
            if flagged["UPDATEFLAG"] == "D":
                self.items.pop(key, None)
            elif flagged["UPDATEFLAG"] == "I":
                self.items[key] = dict(row)
            else:
                assert key in self.items, "an item that is not there was changed"
                self.items[key].update({name: value for name, value in row.items() if flagged.get(name) == "X"})

    def standing(self) -> StandingOrder:
        items = tuple(
            StandingItem(
                row["ITM_NUMBER"],
                row["MATERIAL"],
                row["SHORT_TEXT"],
                Decimal(row["TARGET_QTY"]),
                row["SALES_UNIT"],
                Decimal(row["COND_VALUE"]).quantize(Decimal("0.001")),
            )
            for _, row in sorted(self.items.items())
        )
        found = replace(standing().found, cancelled=not items)
        return StandingOrder(found, date.fromisoformat(self.requested) if self.requested else None, items)


@st.composite
def _orders(draw: st.DrawFn, kinds: dict[int, bool]) -> Order:
    """An order whose line n costs something if `kinds[n]` says so."""
    lines: list[DocumentLine] = []
    for line_number in draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, unique=True)):
        pieces = Decimal(draw(st.integers(1, 10**6))) / 1000
        net = Decimal(draw(st.integers(1, 10**6))) / 100 if kinds[line_number] else Decimal(0)
        made = line(
            line_number,
            f"{pieces:f}",
            "0",
            "0",
            description=draw(st.sampled_from(["", "Chai", FREIGHT_TEXT, "x" * 41, "Käse & <Co>"])),
            unit_code=draw(st.sampled_from(["C62", "KGM"])),
        )
        # The price does not reach this ERP, so it need not be exact here.
        lines.append(made.model_copy(update={"net_amount": net}))
    freight = Decimal(draw(st.sampled_from([0, 1, 3_238]))) / 100
    net = sum((one.net_amount for one in lines), Decimal(0))
    return BEFORE.model_copy(
        update={
            "lines": tuple(lines),
            "freight": Freight(net_amount=freight) if freight else None,
            "requested_delivery_date": draw(st.sampled_from([date(1996, 8, 1), date(1996, 9, 1)])),
            "totals": Totals(net_amount=net, freight_amount=freight, gross_amount=net + freight),
        }
    )


_KINDS = {1: True, 2: False, 9: True, 10: True, 20: True, 999_999: True}


@given(before=_orders(_KINDS), after=_orders(_KINDS))
def test_a_change_makes_the_order_what_it_shall_be_and_a_second_one_nothing_else(before: Order, after: Order) -> None:
    change = _change(before, after)
    check_change(change, SETTINGS, SYSTEM)
    model = _Model(create_order(change.original, SETTINGS, SYSTEM))
    there = model.standing()
    if _verdict(change, there) is Standing.DEMANDED:
        assert _seen(before) == _seen(after)
        return
    assert _verdict(change, there) is Standing.BEFORE
    call = change_order(change, there, SETTINGS, SYSTEM)
    model.apply(call)
    once = model.standing()
    assert _verdict(change, once) is Standing.DEMANDED
    _tells(once, after, change)
    try:
        model.apply(call)
    except AssertionError as error:
        pytest.fail(f"a second time it is another change: {error}")
    assert model.standing() == once


@given(before=_orders(_KINDS))
def test_a_cancelled_order_has_no_item_left(before: Order) -> None:
    posting = Cancellation(ORDERED, submission(before), "CANCEL0000000001")
    model = _Model(create_order(posting.original, SETTINGS, SYSTEM))
    assert _verdict(posting, model.standing()) is Standing.BEFORE
    model.apply(cancel_order(posting, model.standing(), SETTINGS, SYSTEM))
    assert _verdict(posting, model.standing()) is Standing.DEMANDED


def _seen(document: Order) -> object:
    """What the ERP holds of an order, but for texts that nobody gave."""
    lines = {one.line_number: (one.quantity.value, one.quantity.unit_code, one.net_amount) for one in document.lines}
    return lines, document.totals.gross_amount, document.requested_delivery_date


def _tells(there: StandingOrder, document: Order, change: Change) -> None:
    """Every line, the freight and the date can be read from the order as it stands."""
    units = {unit: code for code, unit in SETTINGS.units.items()}
    items = {int(item.number): item for item in there.items}
    for index, one in enumerate(document.lines):
        item = items.pop(one.line_number)
        assert item.material == change.numbers[f"lines[{index}].product"].document_number
        assert (item.quantity, units[item.unit], item.net) == (
            one.quantity.value,
            one.quantity.unit_code,
            one.net_amount,
        )
        assert item.text == clean(one.description, 40) or not one.description
    carriage = document.freight.net_amount if document.freight else Decimal(0)
    assert [item.net for item in items.values()] == ([carriage] if carriage else [])
    assert there.requested_date == document.requested_delivery_date


def test_the_original_of_a_cancellation_must_be_an_order() -> None:
    with pytest.raises(Misconfigured):
        check_cancellation(Cancellation(ORDERED, invoiced(), "C"), SYSTEM)


def test_the_recorded_order_is_the_one_that_is_changed() -> None:
    assert _verdict(changed(), _Model(create_order(ordered(), SETTINGS, SYSTEM)).standing()) is Standing.BEFORE
