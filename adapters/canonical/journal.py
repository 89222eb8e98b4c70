"""Journal entries: postings on general ledger accounts, balanced per currency.

What of it balances per company code too can be posted as it is. An entry between company codes that does not is for the
gateway to complete with lines on clearing accounts (docs/clearing.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from adapters.canonical.amounts import TotalsDisagree
from adapters.canonical.documents import DocumentHead
from adapters.canonical.values import (
    MAX_LINES,
    CanonicalModel,
    CompanyCode,
    CurrencyCode,
    DecimalText,
    DomainName,
    LineNumber,
    Link,
    NodeId,
    Reference,
    check_decimals,
)

GlAccount = Annotated[str, Field(pattern="^[A-Z0-9]{1,10}$", examples=["400000"])]
"""An account of the chart of accounts, as both ERPs' charts name it."""


class JournalLine(CanonicalModel):
    """One item. What it does not say of currency, company code and business unit, the head says."""

    line_number: LineNumber
    gl_account: GlAccount
    posting_side: Literal["debit", "credit"]
    amount: DecimalText = Field(gt=0)
    currency_code: CurrencyCode | None = None
    company_code: CompanyCode | None = None
    business_unit: NodeId | None = None
    cost_center: Annotated[str, Field(pattern="^[A-Z0-9]{1,10}$")] | None = None
    description: Annotated[str, Field(max_length=256)] = ""

    @property
    def signed_amount(self) -> Decimal:
        """Positive for a debit."""
        return self.amount if self.posting_side == "debit" else -self.amount


class JournalEntry(DocumentHead):
    """A posting on the general ledger. It follows the order, invoice or payment that it names, or is a root."""

    domain: ClassVar[Literal["journal_entries"]] = "journal_entries"
    document_type: Literal["journal_entry"] = "journal_entry"
    description: Annotated[str, Field(max_length=256)] = ""
    order_reference: Reference | None = None
    invoice_reference: Reference | None = None
    payment_reference: Reference | None = None
    lines: Annotated[tuple[JournalLine, ...], Field(min_length=2, max_length=MAX_LINES)]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        balances: defaultdict[str, Decimal] = defaultdict(Decimal)
        seen: set[int] = set()
        for index, line in enumerate(self.lines):
            currency = line.currency_code or self.currency_code
            check_decimals(line.amount, currency, f"lines[{index}].amount")
            if line.line_number in seen:
                raise ValueError(f"lines[{index}].lineNumber {line.line_number} is used twice")
            seen.add(line.line_number)
            balances[currency] += line.signed_amount
        for currency, balance in balances.items():
            if balance:
                raise TotalsDisagree("lines", f"debits less credits in {currency} are {balance:f}, not 0")
        if not self.amount:
            raise TotalsDisagree("currencyCode", f"no line is in {self.currency_code}, the currency of the entry")
        return self

    def balances(self) -> Mapping[tuple[str, str], Decimal]:
        """Debits less credits by (company code, currency), in the order of the lines."""
        found: dict[tuple[str, str], Decimal] = {}
        for line in self.lines:
            book = (line.company_code or self.company_code, line.currency_code or self.currency_code)
            found[book] = found.get(book, Decimal(0)) + line.signed_amount
        return found

    @property
    def amount(self) -> Decimal:
        """The amount that routing and totals use: the sum of the debits in the entry's own currency."""
        return sum(
            (
                line.amount
                for line in self.lines
                if line.posting_side == "debit" and line.currency_code in {None, self.currency_code}
            ),
            Decimal(0),
        )

    def links(self) -> tuple[Link, ...]:
        """What it follows."""
        named: tuple[tuple[DomainName, str, Reference | None], ...] = (
            ("payments", "paymentReference", self.payment_reference),
            ("invoices", "invoiceReference", self.invoice_reference),
            ("orders", "orderReference", self.order_reference),
        )
        return tuple(
            Link(kind="follows", target_domain=domain, field=field, reference=reference)
            for domain, field, reference in named
            if reference is not None
        )
