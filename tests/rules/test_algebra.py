"""The laws of the cell algebra, on cells of every kind: intersections, differences and their witnesses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_rules.cells import CellInvalid, parse_amount, parse_nodes
from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet, Tree

PARENTS: dict[str, str | None] = {
    "World": None,
    "EMEA": "World",
    "DE": "EMEA",
    "DE-BY": "DE",
    "DE-BE": "DE",
    "FR": "EMEA",
    "AMER": "World",
    "US": "AMER",
}
TREE = Tree("geography", "World", PARENTS, {})
NODES = st.lists(st.sampled_from(sorted(PARENTS)), min_size=1, max_size=3, unique=True).map("|".join)
DAY = date(2026, 3, 1)
NUMBERS = st.integers(0, 4)
QUICK = settings(max_examples=250, deadline=None)


def node_cell(included: str, excluded: str) -> NodeSet | None:
    """As a table spells it; None for what a table may not say."""
    try:
        return parse_nodes(f"{included} except {excluded}" if excluded else included, TREE)
    except CellInvalid:
        return None


def amount_cell(currency: str | None, low: int | None, high: int | None) -> AmountRange:
    if currency is None or (low is None and high is None):
        return AmountRange()
    if low is not None and high is not None and low >= high:
        high = low + 1
    return AmountRange(currency, None if low is None else Decimal(low), None if high is None else Decimal(high))


def date_cell(low: int | None, high: int | None) -> DateRange:
    if low is not None and high is not None and low >= high:
        high = low + 1
    return DateRange(
        None if low is None else DAY + timedelta(low),
        None if high is None else DAY + timedelta(high),
    )


NODE_CELLS: st.SearchStrategy[Any] = st.builds(node_cell, NODES, st.just("") | NODES).filter(
    lambda one: one is not None
)
CHOICES: st.SearchStrategy[Any] = st.builds(Choice, st.none() | st.frozensets(st.sampled_from("abcd"), min_size=1))
AMOUNTS: st.SearchStrategy[Any] = st.builds(
    amount_cell, st.sampled_from([None, "EUR", "EUR", "EUR", "USD"]), st.none() | NUMBERS, st.none() | NUMBERS
)
DATES: st.SearchStrategy[Any] = st.builds(date_cell, st.none() | NUMBERS, st.none() | NUMBERS) | st.just(
    DateRange(date.min, None)
)

# Facts enough to tell any two cells of a kind apart: every bound, what lies between and beyond, and the absent fact.
FACTS: dict[type, list[tuple[Any, ...]]] = {
    NodeSet: [(node,) for node in PARENTS] + [(None,)],
    Choice: [(name,) for name in "abcd"] + [(None,), ("named by nobody",)],
    AmountRange: [
        (amount, currency)
        for amount in (None, Decimal(-1000), *(Decimal(half) / 2 for half in range(-6, 12)), Decimal(1000))
        for currency in (None, "EUR", "USD", "any other")
    ],
    DateRange: [(None,), (date.min,), (date.max,), *((DAY + timedelta(days),) for days in range(-4, 7))],
}
KINDS = {"nodes": NODE_CELLS, "names": CHOICES, "amounts": AMOUNTS, "dates": DATES}


def members(cell: Any) -> frozenset[tuple[Any, ...]]:
    return frozenset(fact for fact in FACTS[type(cell)] if cell.matches(*fact))


def matches(cell: Any, fact: Any) -> bool:
    return bool(cell.matches(*fact) if isinstance(cell, AmountRange) else cell.matches(fact))


@pytest.mark.parametrize("kind", KINDS)
def test_the_intersection_is_what_both_hold(kind: str) -> None:
    @QUICK
    @given(KINDS[kind], KINDS[kind])
    def law(one: Any, other: Any) -> None:
        both = one.intersection(other)
        assert (both is not None) == one.overlaps(other) == bool(members(one) & members(other))
        if both is not None:
            assert members(both) == members(one) & members(other)
            assert one.contains(both)
            assert other.contains(both)
            back = other.intersection(one)
            assert (back.contains(both), both.contains(back)) == (True, True)
        assert one.intersection(one) == one

    law()


@pytest.mark.parametrize("kind", KINDS)
def test_one_contains_another_exactly_if_nothing_of_it_is_left(kind: str) -> None:
    @QUICK
    @given(KINDS[kind], KINDS[kind])
    def law(one: Any, other: Any) -> None:
        left = other.witness([one])
        assert one.contains(other) == (left is None) == (members(one) >= members(other))
        if left is not None:
            assert matches(other, left.fact)
            assert not matches(one, left.fact)

    law()


@pytest.mark.parametrize("kind", KINDS)
def test_a_difference_has_a_witness_unless_it_is_empty(kind: str) -> None:
    @QUICK
    @given(KINDS[kind], st.lists(KINDS[kind], max_size=4))
    def law(one: Any, without: list[Any]) -> None:
        left = members(one).difference(*(members(other) for other in without))
        witness = one.witness(without)
        assert (witness is not None) == bool(left)
        if witness is not None:
            assert matches(one, witness.fact)
            assert not any(matches(other, witness.fact) for other in without)

    law()


@QUICK
@given(NODE_CELLS, NODE_CELLS)
def test_an_intersection_of_nodes_is_spelled_as_a_cell(one: NodeSet, other: NodeSet) -> None:
    both = one.intersection(other)
    if both is not None:
        assert parse_nodes(both.text, TREE).nodes == both.nodes


@QUICK
@given(AMOUNTS, AMOUNTS)
def test_an_intersection_of_amounts_is_spelled_as_a_cell(one: AmountRange, other: AmountRange) -> None:
    both = one.intersection(other)
    if both is not None:
        assert parse_amount(both.text) == both


def test_all_operations_together_leave_nothing() -> None:
    operations = ("create", "change")
    listed = [Choice(frozenset({name})) for name in operations]
    assert Choice().witness(listed, operations) is None
    left = Choice().witness(listed[:1], operations)
    assert left is not None
    assert left.fact == "change"
    # Of names that nobody declares there is always one more: the absent.
    absent = Choice().witness(listed)
    assert absent is not None
    assert absent.fact is None


def test_a_witness_of_nodes_is_a_leaf_where_there_is_one() -> None:
    found = [
        NodeSet.of(TREE, ["World"]).witness(),
        NodeSet.of(TREE, ["DE"]).witness([NodeSet.of(TREE, ["DE-BE", "DE-BY"])]),
        NodeSet.of(TREE, ["World"]).witness([NodeSet.of(TREE, ["EMEA", "AMER"])]),
    ]
    assert [one and one.fact for one in found] == ["DE-BE", "DE", "World"]
