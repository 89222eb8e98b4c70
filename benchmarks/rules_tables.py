"""Rule tables and facts for the benchmarks: business unit × geography, with exceptions in two other columns.

One rule for everything, one row for each pair of a unit and a country, and for every twentieth row an exception, half
of them by document type and half by amount. Every row decides somewhere and none contradicts another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from routing_rules import Facts
from routing_rules.table_reader import HEADER

EXCEPTIONS = 0.05
OUTCOMES = (
    "legacy,old,,,,,",
    "dark,old,new,,,,",
    "validate,old,new,,,,",
    "pilot,old,new,25,,,",
    "live,old,new,,,,",
)
KINDS = ("ZOR", "TA", "RE")
CURRENCIES = ("EUR", "USD")
_SYSTEM = (
    "driver: d, regions: [World], domains: [orders], budget: {concurrent: 8, calls_per_minute: 6000}, "
    "longest_execution_s: 150, inquiry_delay_s: 1, enforces_unique_reference: false"
)


@dataclass(frozen=True)
class Rule:
    """A row as data, so that another engine can be given the same. `kinds` and `at_least` (EUR) are the exceptions."""

    row: str
    unit: str
    place: str
    outcome: str
    kinds: tuple[str, ...] = ()
    at_least: int | None = None

    @property
    def csv(self) -> str:
        """The line of the file."""
        amount = "" if self.at_least is None else f">={self.at_least} EUR"
        return f"{self.row},,{self.unit},{self.place},,{'|'.join(self.kinds)},,{amount},,,{self.outcome}"


@dataclass(frozen=True)
class Table:
    """Rules with their exceptions first, and the trees that they stand on."""

    rules: tuple[Rule, ...]
    units: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def files(self) -> dict[str, bytes]:
        """As a rulebook."""
        yaml = (
            f"rulebook: bench\nbusiness_units: {_tree('Group', self.units)}\n"
            f"geographies: {_tree('World', self.places)}\nsystems:\n"
            f"  - {{id: old, side: legacy, {_SYSTEM}}}\n  - {{id: new, side: cloud, {_SYSTEM}}}\n"
            "company_codes: [{id: C1}, {id: C2}]\n"
        )
        rows = "\n".join([HEADER, *(rule.csv for rule in self.rules)])
        return {"rulebook.yaml": yaml.encode(), "orders.csv": rows.encode()}


def table(rows: int, seed: int = 1) -> Table:
    """A table of so many rows."""
    random = Random(seed)
    exceptions = int(rows * EXCEPTIONS)
    pairs = rows - exceptions - 1
    units = tuple(f"U{number}" for number in range(math.ceil(math.sqrt(pairs))))
    places = tuple(f"G{number}" for number in range(math.ceil(pairs / len(units))))
    taken = [(unit, place) for unit in units for place in places][:pairs]
    found: list[Rule] = []
    for number, (unit, place) in enumerate(random.sample(taken, exceptions)):
        outcome = random.choice(OUTCOMES)
        if number % 2:
            found.append(Rule(f"x{number}", unit, place, outcome, kinds=KINDS[:2]))
        else:
            found.append(Rule(f"x{number}", unit, place, outcome, at_least=1_000))
    found += [Rule(f"r{number}", *pair, random.choice(OUTCOMES)) for number, pair in enumerate(taken)]
    found.append(Rule("base", "", "", OUTCOMES[0]))
    return Table(tuple(found), units, places)


def moved(one: Table, share: float, seed: int = 2) -> Table:
    """The same table with a part of its rows one stage on."""
    random = Random(seed)
    following = dict(pairwise(OUTCOMES))
    return Table(
        tuple(
            Rule(rule.row, rule.unit, rule.place, following[rule.outcome], rule.kinds, rule.at_least)
            if rule.outcome in following and rule.row != "base" and random.random() < share
            else rule
            for rule in one.rules
        ),
        one.units,
        one.places,
    )


def facts(one: Table, number: int, seed: int = 3) -> list[Facts]:
    """Documents drawn evenly over all pairs, one in twenty from a unit and country together that no row names."""
    random = Random(seed)
    day = date(2026, 1, 1)
    return [
        Facts(
            domain="orders",
            operation="create",
            business_unit=random.choice(one.units) if random.random() < 0.95 else "Group",
            geography=random.choice(one.places),
            company_code=random.choice(("C1", "C2")),
            document_type=random.choice(KINDS),
            amount=Decimal(random.randrange(1, 500_000)) / 100,
            currency=random.choice(CURRENCIES),
            posting_date=day + timedelta(days=random.randrange(365)),
            share_key=f"customer-{random.randrange(10_000)}",
        )
        for _ in range(number)
    ]


def _tree(root: str, leaves: tuple[str, ...]) -> str:
    """Ten leaves to a branch."""
    branches = [leaves[at : at + 10] for at in range(0, len(leaves), 10)]
    children = ", ".join(
        f"{{id: {root}{number}, children: [{', '.join(f'{{id: {leaf}}}' for leaf in branch)}]}}"
        for number, branch in enumerate(branches)
    )
    return f"{{id: {root}, children: [{children}]}}"
