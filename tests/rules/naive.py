"""A rule table read, decided and judged by brute force: slow, and with no line of the code that it is compared with.

A table is written as specifications, each with the text that a file holds and with its own meaning, spelled out
fact by fact. Facts are drawn from a universe that has every bound, something below all bounds, every node, listed and
unlisted names, another currency, and the absent fact; a row is the set of those of them that it matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from routing_rules import Facts, Rulebook, parse_rulebook
from routing_rules.table_reader import HEADER

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


def whole(column: str) -> Spec:
    return Spec("*", frozenset(UNIVERSE[column]))


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


@dataclass(frozen=True)
class NaiveRow:
    """One row; a column that is not in ``cells`` holds everything."""

    row_id: str
    cells: Mapping[str, Spec]
    outcome: Outcome

    @property
    def csv(self) -> str:
        texts = {column: self.cells[column].text if column in self.cells else "*" for column in COLUMNS}
        dates = self.cells["valid"].text if "valid" in self.cells else ","
        stage, legacy, cloud, share = self.outcome
        return (
            f"{self.row_id},{texts['operation']},{texts['business_unit']},{texts['geography']},{texts['company_code']},"
            f"{texts['document_type']},{texts['customer_segment']},{texts['amount']},{dates},"
            f"{stage},{legacy},{cloud},{share},,,"
        )

    def receives(self) -> tuple[str, ...]:
        """The systems that get documents by this row."""
        stage, legacy, cloud, _ = self.outcome
        found = (legacy,) if stage in ("legacy", "dark") else (legacy, cloud)
        return tuple(one for one in found if one)


class NaiveTable:
    """Rows as literal sets over the facts of the columns that some row restricts.

    ``others``: rows of another table whose columns count as well, so that both have the same points.
    """

    def __init__(self, rows: Sequence[NaiveRow], others: Sequence[NaiveRow] = ()) -> None:
        self.rows = sorted(rows, key=lambda row: row.row_id)
        self.active = [column for column in COLUMNS if any(column in row.cells for row in (*rows, *others))]
        facts = [UNIVERSE[column] if column in self.active else [TYPICAL[column]] for column in COLUMNS]
        self.points: list[Point] = list(product(*facts))
        self.sets = [
            frozenset(
                at
                for at, point in enumerate(self.points)
                if all(
                    fact in row.cells[column].facts
                    for column, fact in zip(COLUMNS, point, strict=True)
                    if column in row.cells
                )
            )
            for row in self.rows
        ]

    @cached_property
    def smaller(self) -> list[set[int]]:
        """By row: the rows that it strictly contains."""
        return [{at for at, other in enumerate(self.sets) if other < one} for one in self.sets]

    @cached_property
    def matched(self) -> list[tuple[int, ...]]:
        """By point: the rows that match."""
        found: list[list[int]] = [[] for _ in self.points]
        for number, points in enumerate(self.sets):
            for at in points:
                found[at].append(number)
        return [tuple(one) for one in found]

    @cached_property
    def deciding(self) -> list[tuple[int, ...]]:
        """By point: of the rows that match, those that strictly contain no other of them."""
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        for matched in self.matched:
            if matched not in known:
                known[matched] = tuple(one for one in matched if not self.smaller[one] & set(matched))
        return [known[matched] for matched in self.matched]

    def is_conflict(self, deciding: Sequence[int]) -> bool:
        return len({self.rows[number].outcome for number in deciding}) > 1

    def outcome(self, at: int) -> Outcome | None:
        """What a point is given; None for a gap or a conflict."""
        deciding = self.deciding[at]
        return self.rows[deciding[0]].outcome if deciding and not self.is_conflict(deciding) else None

    def ids(self, at: int) -> tuple[str, ...]:
        """The rows that decide a point."""
        return tuple(self.rows[number].row_id for number in self.deciding[at])

    @cached_property
    def gaps(self) -> list[int]:
        return [at for at, deciding in enumerate(self.deciding) if not deciding]

    @cached_property
    def conflicts(self) -> set[tuple[str, ...]]:
        """The sets of rows that decide together and disagree somewhere."""
        return {
            tuple(self.rows[number].row_id for number in deciding)
            for deciding in set(self.deciding)
            if self.is_conflict(deciding)
        }

    @cached_property
    def masked(self) -> set[str]:
        somewhere = {number for deciding in set(self.deciding) for number in deciding}
        return {row.row_id for number, row in enumerate(self.rows) if number not in somewhere}

    @cached_property
    def breaches(self) -> set[tuple[str, str]]:
        """Row and system, where a document goes to the system eu from outside EMEA."""
        place = COLUMNS.index("geography")
        inside = nodes("geography", ["EMEA"]).facts
        return {
            (self.rows[deciding[0]].row_id, "eu")
            for point, deciding in zip(self.points, self.deciding, strict=True)
            if deciding
            and not self.is_conflict(deciding)
            and "eu" in self.rows[deciding[0]].receives()
            and point[place] not in inside
        }

    def at(self, facts: Facts) -> int:
        """The point that the facts stand for: the same, or one that no bound parts from them."""
        values = {column: getattr(facts, column) for column in (*TREES, *NAMES)}
        values |= {"amount": (facts.amount, facts.currency), "valid": facts.posting_date}
        values = {column: fact if column in self.active else TYPICAL[column] for column, fact in values.items()}
        for column, parents in TREES.items():
            if values[column] is None:
                values[column] = next(iter(parents))
        for column in ("amount", "valid"):
            if column in self.active and values[column] not in UNIVERSE[column]:
                values[column] = _alike(column, values[column])
        return self._place_of[tuple(values[column] for column in COLUMNS)]

    @cached_property
    def _place_of(self) -> dict[Point, int]:
        return {point: at for at, point in enumerate(self.points)}

    def rulebook(self, domain: str = "orders") -> Rulebook:
        return parse_rulebook({"rulebook.yaml": GROUND.encode(), f"{domain}.csv": self.csv.encode()})

    @property
    def csv(self) -> str:
        return "\n".join([HEADER, *(row.csv for row in self.rows)])


def _alike(column: str, fact: Fact) -> Fact:
    """The largest of the universe's facts that is not larger, in the same currency; bounds are all in the universe."""
    if column == "valid":
        return max(day for day in UNIVERSE["valid"] if day is not None and day <= fact)
    amount, currency = fact
    if amount is None or currency is None:
        return (None, None)
    if currency not in CURRENCIES:
        return (Decimal(10), "GBP")
    known = [one for one, name in UNIVERSE["amount"] if name == currency and one is not None and one <= amount]
    return (max(known, default=Decimal(-50)), currency)


def facts_of(point: Point, domain: str = "orders", **more: Any) -> Facts:
    values = dict(zip(COLUMNS, point, strict=True))
    values["amount"], values["currency"] = values["amount"]
    values["posting_date"] = values.pop("valid")
    return Facts(domain=domain, **values, **more)
