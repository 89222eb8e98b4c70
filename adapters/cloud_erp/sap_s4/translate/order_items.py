"""Items of sales orders: one for each line, and one for the freight. Pure.

One item per line with the line's own number, so that a line is found there by what its caller calls it. `NetAmount`
is the line's net, exactly. How it came about stands in the item's pricing elements: price per quantity, discount in
per cent (negative), and the tax with its rate and amount under the condition type of its category. The freight is an
item of its own behind the lines.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.canonical import DocumentLine, Freight, Order, Quantity, Reference, TaxAmount
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.wire import Entity, Row
from adapters.errors import Garbled
from adapters.port import Submission

EXPAND: Final = ("to_Item", "to_Item/to_PricingElement")
ITEM_TEXT: Final = 40
_FREIGHT_TEXT: Final = "FREIGHT"
_HIGHEST_ITEM: Final = 999_999
_PER: Final = (Decimal(1), Decimal(10), Decimal(100), Decimal(1000))
"""A price is stated for so many units: it has three decimals there and up to six here."""


def order_items(submission: Submission, order: Order, settings: S4Settings, system_id: str) -> list[Entity]:
    """The items with their pricing elements. `Rejected` for what the ERP could only hold altered, `Misconfigured` for
    missing numbers and mappings."""
    items = [_item(submission, order, settings, system_id, index) for index in range(len(order.lines))]
    if order.freight is not None and (order.freight.net_amount or order.freight.tax is not None):
        items.append(_freight_item(order, order.freight, settings))
    return items


def order_lines_of(row: Row, settings: S4Settings, system_id: str) -> tuple[tuple[DocumentLine, ...], Freight | None]:
    """The lines and the freight of an order that was read with `EXPAND`: the inverse of `order_draft`.

    The lines come in the order of their numbers. A description that was longer than 40 characters comes back cut; the
    whole of it is in the order's text.
    """
    lines: list[DocumentLine] = []
    freight: Freight | None = None
    for item in row.many("to_Item"):
        elements = {element.text("ConditionType"): element for element in item.many("to_PricingElement")}
        tax = _tax_of(elements, settings)
        if item.text("Material") == settings.freight_material:
            freight = Freight(net_amount=item.amount("NetAmount"), tax=tax)
            continue
        price, discount = elements.get(settings.conditions.price), elements.get(settings.conditions.discount)
        if price is None or not price.amount("ConditionQuantity"):
            raise Garbled("an item of the order states no price")
        number = fields.erp_number(system_id, "product", item.number("Material"))
        lines.append(
            DocumentLine(
                line_number=_line_number(item),
                product=Reference(erp_number=number),
                description=item.text("SalesOrderItemText"),
                quantity=Quantity(
                    value=item.amount("RequestedQuantity"),
                    unit_code=settings.unit_here(item.text("RequestedQuantityUnit")),
                ),
                unit_price=price.amount("ConditionRateValue") / price.amount("ConditionQuantity"),
                discount_percent=Decimal(0) if discount is None else -discount.amount("ConditionRateValue"),
                net_amount=item.amount("NetAmount"),
                tax=tax,
            )
        )
    return tuple(sorted(lines, key=lambda line: line.line_number)), freight


def _line_number(item: Row) -> int:
    number = item.number("SalesOrderItem")
    if not (number.isascii() and number.isdigit()):
        raise Garbled("an item of the order has no number")
    return int(number)


def _item(submission: Submission, order: Order, settings: S4Settings, system_id: str, index: int) -> Entity:
    line, where = order.lines[index], f"lines[{index}]"
    material = fields.number_of(submission, system_id, f"{where}.product", "product")
    if material == settings.freight_material:
        raise fields.refusal(f"{where}.product", "this material carries the freight and nothing else")
    unit = fields.unit(line.quantity.unit_code, settings, f"{where}.quantity.unitCode")
    elements = [_price(line, settings, unit, order.currency_code, where)]
    if line.discount_percent:
        elements.append(
            {
                "ConditionType": settings.conditions.discount,
                "ConditionRateValue": -fields.rate(line.discount_percent, f"{where}.discountPercent"),
            }
        )
    if line.tax is not None:
        elements.append(_tax(line.tax, line.net_amount, order.currency_code, settings, f"{where}.tax"))
    return {
        "SalesOrderItem": f"{line.line_number:06d}",
        "Material": material,
        "SalesOrderItemText": line.description[:ITEM_TEXT].rstrip(),
        "RequestedQuantity": fields.quantity(line.quantity.value, f"{where}.quantity.value"),
        "RequestedQuantityUnit": unit,
        "NetAmount": fields.amount(line.net_amount, f"{where}.netAmount"),
        "TransactionCurrency": order.currency_code,
        "to_PricingElement": elements,
    }


def _price(line: DocumentLine, settings: S4Settings, unit: str, currency_code: str, where: str) -> Entity:
    per = next(per for per in _PER if (line.unit_price * per) == round(line.unit_price * per, 3))
    return {
        "ConditionType": settings.conditions.price,
        "ConditionRateValue": fields.amount(line.unit_price * per, f"{where}.unitPrice"),
        "ConditionCurrency": currency_code,
        "ConditionQuantity": per,
        "ConditionQuantityUnit": unit,
        "TransactionCurrency": currency_code,
    }


def _tax(tax: TaxAmount, base: Decimal, currency_code: str, settings: S4Settings, where: str) -> Entity:
    return {
        "ConditionType": settings.conditions.tax_stem + tax.tax_category,
        "ConditionRateValue": fields.rate(tax.rate_percent, f"{where}.ratePercent"),
        "ConditionBaseValue": base,
        "ConditionAmount": fields.amount(tax.amount, f"{where}.amount"),
        "TransactionCurrency": currency_code,
    }


def _tax_of(elements: dict[str, Row], settings: S4Settings) -> TaxAmount | None:
    stem = settings.conditions.tax_stem
    for kind, element in elements.items():
        if kind.startswith(stem) and kind not in {settings.conditions.price, settings.conditions.discount}:
            return TaxAmount(
                tax_category=kind.removeprefix(stem),
                rate_percent=element.amount("ConditionRateValue"),
                amount=element.amount("ConditionAmount"),
            )
    return None


def _freight_item(order: Order, freight: Freight, settings: S4Settings) -> Entity:
    elements = []
    if freight.tax is not None:
        elements.append(_tax(freight.tax, freight.net_amount, order.currency_code, settings, "freight.tax"))
    return {
        "SalesOrderItem": f"{_free_item_number(order):06d}",
        "Material": settings.freight_material,
        "SalesOrderItemText": _FREIGHT_TEXT,
        "RequestedQuantity": Decimal(1),
        "RequestedQuantityUnit": settings.unit_there("C62"),
        "NetAmount": fields.amount(freight.net_amount, "freight.netAmount"),
        "TransactionCurrency": order.currency_code,
        "to_PricingElement": elements,
    }


def _free_item_number(order: Order) -> int:
    """The highest number that no line has: behind all lines, those of later changes too."""
    used = {line.line_number for line in order.lines}
    return next(number for number in range(_HIGHEST_ITEM, 0, -1) if number not in used)
