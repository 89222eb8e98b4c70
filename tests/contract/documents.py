"""One small document of every domain, for drivers that must refuse it: no peer accepts or even sees them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import (
    Address,
    CanonicalDocument,
    Customer,
    DocumentLine,
    Invoice,
    Order,
    Payment,
    Product,
    Quantity,
    Reference,
    Totals,
)

_HEAD: Final[dict[str, Any]] = {
    "business_unit": "beverages",
    "geography": "DE",
    "company_code": "1000",
    "posting_date": date(1996, 7, 4),
    "currency_code": "EUR",
    "customer": Reference(external_id="ALFKI"),
}
_LINES: Final = (
    DocumentLine(
        line_number=1,
        product=Reference(external_id="chai"),
        quantity=Quantity(value=Decimal(1)),
        unit_price=Decimal("10.00"),
        net_amount=Decimal("10.00"),
    ),
)
_TOTALS: Final = Totals(net_amount=Decimal("10.00"), gross_amount=Decimal("10.00"))

_BY_DOMAIN: Final[dict[str, CanonicalDocument]] = {
    "customers": Customer(name="Alfreds Futterkiste", geography="DE", address=Address(country_code="DE")),
    "products": Product(name="Chai"),
    "orders": Order(**_HEAD, lines=_LINES, totals=_TOTALS),
    "invoices": Invoice(**_HEAD, lines=_LINES, totals=_TOTALS),
    "payments": Payment(**_HEAD, amount=Decimal("10.00")),
}


def unserved_document(domain: str) -> CanonicalDocument:
    """A valid document of `domain`."""
    return _BY_DOMAIN[domain]
