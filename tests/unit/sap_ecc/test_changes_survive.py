"""What a change sends makes the order what it shall be, seen by an ERP that is not of our making."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import DocumentLine, Freight, Order, Totals
from adapters.legacy_erp.sap_ecc.order_changes import cancel_order, change_order, check_change
from adapters.legacy_erp.sap_ecc.order_items import FREIGHT_TEXT
from adapters.legacy_erp.sap_ecc.orders import create_order
from adapters.legacy_erp.sap_ecc.standing import Standing, StandingOrder, standing_of
from adapters.legacy_erp.sap_ecc.wire import clean
from adapters.port import Cancellation, Change
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, line, submission
from tests.unit.sap_ecc.order_model import BEFORE, OrderModel, change_of
from tests.unit.sap_ecc.recorded import ORDERED


def _verdict(posting: Change | Cancellation, there: StandingOrder) -> Standing:
    return standing_of(posting, there, SETTINGS, SYSTEM)


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
    change = change_of(before, after)
    check_change(change, SETTINGS, SYSTEM)
    model = OrderModel(create_order(change.original, SETTINGS, SYSTEM))
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
    model = OrderModel(create_order(posting.original, SETTINGS, SYSTEM))
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
