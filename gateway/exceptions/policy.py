"""Which moves need a second person. Pure. Source: docs/operations.md, 'Exceptions'."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from gateway.cutover.thresholds import threshold
from gateway.domain.exceptions import ExceptionRecord, MoveName
from routing_rules import Rulebook

MONEY_DOMAINS: Final = frozenset({"invoices", "payments", "journal_entries"})
ORDER_AMOUNT: Final = "second_person_order_amount"
"""Under `thresholds` of rulebook.yaml: from this amount on, in whatever currency, an order is a money document too."""


def needs_second(rulebook: Rulebook, record: ExceptionRecord, status: str, move: MoveName) -> bool:
    """Whether one person asks for the move and another one approves it.

    - all moves of money documents, and of whatever else has an amount from the rulebook's threshold on;
    - what a person says about an unknown outcome: `mark_posted`, and `cancel` of what is in doubt.

    Raises ThresholdInvalid.
    """
    if record.domain in MONEY_DOMAINS or move == "mark_posted":
        return True
    if move == "cancel" and status == "in_doubt":
        return True
    return record.amount is not None and abs(Decimal(record.amount)) >= threshold(rulebook, ORDER_AMOUNT)
