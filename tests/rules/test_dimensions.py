"""matches, contains and overlaps of every dimension against brute force over a small universe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet, Tree, plain

PARENTS: dict[str, str | None] = {
    "World": None,
    "EMEA": "World",
    "DE": "EMEA",
    "DE-BY": "DE",
    "FR": "EMEA",
    "AMER": "World",
    "US": "AMER",
    "CA": "AMER",
}
TREE = Tree("geography", "World", PARENTS, {})
QUICK = settings(max_examples=300, deadline=None)


def is_below(node: str | None, top: str) -> bool:
    """The test's own walk up the tree."""
    step = "World" if node is None else node
    while step != top:
        parent = PARENTS[step]
        if parent is None:
            return False
        step = parent
    return True


@st.composite
def node_specs(draw: st.DrawFn) -> tuple[frozenset[str], frozenset[str]]:
    included = draw(st.frozensets(st.sampled_from(sorted(PARENTS)), min_size=1, max_size=3))
    excluded = draw(st.frozensets(st.sampled_from(sorted(PARENTS)), max_size=2))
    return included, excluded


def agree(one: Any, other: Any, members: Callable[[Any], frozenset[Any]]) -> None:
    """The two questions about two sets, answered by their members."""
    mine, theirs = members(one), members(other)
    assert one.contains(other) == (mine >= theirs)
    assert one.overlaps(other) == bool(mine & theirs)


@QUICK
@given(node_specs(), node_specs())
def test_node_sets_are_the_sets_they_spell(
    one: tuple[frozenset[str], frozenset[str]], other: tuple[frozenset[str], frozenset[str]]
) -> None:
    universe = [*PARENTS, None]

    def literal(spec: tuple[frozenset[str], frozenset[str]]) -> frozenset[str | None]:
        included, excluded = spec
        return frozenset(
            node
            for node in universe
            if any(is_below(node, top) for top in included) and not any(is_below(node, top) for top in excluded)
        )

    def members(cell: NodeSet) -> frozenset[str | None]:
        return frozenset(node for node in universe if cell.matches(node))

    first, second = NodeSet.of(TREE, *one), NodeSet.of(TREE, *other)
    assert members(first) == literal(one)
    if first.is_all:
        assert literal(one) == frozenset(universe)
    if literal(one) and literal(other):
        agree(first, second, members)


@QUICK
@given(*[st.none() | st.frozensets(st.sampled_from("abc"), min_size=1)] * 2)
def test_choices(one: frozenset[str] | None, other: frozenset[str] | None) -> None:
    universe = [None, "a", "b", "c", "named by nobody"]

    def members(cell: Choice) -> frozenset[str | None]:
        return frozenset(name for name in universe if cell.matches(name))

    assert members(Choice(one)) == (frozenset(universe) if one is None else one)
    agree(Choice(one), Choice(other), members)


BOUNDS = st.none() | st.integers(0, 3).map(Decimal)


@st.composite
def amount_ranges(draw: st.DrawFn) -> AmountRange:
    currency = draw(st.sampled_from([None, "EUR", "EUR", "USD"]))
    lower, upper = draw(BOUNDS), draw(BOUNDS)
    if currency is None or (lower is None and upper is None):
        return AmountRange()
    if lower is not None and upper is not None and lower >= upper:
        upper = lower + 1
    return AmountRange(currency, lower, upper)


@QUICK
@given(amount_ranges(), amount_ranges())
def test_amount_ranges(one: AmountRange, other: AmountRange) -> None:
    values: list[Decimal | None] = [None, Decimal(-1000), *(Decimal(n) / 2 for n in range(-1, 10)), Decimal(1000)]
    universe = [(value, currency) for value in values for currency in (None, "EUR", "USD", "GBP")]

    def literal(cell: AmountRange) -> frozenset[Any]:
        if cell.currency is None:
            return frozenset(universe)
        low = Decimal("-Infinity") if cell.lower is None else cell.lower
        high = Decimal("Infinity") if cell.upper is None else cell.upper
        return frozenset(
            (value, currency)
            for value, currency in universe
            if currency == cell.currency and value is not None and low <= value < high
        )

    def members(cell: AmountRange) -> frozenset[Any]:
        return frozenset(point for point in universe if cell.matches(*point))

    assert members(one) == literal(one)
    agree(one, other, members)


DAY = date(2026, 3, 1)
DATES = st.none() | st.integers(0, 3).map(lambda days: DAY + timedelta(days)) | st.just(date.min)


@QUICK
@given(DATES, DATES, DATES, DATES)
def test_date_ranges(start: date | None, end: date | None, low: date | None, high: date | None) -> None:
    days: Iterable[date | None] = [None, date.min, *(DAY + timedelta(n) for n in range(-1, 5)), date.max]

    def of(first: date | None, after: date | None) -> DateRange:
        empty = after is not None and after <= (first or date.min)
        return DateRange(first, None if empty else after)

    def members(cell: DateRange) -> frozenset[date | None]:
        return frozenset(day for day in days if cell.matches(day))

    one, other = of(start, end), of(low, high)
    assert members(one) == frozenset(
        day
        for day in days
        if (one.start is None and one.end is None)
        or (day is not None and (one.start or date.min) <= day and (one.end is None or day < one.end))
    )
    agree(one, other, members)


def test_from_the_first_day_of_the_calendar_on_is_every_day_but_no_missing_one() -> None:
    every_day, everything = DateRange(date.min, None), DateRange()
    assert everything.contains(every_day)
    assert not every_day.contains(everything)
    until, from_first_until = DateRange(None, DAY), DateRange(date.min, DAY)
    assert until.contains(from_first_until)
    assert from_first_until.contains(until)


def test_a_missing_fact_is_the_root() -> None:
    assert NodeSet.of(TREE, ["World"]).matches(None)
    assert NodeSet.of(TREE, ["World"], ["FR"]).matches(None)
    assert not NodeSet.of(TREE, ["EMEA", "AMER"]).matches(None)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1000", "1000"), ("1000.00", "1000"), ("0.50", "0.5"), ("-0.0", "0"), ("1E+3", "1000"), ("100", "100")],
)
def test_one_spelling_of_a_number(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_tree_paths_and_children() -> None:
    assert TREE.path("DE-BY") == ("World", "EMEA", "DE", "DE-BY")
    assert TREE.children("World") == ("AMER", "EMEA")
    assert TREE.nodes == frozenset(PARENTS)
    assert "XX" not in TREE
    assert len(TREE) == 8
