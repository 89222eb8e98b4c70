"""Canonical orders to BAPI_SALESORDER_CREATEFROMDAT2. Pure.

Source: SAP Help, "BAPI_SALESORDER_CREATEFROMDAT2" (structures BAPISDHD1, BAPISDITM, BAPISCHDL, BAPIPARNR).

One item per line, with the line's own number, so that a line is found there by what the caller calls it. The
freight is an item of its own behind them. The tax of an order is determined by the ERP and not carried; hence an
order's total there is net + freight.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.canonical import DocumentLine, Order
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import CREATE_ORDER, Struct, Value, clean
from adapters.port import Expectation, Submission

FREIGHT_TEXT: Final = "FREIGHT"
_SHORT_TEXT: Final = 40
_FREE: Final = "0.000000001"
"""The condition value of a line without a price: the smallest that the field holds (BAPIKBETR1, nine decimals), which
is 0.00 in any currency. A plain 0 means 'not given', and then the ERP prices the line itself."""
_HIGHEST_ITEM: Final = 999_999


def create_order(submission: Submission, settings: SapEccSettings, system_id: str, *, test_run: bool = False) -> Call:
    """The call that creates, or with `test_run` only checks, an order.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    order = order_of(submission)
    area = settings.area_of(translate.company(order))
    items = [_item(submission, settings, system_id, index) for index in range(len(order.lines))]
    schedules: list[Value] = [_schedule(item, order) for item in items]
    rows: list[Value] = [*items]
    if order.freight is not None and order.freight.net_amount:
        freight = _freight_item(order, order.freight.net_amount, settings)
        rows.append(freight)
        schedules.append(_schedule(freight, order))
    header: dict[str, Value] = {
        "DOC_TYPE": settings.order_type,
        "SALES_ORG": area.organisation,
        "DISTR_CHAN": area.channel,
        "DIVISION": area.division,
        "DOC_DATE": translate.day(order.posting_date),
        "PURCH_NO_C": translate.reference(submission.external_reference),
        "PURCH_NO_S": clean(order.external_id or "", 35),
        "CURRENCY": order.currency_code,
    }
    if order.requested_delivery_date is not None:
        header["REQ_DATE_H"] = translate.day(order.requested_delivery_date)
    return Call(
        CREATE_ORDER,
        {
            "ORDER_HEADER_IN": header,
            "TESTRUN": "X" if test_run else "",
            "RETURN": "",
            "ORDER_ITEMS_IN": rows,
            "ORDER_PARTNERS": _partners(order, translate.customer_of(submission, system_id)),
            "ORDER_SCHEDULES_IN": schedules,
        },
    )


def order_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: an order's total there is its net value, freight item included."""
    order = order_of(submission)
    customer = translate.party(translate.customer_of(submission, system_id))
    return Expectation(customer, order.currency_code, order.totals.net_amount + order.totals.freight_amount)


def order_of(submission: Submission) -> Order:
    """The order in a submission. Raises `Misconfigured` for another document."""
    if not isinstance(submission.document, Order):
        raise Misconfigured(f"{submission.domain} are no orders")
    return submission.document


def _item(submission: Submission, settings: SapEccSettings, system_id: str, index: int) -> Struct:
    line = order_of(submission).lines[index]
    item: dict[str, Value] = {
        "ITM_NUMBER": f"{line.line_number:06d}",
        "MATERIAL": translate.material_of(submission, system_id, index),
        "SHORT_TEXT": clean(line.description, _SHORT_TEXT),
        "TARGET_QTY": translate.quantity(line.quantity.value, f"lines[{index}].quantity.value"),
        "SALES_UNIT": translate.unit(line.quantity.unit_code, settings, f"lines[{index}].quantity.unitCode"),
        "COND_VALUE": _condition(line, index),
        "CURRENCY": order_of(submission).currency_code,
    }
    if not line.net_amount:
        item["ITEM_CATEG"] = settings.free_item_category
    return item


def _condition(line: DocumentLine, index: int) -> str:
    if not line.net_amount:
        return _FREE
    return translate.money(line.net_amount, f"lines[{index}].netAmount")


def _freight_item(order: Order, net: Decimal, settings: SapEccSettings) -> Struct:
    return {
        "ITM_NUMBER": f"{_free_item_number(order):06d}",
        "MATERIAL": settings.freight_material,
        "SHORT_TEXT": FREIGHT_TEXT,
        "TARGET_QTY": "1.000",
        "SALES_UNIT": translate.unit("C62", settings, "freight"),
        "COND_VALUE": translate.money(net, "freight.netAmount"),
        "CURRENCY": order.currency_code,
    }


def _free_item_number(order: Order) -> int:
    """The next ten behind the lines, or the highest number that no line has."""
    used = {line.line_number for line in order.lines}
    behind = max(used) // 10 * 10 + 10
    if behind <= _HIGHEST_ITEM:
        return behind
    return next(number for number in range(_HIGHEST_ITEM, 0, -1) if number not in used)


def _schedule(item: Struct, order: Order) -> Value:
    """The schedule line that carries an item's quantity (ECC takes it from here, not from TARGET_QTY)."""
    schedule: dict[str, Value] = {
        "ITM_NUMBER": item["ITM_NUMBER"],
        "SCHED_LINE": "0001",
        "REQ_QTY": item["TARGET_QTY"],
    }
    if order.requested_delivery_date is not None:
        schedule["REQ_DATE"] = translate.day(order.requested_delivery_date)
    return schedule


def _partners(order: Order, customer: str) -> list[Value]:
    """Sold-to (AG) and, with an address for this order only, ship-to (WE). Address parts are cut to their fields."""
    partners: list[Value] = [{"PARTN_ROLE": "AG", "PARTN_NUMB": customer}]
    if order.ship_to is not None:
        address = order.ship_to
        ship_to: dict[str, Value] = {
            "PARTN_ROLE": "WE",
            "PARTN_NUMB": customer,
            "STREET": clean(address.street, 35),
            "COUNTRY": address.country_code,
            "POSTL_CODE": clean(address.postal_code, 10),
            "CITY": clean(address.city, 35),
        }
        region = clean(address.region, 4)
        if len(region) <= 3:  # REGIO holds a code; a name cut to three letters would be another region's
            ship_to["REGION"] = region
        partners.append(ship_to)
    return partners
