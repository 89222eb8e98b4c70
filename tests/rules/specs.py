"""Cells of rule tables as specifications: the text that a file holds, and the meaning spelled out fact by fact.

Facts are drawn from a universe that has every bound, something below all bounds, every node, listed and
unlisted names, another currency, and the absent fact; a row is the set of those of them that it matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

UNITS: dict[str, str | None] = {"G": None, "A": "G", "A1": "A", "A2": "A", "B": "G"}
PLACES: dict[str, str | None] = {
    "W": None,
    "EMEA": "W",
    "DE": "EMEA",
    "DE-BY": "DE",
    "FR": "EMEA",
    "AMER": "W",
    "US": "AMER",
}
TREES = {"business_unit": UNITS, "geography": PLACES}
NAMES = {
    "operation": ("create", "change", "cancel", "reverse"),
    "company_code": ("C1", "C2"),
    "document_type": ("T1", "T2", "T3"),
    "customer_segment": ("S1", "S2"),
}
CURRENCIES = ("EUR", "USD")
BOUNDS = (0, 10, 20, 30)
DAY = date(2026, 4, 1)
COLUMNS = (*TREES, *NAMES, "amount", "valid")
DAYS = (0, 1, 2, 3)

Fact = Any
Point = tuple[Fact, ...]
"""One fact per column of ``COLUMNS``."""

UNIVERSE: dict[str, list[Fact]] = {
    "business_unit": [*UNITS],
    "geography": [*PLACES],
    "operation": [*NAMES["operation"]],
    "company_code": [*NAMES["company_code"], "named-by-nobody", None],
    "document_type": [*NAMES["document_type"], None],
    "customer_segment": [*NAMES["customer_segment"], None],
    "amount": [
        *((Decimal(amount), currency) for currency in CURRENCIES for amount in (-50, *BOUNDS)),
        (Decimal(10), "GBP"),
        (None, "EUR"),
        (None, None),
    ],
    "valid": [None, date.min, *(DAY + timedelta(days) for days in DAYS)],
}
TYPICAL: dict[str, Fact] = {column: facts[0] for column, facts in UNIVERSE.items()}

GROUND = """\
rulebook: random
business_units: {id: G, children: [{id: A, children: [{id: A1}, {id: A2}]}, {id: B}]}
geographies:
  {id: W, children: [
    {id: EMEA, children: [{id: DE, children: [{id: DE-BY}]}, {id: FR}]}, {id: AMER, children: [{id: US}]}]}
systems:
  - {id: old, side: legacy, regions: [W], REST}
  - {id: new, side: cloud, regions: [W], REST}
  - {id: eu, side: cloud, regions: [EMEA], REST}
company_codes: [{id: C1}, {id: C2}]
""".replace(
    "REST",
    "domains: [orders, invoices, payments, journal_entries], driver: d, budget: {concurrent: 1, calls_per_minute: 60}, "
    "longest_execution_s: 1, inquiry_delay_s: 0, enforces_unique_reference: false",
)


@dataclass(frozen=True)
class Spec:
    """One cell: its text in the file, and the facts that it holds."""

    text: str
    facts: frozenset[Fact]


def is_below(parents: Mapping[str, str | None], node: str, top: str) -> bool:
    step: str | None = node
    while step is not None and step != top:
        step = parents[step]
    return step == top


def nodes(column: str, included: Sequence[str], excluded: Sequence[str] = ()) -> Spec:
    parents = TREES[column]
    text = "|".join(included) + (f" except {'|'.join(excluded)}" if excluded else "")
    held = {
        node
        for node in parents
        if any(is_below(parents, node, top) for top in included)
        and not any(is_below(parents, node, top) for top in excluded)
    }
    return Spec(text, frozenset(held))


def names(*listed: str) -> Spec:
    return Spec("|".join(listed), frozenset(listed))


def amounts(currency: str, low: int | None, high: int | None) -> Spec:
    text = (
        f"<{high} {currency}" if low is None else f">={low} {currency}" if high is None else f"{low}..{high} {currency}"
    )
    held = {
        (amount, name)
        for amount, name in UNIVERSE["amount"]
        if name == currency
        and amount is not None
        and (low is None or amount >= low)
        and (high is None or amount < high)
    }
    return Spec(text, frozenset(held))


def days(low: int | None, high: int | None) -> Spec:
    """The text is valid_from and valid_to with a comma between."""
    start = None if low is None else DAY + timedelta(low)
    end = None if high is None else DAY + timedelta(high)
    held = {
        day
        for day in UNIVERSE["valid"]
        if day is not None and (start is None or day >= start) and (end is None or day < end)
    }
    return Spec(f"{start or ''},{end or ''}", frozenset(held))


Outcome = tuple[str, str, str, str]
"""Stage, legacy system, cloud system, share."""

OUTCOMES: tuple[Outcome, ...] = (
    ("legacy", "old", "", ""),
    ("dark", "old", "new", ""),
    ("validate", "old", "new", ""),
    ("pilot", "old", "new", "25"),
    ("live", "old", "new", ""),
)
