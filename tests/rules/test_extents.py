"""Extents: a union holds what either holds, and says so in words."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_rules.dimensions import Tree
from routing_rules.extents import Amounts, Days, Names, Nodes, Operations
from routing_rules.ranges import DAY_AFTER_LAST, FIRST_DAY

TREE = Tree("geography", "W", {"W": None, "E": "W", "DE": "E", "FR": "E", "DE-BY": "DE", "US": "W"}, {})
UNIVERSE = frozenset[str | None](TREE.parents)
DAY = date(2026, 3, 1).toordinal()
OPERATIONS = frozenset({"create", "change", "cancel"})


def intervals(numbers: list[int]) -> tuple[tuple[Decimal, Decimal], ...]:
    ends = sorted(set(numbers))
    return tuple((Decimal(low), Decimal(high)) for low, high in zip(ends[::2], ends[1::2], strict=False))


def days(numbers: list[int], absent: bool) -> Days:
    return Days(tuple((DAY + int(low), DAY + int(high)) for low, high in intervals(numbers)), absent)


NUMBERS = st.lists(st.integers(0, 6), max_size=4)
NODES = st.frozensets(st.sampled_from(sorted(TREE.parents)))
RANGES = st.dictionaries(st.sampled_from(["EUR", "USD"]), NUMBERS.map(intervals))
HALVES = [Decimal(half) / 2 for half in range(-1, 14)]
KINDS: dict[str, tuple[st.SearchStrategy[Any], list[Any]]] = {
    "nodes": (st.builds(Nodes, NODES, st.just(TREE), st.just(UNIVERSE)), [*TREE.parents, None]),
    "names": (
        st.builds(Names, st.frozensets(st.sampled_from("abc")), st.booleans()),
        ["a", "b", "c", "other", None],
    ),
    "operations": (
        st.builds(Operations, st.frozensets(st.sampled_from(sorted(OPERATIONS))), st.just(OPERATIONS)),
        sorted(OPERATIONS),
    ),
    "amounts": (
        st.builds(Amounts.of, RANGES, st.booleans()),
        [*((half, currency) for half in HALVES for currency in ("EUR", "USD", "GBP")), (None, "EUR"), (None, None)],
    ),
    "days": (
        st.builds(days, NUMBERS, st.booleans()),
        [None, *(date.fromordinal(DAY) + timedelta(number) for number in range(-1, 8))],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_union_holds_what_either_holds(kind: str) -> None:
    extents, facts = KINDS[kind]

    @settings(max_examples=200, deadline=None)
    @given(extents, extents)
    def law(one: Any, other: Any) -> None:
        both = one.union(other)
        for fact in facts:
            assert both.holds(fact) == (one.holds(fact) or other.holds(fact)), (one, other, fact)
        # The same facts are the same value, however they were put together: boxes are compared by it.
        assert other.union(one) == both
        assert both.union(one) == both

    law()


def test_extents_in_words() -> None:
    def nodes(*held: str) -> str:
        return Nodes(frozenset(held), TREE, UNIVERSE).text

    assert nodes(*TREE.parents) == "*"
    assert nodes("E", "DE", "DE-BY", "FR") == "E"
    assert nodes("E", "DE", "FR") == "E except DE-BY"
    assert nodes("E") == "E itself"
    assert nodes("E", "US") == "E itself | US"
    assert nodes("W", "US", "DE-BY") == "DE-BY | * except E"
    assert Names(frozenset({"b", "a"})).text == "a|b"
    assert Names(frozenset({"a"}), True).text == "any but a"
    assert Names(frozenset(), True).text == "*"
    assert Operations(OPERATIONS, OPERATIONS).text == "*"
    ten = (Decimal(10), None)
    assert Amounts.of({"EUR": [ten]}, True).text == ">=10 EUR | any other currency"
    assert Amounts.of({"EUR": [ten, (None, Decimal(10))]}, False).text == "all EUR"
    assert Amounts.of({"EUR": [ten, (None, Decimal(10))]}, True).text == "*"
    assert Amounts.of({"EUR": []}, True).text == "any currency but EUR"
    assert Days(((FIRST_DAY, DAY_AFTER_LAST),), True).text == "*"
    assert Days(((FIRST_DAY, DAY_AFTER_LAST),), False).text == "every posting date"
    assert (
        Days(((FIRST_DAY, DAY), (DAY + 1, DAY_AFTER_LAST)), True).text
        == "..2026-03-01 | 2026-03-02.. | no posting date"
    )
