"""A stored simulation as people read it: its numbers grouped for a page of text and for a report.

Made of the JSON that is stored (`SimulationRun.as_json`), so that a result reads the same wherever it comes from.
Amounts are never added up over currencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

DIRECTIONS: Final[Mapping[str, str]] = {
    "to_cloud": "to the cloud",
    "to_legacy": "to legacy",
    "within_cloud": "from one cloud system to another",
    "within_legacy": "from one legacy system to another",
}
NO_CURRENCY: Final = "no amount"
"""What stands for a currency where documents have none."""


class Sum(NamedTuple):
    """Documents and their money in one currency."""

    name: str
    currency_code: str
    documents: int
    amount: Decimal

    @property
    def money(self) -> str:
        """The amount for people: `1,234.50 EUR`, and nothing for documents that have none."""
        return f"{self.amount:,f} {self.currency_code}" if self.currency_code else NO_CURRENCY


@dataclass(frozen=True)
class SimulationView:
    """The stored JSON, and what a page says of it."""

    stored: Mapping[str, Any]

    @property
    def found(self) -> Mapping[str, Any]:
        """What the replay found."""
        found: Mapping[str, Any] = self.stored["found"]
        return found

    @cached_property
    def undecided(self) -> int:
        """Documents of which nothing can be said, or that a version gives no system."""
        found = self.found
        return int(found["documents"]) - int(found["decided"]) - int(found["followed"]) - int(found["pinned"])

    def totals(self, name: str) -> list[Sum]:
        """The sums under that name of the result."""
        return [_sum(one, one["name"]) for one in self.found[name]]

    def unmatched(self, name: str) -> list[tuple[Sum, Sequence[str]]]:
        """What a version gives no system, with some of the transactions."""
        return [(_sum(one, one["kind"].replace("_", " ")), one["transactions"]) for one in self.found[name]]

    def moved_by(self, *members: str) -> list[Sum]:
        """What moves, summed over everything but these members and the currency; the largest first."""
        sums: dict[tuple[str, str], list[Any]] = {}
        for one in self.found["moved"]:
            name = " · ".join(_told(member, one[member]) for member in members)
            known = sums.setdefault((name, one["currencyCode"]), [0, Decimal(0)])
            known[0] += one["documents"]
            known[1] += Decimal(one["amount"])
        found = [Sum(name, currency, *known) for (name, currency), known in sums.items()]
        return sorted(found, key=lambda one: (one.currency_code, -one.amount, -one.documents, one.name))


def minute_told(minute: int | None) -> str:
    """A minute since 1970 as `2026-03-31 12:00 UTC`."""
    return "" if minute is None else f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%d %H:%M} UTC"


def counted(documents: int) -> str:
    """`1 document`, `2,000 documents`."""
    return f"{documents:,} document{'' if documents == 1 else 's'}"


def by_currency(sums: Iterable[Sum]) -> dict[str, list[Sum]]:
    """Apart by currency, for charts: bars of two currencies cannot stand beside each other."""
    found: dict[str, list[Sum]] = {}
    for one in sums:
        found.setdefault(one.currency_code, []).append(one)
    return found


def _sum(one: Mapping[str, Any], name: str) -> Sum:
    return Sum(name, one["currencyCode"], one["documents"], Decimal(one["amount"]))


def _told(member: str, value: str) -> str:
    if member == "direction":
        return DIRECTIONS.get(value, value)
    return value or "none"
