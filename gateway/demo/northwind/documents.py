"""Northwind's rows as canonical objects: masters, and lineages of order, invoice and payment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Final

from adapters.canonical import (
    Address,
    Allocation,
    Contact,
    Customer,
    DocumentLine,
    Freight,
    Invoice,
    Money,
    Order,
    Payment,
    Product,
    Quantity,
    Reference,
    Totals,
)
from gateway.demo.northwind.tables import COUNTRY_CODES, Row, Tables, read_tables

SALESFORCE: Final = "salesforce"
"""The client, and source of external ids, that sends customers, products and orders."""
BILLING: Final = "billing"
"""The client, and source of external ids, that sends invoices and payments."""
CURRENCY: Final = "USD"

COMPANY_CODE: Final = "NW01"
"""The one company code of the sample rulebook. Its business units are called as Northwind's sales regions are."""

PAYMENT_TERM: Final = timedelta(days=30)
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Lineage:
    """An order and what follows from it; an order that never shipped has neither invoice nor payment."""

    order: Order
    invoice: Invoice | None
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Northwind:
    """All of the traffic: 91 customers, 77 products, 830 lineages by order date."""

    customers: tuple[Customer, ...]
    products: tuple[Product, ...]
    lineages: tuple[Lineage, ...]

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders, by date."""
        return tuple(lineage.order for lineage in self.lineages)

    @property
    def invoices(self) -> tuple[Invoice, ...]:
        """The invoices, by the date of their order."""
        return tuple(lineage.invoice for lineage in self.lineages if lineage.invoice)

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The payments, by the date of their order."""
        return tuple(lineage.payment for lineage in self.lineages if lineage.payment)


@cache
def load_northwind() -> Northwind:
    """Read the package's files and make canonical objects of them, once per process."""
    tables = read_tables()
    return Northwind(
        customers=tuple(_customer(row) for row in tables.customers),
        products=tuple(_product(row, tables) for row in tables.products),
        lineages=tuple(_lineage(row, tables) for row in tables.orders),
    )


def _customer(row: Row) -> Customer:
    country = COUNTRY_CODES[row["country"]]
    return Customer(
        external_id=row["customerID"],
        name=row["companyName"],
        geography=country,
        address=Address(
            street=row["address"],
            city=row["city"],
            region=row["region"],
            postal_code=row["postalCode"],
            country_code=country,
        ),
        contact=Contact(
            name=row["contactName"],
            title=row["contactTitle"],
            phone=row["phone"],
            fax=row["fax"],
        ),
    )


def _product(row: Row, tables: Tables) -> Product:
    return Product(
        external_id=row["productID"],
        name=row["productName"],
        description=row["quantityPerUnit"],
        product_category=tables.category_names[row["categoryID"]],
        list_price=Money(amount=Decimal(row["unitPrice"]), currency_code=CURRENCY),
        discontinued=row["discontinued"] == "1",
    )


def _lineage(row: Row, tables: Tables) -> Lineage:
    order = _order(row, tables)
    if not row["shippedDate"]:
        return Lineage(order=order, invoice=None, payment=None)
    invoice = _invoice(order, shipped=_date(row["shippedDate"]), freight=Decimal(row["freight"]))
    return Lineage(order=order, invoice=invoice, payment=_payment(invoice))


def _order(row: Row, tables: Tables) -> Order:
    country = COUNTRY_CODES[row["shipCountry"]]
    names = {product["productID"]: product["productName"] for product in tables.products}
    lines = tuple(
        _line(number, line, names[line["productID"]])
        for number, line in enumerate(tables.lines_of_order[row["orderID"]], start=1)
    )
    net = sum((line.net_amount for line in lines), Decimal(0))
    return Order(
        external_id=row["orderID"],
        business_unit=tables.region_of_employee[row["employeeID"]],
        geography=country,
        company_code=COMPANY_CODE,
        posting_date=_date(row["orderDate"]),
        currency_code=CURRENCY,
        customer=Reference(external_id=row["customerID"], source=SALESFORCE),
        requested_delivery_date=_date(row["requiredDate"]),
        ship_to=Address(
            street=row["shipAddress"],
            city=row["shipCity"],
            region=row["shipRegion"],
            postal_code=row["shipPostalCode"],
            country_code=country,
        ),
        lines=lines,
        totals=Totals(net_amount=net, gross_amount=net),
    )


def _line(number: int, row: Row, product_name: str) -> DocumentLine:
    """Positions count 10, 20, 30, as an ERP's do, so that a position means the same on both sides."""
    price, quantity, discount = Decimal(row["unitPrice"]), Decimal(row["quantity"]), Decimal(row["discount"])
    net = (price * quantity * (1 - discount)).quantize(_CENT, rounding=ROUND_HALF_EVEN)
    return DocumentLine(
        line_number=number * 10,
        product=Reference(external_id=row["productID"], source=SALESFORCE),
        description=product_name,
        quantity=Quantity(value=quantity),
        unit_price=price,
        discount_percent=(discount * 100).quantize(Decimal(1)),
        net_amount=net,
    )


def _invoice(order: Order, *, shipped: date, freight: Decimal) -> Invoice:
    net = order.totals.net_amount
    return Invoice(
        external_id=f"INV-{order.external_id}",
        business_unit=order.business_unit,
        geography=order.geography,
        company_code=order.company_code,
        posting_date=shipped,
        currency_code=order.currency_code,
        customer=order.customer,
        order_reference=Reference(external_id=order.external_id, source=SALESFORCE),
        due_date=shipped + PAYMENT_TERM,
        lines=order.lines,
        freight=Freight(net_amount=freight),
        totals=Totals(net_amount=net, freight_amount=freight, gross_amount=net + freight),
    )


def _payment(invoice: Invoice) -> Payment:
    amount = invoice.totals.gross_amount
    return Payment(
        external_id=f"PAY-{str(invoice.external_id).removeprefix('INV-')}",
        business_unit=invoice.business_unit,
        geography=invoice.geography,
        company_code=invoice.company_code,
        posting_date=invoice.posting_date + PAYMENT_TERM,
        currency_code=invoice.currency_code,
        customer=invoice.customer,
        payment_reference=str(invoice.external_id),
        amount=amount,
        allocations=(
            Allocation(invoice_reference=Reference(external_id=invoice.external_id, source=BILLING), amount=amount),
        ),
    )


def _date(text: str) -> date:
    return date.fromisoformat(text[:10])
