"""One item of an accounting document, before it becomes rows of a call. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

ITEM_TEXT: Final = 50
"""SGTXT; a longer one is refused by the ERP only after the document's header was written."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item to be posted; `amount` is signed, debit positive. With a `customer` it goes to the receivables.

    `field`: where in the document the amount comes from.
    """

    account: str
    amount: Decimal
    field: str
    text: str = ""
    customer: str = ""
    assignment: str = ""
    profit_center: str = ""
    cost_center: str = ""
