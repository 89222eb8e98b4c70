"""Sales orders. Pure.

Source: SAP Business Accelerator Hub, "Sales Order (A2X)" (API_SALES_ORDER_SRV: A_SalesOrder, A_SalesOrderItem,
A_SalesOrderItemPrElement, A_SalesOrderHeaderPartner, A_SalesOrderText).

What the items are stands in `order_items`. An order's total there (`TotalNetAmount`) is net + freight without tax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from adapters.canonical import Order
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.addresses import order_address
from adapters.cloud_erp.sap_s4.translate.fields import Draft
from adapters.cloud_erp.sap_s4.translate.order_items import ITEM_TEXT, order_items
from adapters.cloud_erp.sap_s4.translate.shape import Shape
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Row, Value
from adapters.errors import Misconfigured
from adapters.port import Expectation, FoundDocument, Submission

EXPAND: Final = ("to_Item", "to_Item/to_PricingElement", "to_Partner", "to_Partner/to_Address", "to_Text")
"""All that is kept of an order."""
CHANGEABLE: Final = frozenset(
    {"requestedDeliveryDate", "shipTo", "quoteReference", "lines", "freight", "totals"},
)
_SERVICE: Final = "API_SALES_ORDER_SRV"
_SHIP_TO: Final = "SH"
_DELIVERED: Final = frozenset({"B", "C"})
_ALL_REJECTED: Final = "C"


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
    entity["to_Item"] = order_items(submission, order, settings, system_id)
    if order.ship_to is not None:
        address = order_address(order.ship_to, settings)
        entity["to_Partner"] = [{"PartnerFunction": _SHIP_TO, "Customer": customer, "to_Address": [address]}]
    if text := _long_text(order):
        entity["to_Text"] = [{"Language": settings.language, "LongTextID": settings.order_text_id, "LongText": text}]
    return Draft(entity)


def order_standing(submission: Submission, settings: S4Settings, system_id: str) -> Entity:
    """The order as it stands there, what there is none of included. Errors as `order_draft`."""
    entity = order_draft(submission, settings, system_id).entity
    whole: Entity = {"RequestedDeliveryDate": None, "to_Partner": [], "to_Text": [], **entity}
    return _with_reason(whole, "", settings) if settings.cancel_reason else whole


def cancelled_order(standing: Entity, settings: S4Settings) -> Entity:
    """The same order called off, as the settings say that it is done."""
    whole = _with_reason(standing, settings.cancel_reason, settings)
    if settings.cancel_orders_by == "rejection_reason":
        return whole
    nothing = {"RequestedQuantity": Decimal(0), "NetAmount": Decimal(0)}
    return {**whole, "to_Item": [{**item, **nothing} for item in _items(whole)]}


def order_shape(settings: S4Settings) -> Shape:
    """How an order nests, and what of it is ours."""
    steps = settings.conditions

    def priced_here(rows: Sequence[Row]) -> Sequence[Row]:
        kinds = ((row, row.text("ConditionType")) for row in rows)
        ours = {steps.price, steps.discount}
        return [row for row, kind in kinds if kind in ours or kind.startswith(steps.tax_stem)]

    def ship_to(rows: Sequence[Row]) -> Sequence[Row]:
        return [row for row in rows if row.text("PartnerFunction") == _SHIP_TO]

    def our_text(rows: Sequence[Row]) -> Sequence[Row]:
        ours = (settings.language, settings.order_text_id)
        return [row for row in rows if (row.text("Language"), row.text("LongTextID")) == ours]

    pricing = Shape(
        Address(_SERVICE, "A_SalesOrderItemPrElement"),
        ("SalesOrder", "SalesOrderItem", "PricingProcedureStep", "PricingProcedureCounter"),
        told_apart_by="ConditionType",
        ours=priced_here,
    )
    items = Shape(
        Address(_SERVICE, "A_SalesOrderItem"),
        ("SalesOrder", "SalesOrderItem"),
        told_apart_by="SalesOrderItem",
        once=("Material", settings.freight_material),
        children={"to_PricingElement": pricing},
    )
    address = Shape(Address(_SERVICE, "A_SalesOrderPartnerAddress"), ("SalesOrder", "PartnerFunction"))
    partners = Shape(
        Address(_SERVICE, "A_SalesOrderHeaderPartner"),
        ("SalesOrder", "PartnerFunction"),
        ours=ship_to,
        children={"to_Address": address},
    )
    texts = Shape(Address(_SERVICE, "A_SalesOrderText"), ("SalesOrder", "Language", "LongTextID"), ours=our_text)
    return Shape(
        Address(_SERVICE, "A_SalesOrder"),
        ("SalesOrder",),
        children={"to_Item": items, "to_Partner": partners, "to_Text": texts},
        moved=frozenset({"RequestedDeliveryDate"}),
        guard="PurchaseOrderByCustomer",
    )


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
    currency, total = row.text("TransactionCurrency"), row.amount("TotalNetAmount")
    return FoundDocument(
        number=fields.erp_number(system_id, "sales_order", row.number("SalesOrder")),
        external_reference=row.text("PurchaseOrderByCustomer"),
        party=fields.party(row.text("SoldToParty")),
        currency_code=currency,
        total=fields.trimmed(total, currency),
        company_code=settings.company_code_of_sales(row.text("SalesOrganization")),
        posting_date=row.day("SalesOrderDate"),
        cancelled=_is_cancelled(row, total, settings),
    )


def is_delivered(row: Row) -> bool:
    """True if something of the order was delivered."""
    return row.text("OverallDeliveryStatus") in _DELIVERED


def _is_cancelled(row: Row, total: Decimal, settings: S4Settings) -> bool:
    if not settings.cancel_reason:
        return False
    if settings.cancel_orders_by == "rejection_reason":
        return row.text("OverallSDDocumentRejectionSts") == _ALL_REJECTED
    return not total and row.text("SDDocumentReason") == settings.cancel_reason


def _with_reason(entity: Entity, reason: str, settings: S4Settings) -> Entity:
    """The reason stands in each item, or in the order."""
    if settings.cancel_orders_by == "zero_quantity":
        return {**entity, "SDDocumentReason": reason}
    return {**entity, "to_Item": [{**item, "SalesDocumentRjcnReason": reason} for item in _items(entity)]}


def _items(entity: Entity) -> Sequence[Mapping[str, Value]]:
    items = entity["to_Item"]
    return items if isinstance(items, Sequence) and not isinstance(items, str) else ()


def _long_text(order: Order) -> str:
    """The order's text: the caller's own ids, and whole descriptions where an item holds only their beginning."""
    said = {"externalId": order.external_id, "quoteReference": order.quote_reference}
    rows = [f"{name}: {value}" for name, value in said.items() if value]
    rows += [f"{line.line_number}: {line.description}" for line in order.lines if len(line.description) > ITEM_TEXT]
    return "\n".join(rows)
