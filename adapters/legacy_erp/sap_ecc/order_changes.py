"""Changes and cancellations of orders to BAPI_SALESORDER_CHANGE. Pure.

Source: SAP Help, "BAPI_SALESORDER_CHANGE" (structures BAPISDH1X, BAPISDITMX, BAPISCHDLX): only what the X structures
flag is changed; UPDATEFLAG is U (change), I (insert) or D (delete); quantities and dates are kept in schedule lines;
ORDER_HEADER_INX-UPDATEFLAG must be given.

A call states the values that shall be, so the same call a second time changes nothing more.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.canonical import Order
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.order_items import FREIGHT_TEXT, OrderItem, items_of, order_of
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.standing import StandingItem, StandingOrder, demanded, same
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import CHANGE_ORDER, Value
from adapters.port import Cancellation, Change

CHANGEABLE: Final = frozenset({"requestedDeliveryDate", "lines", "freight", "totals"})
"""Members of an order that the function can change, in wire words."""
_ROW_FIELDS: Final = ("MATERIAL", "SHORT_TEXT", "TARGET_QTY", "SALES_UNIT", "COND_VALUE")


def check_change(change: Change, settings: SapEccSettings, system_id: str) -> None:
    """Refuse what no call could bring about, before anything is asked.

    Raises `Rejected`, naming the member, for one that cannot be changed there, `Misconfigured` for missing numbers.
    """
    check_number(change, system_id)
    before, after = order_of(change.original), order_of(demanded(change))
    for name, info in Order.model_fields.items():
        member = info.alias or name
        if member not in CHANGEABLE and name != "customer" and getattr(before, name) != getattr(after, name):
            raise translate.refusal(member, f"{member} of an order cannot be changed in this ERP")
    customers = [translate.customer_of(one, system_id) for one in (change.original, demanded(change))]
    if translate.party(customers[0]) != translate.party(customers[1]):
        raise translate.refusal("customer", "the customer of an order cannot be changed in this ERP")
    if before.requested_delivery_date is not None and after.requested_delivery_date is None:
        raise translate.refusal("requestedDeliveryDate", "the ERP can change this date, but not take it away")
    free = {line.line_number for line in before.lines if not line.net_amount}
    priced = {line.line_number for line in before.lines if line.net_amount}
    for index, line in enumerate(after.lines):
        if line.line_number in (priced if not line.net_amount else free):
            raise translate.refusal(
                f"lines[{index}].netAmount",
                "a free line and a priced one are of different kinds there: take the line out and add it anew",
            )
    items_of(demanded(change), settings, system_id)


def check_cancellation(cancellation: Cancellation, system_id: str) -> None:
    """Refuse a number that is no order's here, before anything is asked. Raises `Misconfigured`."""
    check_number(cancellation, system_id)
    order_of(cancellation.original)


def check_number(posting: Change | Cancellation, system_id: str) -> str:
    """The order's number. Raises `Misconfigured` if it is no order's of this system."""
    return translate.checked(posting.number, system_id, "number", "sales_order", translate.ORDER)


def change_order(change: Change, standing: StandingOrder, settings: SapEccSettings, system_id: str) -> Call:
    """The call that makes the order say what `change.document` says, from how it stands now. Errors as `items_of`."""
    after = order_of(demanded(change))
    freight = standing.freight_number(order_of(change.original))
    wanted = items_of(demanded(change), settings, system_id, freight_number=freight)
    there = {item.number: item for item in standing.items}
    requested = after.requested_delivery_date
    moved = requested is not None and requested != order_of(change.original).requested_delivery_date
    rows: list[Value] = []
    flags: list[Value] = []
    schedules: list[Value] = []
    schedule_flags: list[Value] = []
    for item in wanted:
        known = there.get(item.number)
        if known is None:
            _insert(item, after, rows, flags)
        elif not same(known, item):
            _update(item, known, rows, flags)
        resized = known is None or known.quantity != Decimal(item.quantity)
        if resized or moved:
            _schedule(item, after, moved or known is None, known, schedules, schedule_flags)
    for gone in sorted(there.keys() - {item.number for item in wanted}):
        rows.append({"ITM_NUMBER": gone})
        flags.append({"ITM_NUMBER": gone, "UPDATEFLAG": "D"})
    header: dict[str, Value] = {}
    header_flags: dict[str, Value] = {"UPDATEFLAG": "U"}
    if moved and requested is not None:
        header = {"REQ_DATE_H": translate.day(requested)}
        header_flags["REQ_DATE_H"] = "X"
    return _call(check_number(change, system_id), header, header_flags, rows, flags, schedules, schedule_flags)


