"""The items that an order has there. Pure.

Source: SAP Help, "BAPI_SALESORDER_CREATEFROMDAT2" (structures BAPISDITM, BAPISCHDL).

One item per line, with the line's own number, so that a line is found there by what the caller calls it. The freight
is an item of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import DocumentLine, Order
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.wire import Value, clean
from adapters.port import Submission

FREIGHT_TEXT: Final = "FREIGHT"
SHORT_TEXT: Final = 40
_FREE: Final = "0.000000001"
"""The condition value of a line without a price: the smallest that the field holds (BAPIKBETR1, nine decimals), which
is 0.00 in any currency. A plain 0 means 'not given', and then the ERP prices the line itself."""
_HIGHEST: Final = 999_999


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One item as it shall be: `number` six digits, `quantity` and `condition` as the call has them, `net` what the
    item comes to. `place`: where in the document it comes from. `category` is empty where the ERP finds it itself."""

    number: str
    material: str
    text: str
    quantity: str
    unit: str
    net: Decimal
    condition: str
    place: str
    category: str = ""

    def row(self, currency_code: str) -> dict[str, Value]:
        """A row of the items."""
        item: dict[str, Value] = {
            "ITM_NUMBER": self.number,
            "MATERIAL": self.material,
            "SHORT_TEXT": self.text,
            "TARGET_QTY": self.quantity,
            "SALES_UNIT": self.unit,
            "COND_VALUE": self.condition,
            "CURRENCY": currency_code,
        }
        if self.category:
            item["ITEM_CATEG"] = self.category
        return item

    def schedule(self, requested: date | None) -> dict[str, Value]:
        """The schedule line that carries the item's quantity (ECC takes it from here, not from TARGET_QTY)."""
        line: dict[str, Value] = {"ITM_NUMBER": self.number, "SCHED_LINE": "0001", "REQ_QTY": self.quantity}
        if requested is not None:
            line["REQ_DATE"] = translate.day(requested)
        return line


def order_of(submission: Submission) -> Order:
    """The order in a submission. Raises `Misconfigured` for another document."""
    if not isinstance(submission.document, Order):
        raise Misconfigured(f"{submission.domain} are no orders")
    return submission.document


def items_of(
    submission: Submission, settings: SapEccSettings, system_id: str, *, freight_number: str = ""
) -> list[OrderItem]:
    """The lines and, if it costs something, the freight, which keeps `freight_number` unless a line has it.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    order = order_of(submission)
    translate.check_lines(len(order.lines))
    items = [_line_item(submission, line, settings, system_id, index) for index, line in enumerate(order.lines)]
    if order.freight is not None and order.freight.net_amount:
        used = {item.number for item in items}
        number = freight_number if freight_number and freight_number not in used else free_number(used)
        items.append(_freight_item(number, order.freight.net_amount, settings))
    return items


def free_number(used: Collection[str]) -> str:
    """The next ten behind the numbers in use, or the highest number that is free."""
    taken = {int(number) for number in used}
    behind = max(taken) // 10 * 10 + 10
    if behind > _HIGHEST:
        behind = next(number for number in range(_HIGHEST, 0, -1) if number not in taken)
    return f"{behind:06d}"


def _line_item(
    submission: Submission, line: DocumentLine, settings: SapEccSettings, system_id: str, index: int
) -> OrderItem:
    place = f"lines[{index}]"
    return OrderItem(
        number=f"{line.line_number:06d}",
        material=translate.material_of(submission, system_id, index),
        text=clean(line.description, SHORT_TEXT),
        quantity=translate.quantity(line.quantity.value, f"{place}.quantity.value"),
        unit=translate.unit(line.quantity.unit_code, settings, f"{place}.quantity.unitCode"),
        net=line.net_amount,
        condition=translate.money(line.net_amount, f"{place}.netAmount") if line.net_amount else _FREE,
        place=place,
        category="" if line.net_amount else settings.free_item_category,
    )


def _freight_item(number: str, net: Decimal, settings: SapEccSettings) -> OrderItem:
    return OrderItem(
        number=number,
        material=settings.freight_material,
        text=FREIGHT_TEXT,
        quantity="1.000",
        unit=translate.freight_unit(settings),
        net=net,
        condition=translate.money(net, "freight.netAmount"),
        place="freight",
    )
