"""Contracts: subscriptions that invoices are billed from.

An amendment is a change of the contract, a renewal is a contract of its own that names the one that it renews, and a
contract ends early by its cancellation. Invoices and renewals *relate* to a contract: the link is shown and carries no
pin, so a contract may outlive the system that billed it first.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from adapters.canonical.amounts import Totals, check_amounts
from adapters.canonical.documents import (
    CustomerDocument,
    Lines,
    check_head_and_lines,
    customer_link,
    product_links,
)
from adapters.canonical.values import ExternalId, Link, Reference


class Contract(CustomerDocument):
    """A subscription. Lines and totals are what one billing interval costs; `end_date` is its last day."""

    domain: ClassVar[Literal["contracts"]] = "contracts"
    document_type: Literal["subscription"] = "subscription"
    quote_reference: ExternalId | None = None
    renewal_of: Reference | None = None
    start_date: date
    end_date: date | None = None
    billing_interval: Literal["once", "monthly", "quarterly", "yearly"] = "monthly"
    auto_renewal: bool = False
    description: Annotated[str, Field(max_length=256)] = ""
    lines: Lines
    totals: Totals

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_head_and_lines(self, self.lines)
        if self.end_date is not None and self.end_date < self.start_date:
            raise ValueError("endDate is before startDate")
        check_amounts(self.currency_code, self.lines, None, self.totals)
        return self

    @property
    def amount(self) -> Decimal:
        """The amount that routing and totals use, in `currency_code`: gross, of one billing interval."""
        return self.totals.gross_amount

    def links(self) -> tuple[Link, ...]:
        """Customer, products, and the contract that this one renews."""
        renewed: tuple[Link, ...] = ()
        if self.renewal_of is not None:
            renewed = (Link(kind="relates", target_domain="contracts", field="renewalOf", reference=self.renewal_of),)
        return (customer_link(self), *product_links(self.lines), *renewed)
