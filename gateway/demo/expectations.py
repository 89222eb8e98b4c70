"""What the input says must stand in the ERPs, in the terms in which ERPs hold it. Pure.

An order's items are its lines. An invoice is an accounting document that debits the customer with the gross amount
and credits each line and the freight; a payment one that debits the bank and credits the customer. Northwind has no
taxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from adapters.canonical import Invoice, Order, Payment
from gateway.demo.northwind import BILLING, SALESFORCE, Northwind


@dataclass(frozen=True, slots=True)
class Expected:
    """One document of the input. `lineage` is the order's id; `lines` are amounts in their order, in `currency`."""

    domain: str
    source: str
    external_id: str
    lineage: str
    business_unit: str
    geography: str
    company_code: str
    customer: str
    posting_date: date
    currency: str
    total: Decimal
    lines: tuple[Decimal, ...]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.domain} {self.source}:{self.external_id}"


def expectations(northwind: Northwind) -> list[Expected]:
    """All documents that must stand in one of the ERPs."""
    return list(_all(northwind))


def _all(northwind: Northwind) -> Iterator[Expected]:
    for lineage in northwind.lineages:
        root = str(lineage.order.external_id)
        order = lineage.order
        yield _expected(order, SALESFORCE, root, [line.net_amount for line in order.lines])
        if lineage.invoice is not None:
            invoice = lineage.invoice
            freight = [invoice.freight.net_amount] if invoice.freight else []
            yield _expected(invoice, BILLING, root, [*(line.net_amount for line in invoice.lines), *freight])
        if lineage.payment is not None:
            payment = lineage.payment
            yield _expected(payment, BILLING, root, [allocation.amount for allocation in payment.allocations])


def _expected(document: Order | Invoice | Payment, source: str, root: str, lines: Sequence[Decimal]) -> Expected:
    return Expected(
        domain=document.domain,
        source=source,
        external_id=str(document.external_id),
        lineage=root,
        business_unit=document.business_unit,
        geography=document.geography,
        company_code=document.company_code,
        customer=str(document.customer.external_id),
        posting_date=document.posting_date,
        currency=document.currency_code,
        total=document.amount,
        lines=tuple(lines),
    )
