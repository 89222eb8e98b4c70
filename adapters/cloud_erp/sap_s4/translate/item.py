"""One item of a journal entry, whatever document it is part of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

DEBIT, CREDIT = "S", "H"
ITEM_TEXT: Final = 50
HEADER_TEXT: Final = 25
MAX_ITEMS: Final = 999


@dataclass(frozen=True, slots=True)
class Item:
    """One item to be posted; `field` is what a complaint about its amount names. `number`: the item's own number
    there, "" where the ERP counts."""

    account: str
    side: str
    amount: Decimal
    text: str
    field: str
    customer: str = ""
    cost_center: str = ""
    number: str = ""


def plain(value: Decimal) -> str:
    """The shortest decimal without exponent: 19.00 is 19."""
    return format(value.normalize(), "f")
