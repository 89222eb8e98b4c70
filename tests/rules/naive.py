"""A rule table read, decided and judged by brute force: slow, and with no line of the code that it is compared with.

A row is the set of facts that its specifications hold (specs.py), out of a universe of facts that has every bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from routing_rules import Facts, Rulebook, parse_rulebook
from routing_rules.table_reader import HEADER
from tests.rules.specs import (
    COLUMNS,
    CURRENCIES,
    GROUND,
    NAMES,
    TREES,
    TYPICAL,
    UNIVERSE,
    Fact,
    Outcome,
    Point,
    Spec,
    nodes,
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
