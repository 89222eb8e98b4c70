"""Sales orders. Pure.

Source: SAP Business Accelerator Hub, "Sales Order (A2X)" (API_SALES_ORDER_SRV: A_SalesOrder, A_SalesOrderItem,
A_SalesOrderItemPrElement, A_SalesOrderHeaderPartner, A_SalesOrderText).

One item per line with the line's own number, so that a line is found there by what its caller calls it. `NetAmount`
is the line's net, exactly. How it came about stands in the item's pricing elements: price per quantity, discount in
per cent (negative), and the tax with its rate and amount under the condition type of its category. The freight is an
item of its own behind the lines. So an order's total there (`TotalNetAmount`) is net + freight without tax.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.canonical import DocumentLine, Freight, Order, Quantity, Reference, TaxAmount
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.fields import Draft
from adapters.cloud_erp.sap_s4.translate.masters import address_for_order
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value
from adapters.errors import Garbled, Misconfigured
from adapters.port import Expectation, FoundDocument, Submission

EXPAND: Final = "to_Item,to_Item/to_PricingElement"
_FREIGHT_TEXT: Final = "FREIGHT"
_HIGHEST_ITEM: Final = 999_999
_ITEM_TEXT: Final = 40
_PER: Final = (Decimal(1), Decimal(10), Decimal(100), Decimal(1000))
"""A price is stated for so many units: it has three decimals there and up to six here."""


def order_draft(submission: Submission, settings: S4Settings, system_id: str) -> Draft:
    """The order with items, pricing elements, ship-to and texts in one deep insert.

    `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    order = order_of(submission)
    company = settings.company(order.company_code)
    customer = fields.number_of(submission, system_id, "customer", "customer")
    entity: dict[str, Value] = {
        "SalesOrderType": settings.document_types.order,
        "SalesOrganization": company.sales_organization,
        "DistributionChannel": settings.distribution_channel,
        "OrganizationDivision": settings.division,
        "SoldToParty": customer,
        "PurchaseOrderByCustomer": fields.reference(submission.external_reference),
        "TransactionCurrency": order.currency_code,
        "SalesOrderDate": order.posting_date,
        "PricingDate": order.posting_date,
    }
    if order.requested_delivery_date is not None:
        entity["RequestedDeliveryDate"] = order.requested_delivery_date
    items = [_item(submission, settings, system_id, index) for index in range(len(order.lines))]
    if order.freight is not None and (order.freight.net_amount or order.freight.tax is not None):
        items.append(_freight_item(order, order.freight, settings))
    entity["to_Item"] = items
    if order.ship_to is not None:
        address = address_for_order(order.ship_to, settings)
        entity["to_Partner"] = [{"PartnerFunction": "SH", "Customer": customer, "to_Address": [address]}]
    if text := _long_text(order):
        entity["to_Text"] = [{"Language": settings.language, "LongTextID": settings.order_text_id, "LongText": text}]
    return Draft(entity)


def order_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: the net value with the freight item."""
    order = order_of(submission)
    customer = fields.party(fields.number_of(submission, system_id, "customer", "customer"))
    return Expectation(customer, order.currency_code, order.totals.net_amount + order.totals.freight_amount)


def order_of(submission: Submission) -> Order:
    """The order in a submission; `Misconfigured` for another document."""
    if not isinstance(submission.document, Order):
        raise Misconfigured(f"{submission.domain} are no orders")
    return submission.document


def found_order(row: Row, settings: S4Settings, system_id: str) -> FoundDocument:
    """An order as it stands there; its items are not needed."""
    currency = row.text("TransactionCurrency")
    return FoundDocument(
        number=fields.erp_number(system_id, "sales_order", row.number("SalesOrder")),
        external_reference=row.text("PurchaseOrderByCustomer"),
        party=fields.party(row.text("SoldToParty")),
        currency_code=currency,
        total=fields.trimmed(row.amount("TotalNetAmount"), currency),
        company_code=settings.company_code_of_sales(row.text("SalesOrganization")),
        posting_date=row.day("SalesOrderDate"),
    )


def order_lines_of(row: Row, settings: S4Settings, system_id: str) -> tuple[tuple[DocumentLine, ...], Freight | None]:
    """The lines and the freight of an order that was read with `EXPAND`: the inverse of `order_draft`.

    A description that was longer than 40 characters comes back cut; the whole of it is in the order's text.
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
                line_number=int(item.number("SalesOrderItem")),
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
    return tuple(lines), freight


def _item(submission: Submission, settings: S4Settings, system_id: str, index: int) -> Entity:
    order, where = order_of(submission), f"lines[{index}]"
    line = order.lines[index]
    material = fields.number_of(submission, system_id, f"{where}.product", "product")
    if material == settings.freight_material:
        raise fields.refusal(f"{where}.product", "this material carries the freight and nothing else")
    unit = settings.unit_there(line.quantity.unit_code)
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
        "SalesOrderItemText": line.description[:_ITEM_TEXT].rstrip(),
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
    """The next ten behind the lines, or the highest number that no line has."""
    used = {line.line_number for line in order.lines}
    behind = max(used) // 10 * 10 + 10
    if behind <= _HIGHEST_ITEM:
        return behind
    return next(number for number in range(_HIGHEST_ITEM, 0, -1) if number not in used)


def _long_text(order: Order) -> str:
    """The order's text: the caller's own ids, and whole descriptions where an item holds only their beginning."""
    said = {"externalId": order.external_id, "quoteReference": order.quote_reference}
    rows = [f"{name}: {value}" for name, value in said.items() if value]
    rows += [f"{line.line_number}: {line.description}" for line in order.lines if len(line.description) > _ITEM_TEXT]
    return "\n".join(rows)
