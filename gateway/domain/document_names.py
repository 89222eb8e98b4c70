"""How an auditor names documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBy:
    """Every condition that is not None must hold.

    `name`: an id, an external id, a number in any ERP, or the reference that a posting bears there. `document_id`,
    `transaction_id`, `lineage_id`: ids. `document_number` with or without `system_id` and `document_type`. `customer`:
    any name of a customer. `posting_date_from`, `posting_date_until` (excluded): ISO dates.
    """

    name: str | None = None
    document_id: str | None = None
    transaction_id: str | None = None
    lineage_id: str | None = None
    source: str | None = None
    external_id: str | None = None
    system_id: str | None = None
    document_type: str | None = None
    document_number: str | None = None
    customer: str | None = None
    amount: Decimal | None = None
    currency_code: str | None = None
    domain: str | None = None
    posting_date_from: str | None = None
    posting_date_until: str | None = None

    @property
    def names_one_or_few(self) -> bool:
        """Whether there is a condition that few documents satisfy."""
        few = (
            self.name, self.document_id, self.transaction_id, self.lineage_id, self.external_id, self.document_number,
            self.customer, self.amount,
        )  # fmt: skip
        return any(one is not None for one in few)

    @property
    def names_something(self) -> bool:
        """Whether that is so, or a period is named."""
        return self.names_one_or_few or (self.posting_date_from is not None and self.posting_date_until is not None)


def written_forms(amount: Decimal) -> Iterator[str]:
    """The same amount as documents may write it: with needless zeros or without."""
    shortest = format(amount.normalize(), "f")
    whole, _, decimals = shortest.partition(".")
    yield shortest
    for length in range(len(decimals) + 1, MOST_DECIMALS + 1):
        yield f"{whole}.{decimals.ljust(length, '0')}"
