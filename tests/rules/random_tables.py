"""Random rule tables: wild ones, clean ones, and clean ones with one known fault planted."""

from __future__ import annotations

from random import Random

from tests.rules.naive import NaiveRow, NaiveTable
from tests.rules.specs import (
    BOUNDS,
    COLUMNS,
    CURRENCIES,
    DAYS,
    NAMES,
    OUTCOMES,
    TREES,
    Outcome,
    Spec,
    amounts,
    days,
    is_below,
    names,
    nodes,
)

EUROPEAN: Outcome = ("live", "old", "eu", "")


def random_cell(random: Random, column: str) -> Spec:
    """Any cell that a table may hold in this column, but the one that holds everything."""
    if column in TREES:
        return _random_nodes(random, column)
    if column in NAMES:
        known = NAMES[column]
        most = len(known) - (1 if column == "operation" else 0)
        return names(*sorted(random.sample(known, random.randint(1, most))))
    if column == "amount":
        low, high = sorted(random.sample(BOUNDS, 2))
        ends = random.choice([(low, high), (low, None), (None, high)])
        return amounts(random.choice(CURRENCIES), *ends)
    start, end = sorted(random.sample(DAYS, 2))
    return days(*random.choice([(start, end), (start, None), (None, end)]))


def _random_nodes(random: Random, column: str) -> Spec:
    parents = TREES[column]
    while True:
        included = random.sample(list(parents), random.choice([1, 1, 1, 2]))
        if any(is_below(parents, one, other) for one in included for other in included if one != other):
            continue
        below = [
            node for node in parents if node not in included and any(is_below(parents, node, top) for top in included)
        ]
        excluded = random.sample(below, 1) if below and random.random() < 0.4 else []
        found = nodes(column, sorted(included), excluded)
        if found.facts and len(found.facts) < len(parents):
            return found


def wild_table(random: Random, most_rows: int = 7, outcomes: tuple[Outcome, ...] = (*OUTCOMES, EUROPEAN)) -> NaiveTable:
    """Rows that nest, cross, repeat and leave gaps as they please."""
    active = random.sample(COLUMNS, random.randint(1, 3))
    rows: list[NaiveRow] = []
    for number in range(random.randint(1, most_rows)):
        restricted = random.sample(active, random.randint(0, len(active)))
        cells = {column: random_cell(random, column) for column in restricted}
        if rows and random.random() < 0.4:
            # Near another row, so that there is something to nest in and to cross.
            cells = {**random.choice(rows).cells, **dict(list(cells.items())[:1])}
        rows.append(NaiveRow(f"r{number}", cells, random.choice(outcomes)))
    return NaiveTable(rows)


def clean_table(random: Random) -> NaiveTable:
    """Every fact is decided by one row and every row decides somewhere: rules with exceptions, none beside another.

    Each row but the first lies in its parent, restricts one column more, and holds nothing of its siblings: those
    restrict the same column to other facts. The parent keeps what none of them takes.
    """
    active = random.sample(COLUMNS, 3)
    rows = [NaiveRow("r0", {}, random.choice(OUTCOMES))]
    pending = [rows[0]]
    while pending and len(rows) < 9:
        parent = pending.pop(0)
        free = [column for column in active if column not in parent.cells]
        if not free:
            continue
        for spec in _siblings(random, random.choice(free)):
            column = next(one for one in free if spec in _SIBLINGS[one])
            child = NaiveRow(f"r{len(rows)}", {**parent.cells, column: spec}, random.choice(OUTCOMES))
            rows.append(child)
            pending.append(child)
    return NaiveTable(rows)


_SIBLINGS: dict[str, tuple[Spec, ...]] = {
    "business_unit": (nodes("business_unit", ["A"], ["A2"]), nodes("business_unit", ["A2"])),
    "geography": (nodes("geography", ["EMEA"], ["FR"]), nodes("geography", ["US"]), nodes("geography", ["FR"])),
    "operation": (names("cancel"), names("change", "reverse")),
    "company_code": (names("C1"), names("C2")),
    "document_type": (names("T1", "T2"), names("T3")),
    "customer_segment": (names("S1"), names("S2")),
    "amount": (amounts("EUR", 10, 20), amounts("EUR", 20, None), amounts("USD", None, 10)),
    "valid": (days(0, 1), days(2, None)),
}
"""By column: cells that have nothing in common and leave something."""


def _siblings(random: Random, column: str) -> list[Spec]:
    return random.sample(_SIBLINGS[column], random.randint(1, len(_SIBLINGS[column])))


def with_gap(random: Random) -> NaiveTable:
    """The rule that held for everything else holds for less."""
    table = clean_table(random)
    column = random.choice(COLUMNS)
    base = NaiveRow("r0", {column: random_cell(random, column)}, table.rows[0].outcome)
    found = NaiveTable([base, *table.rows[1:]])
    # A row below may have taken over just what was left out: then nothing was planted.
    return found if found.gaps else with_gap(random)


def with_conflict(random: Random) -> NaiveTable:
    """Two rows that cross where nothing settles, with different outcomes."""
    table = clean_table(random)
    one, other = random.sample(COLUMNS, 2)
    outcomes = random.sample(OUTCOMES, 2)
    crossing = [
        NaiveRow("x1", {one: random_cell(random, one)}, outcomes[0]),
        NaiveRow("x2", {other: random_cell(random, other)}, outcomes[1]),
    ]
    found = NaiveTable([*table.rows, *crossing])
    planted = any({"x1", "x2"} <= set(ids) for ids in found.conflicts)
    return found if planted else with_conflict(random)


def with_masked_row(random: Random) -> NaiveTable:
    """A row whose two exceptions take everything that it had."""
    table = clean_table(random)
    host = random.choice(table.rows)
    free = [column for column in COLUMNS if column not in host.cells]
    column, parts = random.choice(
        [
            (column, parts)
            for column, parts in (
                (
                    "geography",
                    (nodes("geography", ["EMEA"]), nodes("geography", ["EMEA"], ["DE"]), nodes("geography", ["DE"])),
                ),
                ("operation", (names("change", "cancel"), names("change"), names("cancel"))),
                ("document_type", (names("T1", "T3"), names("T1"), names("T3"))),
                ("amount", (amounts("USD", 0, 30), amounts("USD", 0, 10), amounts("USD", 10, 30))),
                ("valid", (days(None, 3), days(None, 1), days(1, 3))),
            )
            if column in free
        ]
        or [("", ())]
    )
    if not column:
        return with_masked_row(random)
    rows = [
        NaiveRow(row_id, {**host.cells, column: spec}, random.choice(OUTCOMES))
        for row_id, spec in zip(("masked", "part1", "part2"), parts, strict=True)
    ]
    found = NaiveTable([*table.rows, *rows])
    return found if "masked" in found.masked else with_masked_row(random)


def with_breach(random: Random) -> NaiveTable:
    """A row that sends documents of the whole world to a system of one region."""
    table = clean_table(random)
    at = random.randrange(len(table.rows))
    rows = list(table.rows)
    rows[at] = NaiveRow(rows[at].row_id, rows[at].cells, EUROPEAN)
    found = NaiveTable(rows)
    return found if found.breaches else with_breach(random)
