"""One small document of every domain, for drivers that must refuse what they cannot do with it: no peer sees them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import (
    Address,
    CanonicalDocument,
    Contract,
    Customer,
    DocumentLine,
    ErpNumber,
    Invoice,
    JournalEntry,
    JournalLine,
    Order,
    Payment,
    Product,
    Quantity,
    Reference,
    Totals,
)
from adapters.port import Cancellation, Change, Operation, Posting, Reversal, Submission

_HEAD: Final[dict[str, Any]] = {
    "business_unit": "beverages",
    "geography": "DE",
    "company_code": "1000",
    "posting_date": date(1996, 7, 4),
    "currency_code": "EUR",
}
_CUSTOMER: Final = Reference(external_id="ALFKI")
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
    "orders": Order(**_HEAD, customer=_CUSTOMER, lines=_LINES, totals=_TOTALS),
    "contracts": Contract(**_HEAD, customer=_CUSTOMER, start_date=date(1996, 7, 4), lines=_LINES, totals=_TOTALS),
    "invoices": Invoice(**_HEAD, customer=_CUSTOMER, lines=_LINES, totals=_TOTALS),
    "payments": Payment(**_HEAD, customer=_CUSTOMER, amount=Decimal("10.00")),
    "journal_entries": JournalEntry(
        **_HEAD,
        lines=(
            JournalLine(line_number=1, gl_account="400000", posting_side="debit", amount=Decimal("10.00")),
            JournalLine(line_number=2, gl_account="113100", posting_side="credit", amount=Decimal("10.00")),
        ),
    ),
}


def unserved_posting(domain: str, operation: Operation, system_id: str) -> Posting:
    """A well-formed posting of `operation` on a document of `domain` that no system holds."""
    original = Submission(_BY_DOMAIN[domain], "0123456789ABCDEF")
    if operation is Operation.CREATE:
        return original
    number = ErpNumber(system_id=system_id, document_type="document", document_number="0000000000")
    if operation is Operation.CHANGE:
        return Change(number, original, original.document, "FEDCBA9876543210")
    if operation is Operation.CANCEL:
        return Cancellation(number, original, "FEDCBA9876543210")
    return Reversal(number, original, "FEDCBA9876543210", _HEAD["posting_date"])
