"""Documents: orders, invoices (credit notes included) and payments.

Business unit, geography and company code are explicit on each of them: they decide which ERP owns it. Totals are
checked on construction, so a document whose sums disagree cannot exist.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from adapters.canonical.amounts import DocumentLine, Freight, Totals, TotalsDisagree, check_amounts
from adapters.canonical.masters import Address
from adapters.canonical.values import (
    MAX_LINES,
    CanonicalModel,
    CompanyCode,
    CurrencyCode,
    DecimalText,
    ExternalId,
    Link,
    NodeId,
    Reference,
    check_decimals,
)

Lines = Annotated[tuple[DocumentLine, ...], Field(min_length=1, max_length=MAX_LINES)]


class DocumentHead(CanonicalModel):
    """What every document says of itself. `posting_date` is the date it shall have in the ledgers."""

    external_id: ExternalId | None = None
    business_unit: NodeId
    geography: NodeId
    company_code: CompanyCode
    customer_segment: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")] | None = None
    posting_date: date
    currency_code: CurrencyCode


class CustomerDocument(DocumentHead):
    """A document that has a customer."""

    customer: Reference


class Order(CustomerDocument):
    """A sales order. Roots its lineage; the quote it came from is shown, it carries no pin."""

    domain: ClassVar[Literal["orders"]] = "orders"
    document_type: Literal["standard_order"] = "standard_order"
    quote_reference: ExternalId | None = None
    requested_delivery_date: date | None = None
    ship_to: Address | None = None
    lines: Lines
    freight: Freight | None = None
    totals: Totals

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_head_and_lines(self, self.lines)
        check_amounts(self.currency_code, self.lines, self.freight, self.totals)
        return self

    @property
    def amount(self) -> Decimal:
        """The amount that routing and totals use, in `currency_code`: gross."""
        return self.totals.gross_amount

    def links(self) -> tuple[Link, ...]:
        """Customer and products."""
        return (customer_link(self), *product_links(self.lines))


class Invoice(CustomerDocument):
    """A customer invoice or, with `document_type` credit_note, its (positive) opposite."""

    domain: ClassVar[Literal["invoices"]] = "invoices"
    document_type: Literal["invoice", "credit_note"] = "invoice"
    order_reference: Reference | None = None
    invoice_reference: Reference | None = None
    contract_reference: Reference | None = None
    due_date: date | None = None
    lines: Lines
    freight: Freight | None = None
    totals: Totals

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_head_and_lines(self, self.lines)
        if self.document_type == "invoice" and self.invoice_reference is not None:
            raise ValueError(
                "invoiceReference names the invoice that a credit_note corrects; an invoice has an orderReference"
            )
        check_amounts(self.currency_code, self.lines, self.freight, self.totals)
        return self

    @property
    def amount(self) -> Decimal:
        """The amount that routing and totals use, in `currency_code`: gross."""
        return self.totals.gross_amount

    def links(self) -> tuple[Link, ...]:
        """Customer, products, the order or corrected invoice that it follows, the contract that it relates to."""
        parents: list[Link] = []
        if self.invoice_reference is not None:
            parents.append(
                Link(
                    kind="follows", target_domain="invoices", field="invoiceReference", reference=self.invoice_reference
                )
            )
        if self.order_reference is not None:
            parents.append(
                Link(kind="follows", target_domain="orders", field="orderReference", reference=self.order_reference)
            )
        if self.contract_reference is not None:
            parents.append(
                Link(
                    kind="relates",
                    target_domain="contracts",
                    field="contractReference",
                    reference=self.contract_reference,
                )
            )
        return (customer_link(self), *product_links(self.lines), *parents)


class Allocation(CanonicalModel):
    """The part of a payment that settles one invoice."""

    invoice_reference: Reference
    amount: DecimalText = Field(gt=0)


class Payment(CustomerDocument):
    """Money received. What no allocation takes stays on the customer's account."""

    domain: ClassVar[Literal["payments"]] = "payments"
    document_type: Literal["incoming_payment"] = "incoming_payment"
    payment_method: Literal["bank_transfer", "card", "direct_debit", "cheque", "cash", "other"] = "bank_transfer"
    payment_reference: Annotated[str, Field(max_length=64)] = ""
    amount: DecimalText = Field(gt=0)
    allocations: Annotated[tuple[Allocation, ...], Field(max_length=MAX_LINES)] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_decimals(self.amount, self.currency_code, "amount")
        allocated = Decimal(0)
        for index, allocation in enumerate(self.allocations):
            check_decimals(allocation.amount, self.currency_code, f"allocations[{index}].amount")
            allocated += allocation.amount
        if allocated > self.amount:
            raise TotalsDisagree("allocations", f"they settle {allocated}, more than the payment of {self.amount}")
        return self

    def links(self) -> tuple[Link, ...]:
        """Customer, and the invoices that it follows."""
        return (
            customer_link(self),
            *(
                Link(
                    kind="follows",
                    target_domain="invoices",
                    field=f"allocations[{index}].invoiceReference",
                    reference=allocation.invoice_reference,
                    amount=allocation.amount,
                )
                for index, allocation in enumerate(self.allocations)
            ),
        )


def customer_link(document: CustomerDocument) -> Link:
    """The customer, whose number the ERP needs."""
    return Link(kind="master", target_domain="customers", field="customer", reference=document.customer)


def product_links(lines: tuple[DocumentLine, ...]) -> tuple[Link, ...]:
    """The products of the lines, whose numbers the ERP needs."""
    return tuple(
        Link(kind="master", target_domain="products", field=f"lines[{index}].product", reference=line.product)
        for index, line in enumerate(lines)
    )


def check_head_and_lines(head: DocumentHead, lines: tuple[DocumentLine, ...]) -> None:
    """Lines belong to their head's unit and company, and their numbers are unique."""
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.business_unit not in {None, head.business_unit}:
            raise ValueError(f"lines[{index}].businessUnit differs from the document's businessUnit")
        if line.company_code not in {None, head.company_code}:
            raise ValueError(f"lines[{index}].companyCode differs from the document's companyCode")
        if line.line_number in seen:
            raise ValueError(f"lines[{index}].lineNumber {line.line_number} is used twice")
        seen.add(line.line_number)