def cancel_order(cancellation: Cancellation, standing: StandingOrder, settings: SapEccSettings, system_id: str) -> Call:
    """The call that rejects all items with the reason of the settings, or deletes them where there is none."""
    number = check_number(cancellation, system_id)
    reason = settings.rejection_reason
    rows: list[Value] = []
    flags: list[Value] = []
    for item in standing.items:
        if reason:
            rows.append({"ITM_NUMBER": item.number, "REASON_REJ": reason})
            flags.append({"ITM_NUMBER": item.number, "UPDATEFLAG": "U", "REASON_REJ": "X"})
        else:
            rows.append({"ITM_NUMBER": item.number})
            flags.append({"ITM_NUMBER": item.number, "UPDATEFLAG": "D"})
    return _call(number, {}, {"UPDATEFLAG": "U"}, rows, flags, [], [])


def _insert(item: OrderItem, order: Order, rows: list[Value], flags: list[Value]) -> None:
    row = item.row(order.currency_code)
    rows.append(row)
    flags.append({"UPDATEFLAG": "I", **{name: item.number if name == "ITM_NUMBER" else "X" for name in row}})


def _update(item: OrderItem, known: StandingItem, rows: list[Value], flags: list[Value]) -> None:
    """Only what differs, so that nothing is priced or checked anew without need."""
    row = item.row("")
    differs = {
        "MATERIAL": translate.party(known.material) != translate.party(item.material),
        # A text that nobody gave is the ERP's own, but what was the freight's item must not go on saying so.
        "SHORT_TEXT": known.text != item.text and bool(item.text or known.text == FREIGHT_TEXT),
        "TARGET_QTY": known.quantity != Decimal(item.quantity),
        "SALES_UNIT": known.unit != item.unit,
        "COND_VALUE": known.net != item.net,
    }
    changed = [name for name in _ROW_FIELDS if differs[name]]
    rows.append({"ITM_NUMBER": item.number, **{name: row[name] for name in changed}})
    flags.append({"ITM_NUMBER": item.number, "UPDATEFLAG": "U", **dict.fromkeys(changed, "X")})


def _schedule(
    item: OrderItem,
    order: Order,
    dated: bool,
    known: StandingItem | None,
    rows: list[Value],
    flags: list[Value],
) -> None:
    row = item.schedule(order.requested_delivery_date if dated else None)
    rows.append(row)
    keys = {"ITM_NUMBER": item.number, "SCHED_LINE": "0001", "UPDATEFLAG": "I" if known is None else "U"}
    flags.append({**keys, **dict.fromkeys((name for name in row if name not in keys), "X")})


def _call(
    number: str,
    header: dict[str, Value],
    header_flags: dict[str, Value],
    rows: list[Value],
    flags: list[Value],
    schedules: list[Value],
    schedule_flags: list[Value],
) -> Call:
    parameters: dict[str, Value] = {"SALESDOCUMENT": number}
    if header:
        parameters["ORDER_HEADER_IN"] = header
    parameters["ORDER_HEADER_INX"] = header_flags
    parameters["RETURN"] = ""
    if rows:
        parameters |= {"ORDER_ITEM_IN": rows, "ORDER_ITEM_INX": flags}
    if schedules:
        parameters |= {"SCHEDULE_LINES": schedules, "SCHEDULE_LINESX": schedule_flags}
    return Call(CHANGE_ORDER, parameters)
