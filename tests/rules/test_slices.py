"""Slices are cut out of what a rulebook decides: exactly, and split where it decides differently."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

import routing_rules
from routing_rules import Decision, DomainNotServed, Facts, Outcome, Rulebook, SliceMap, decide, load_rulebook

SAMPLE = Path(routing_rules.__file__).parent / "tables"


@pytest.fixture(scope="module")
def sample() -> Rulebook:
    return load_rulebook(SAMPLE)


def test_a_slice_is_shown_split_where_its_stage_differs(sample: Rulebook) -> None:
    slices = SliceMap(sample)

    def told(unit: str, place: str) -> list[tuple[dict[str, str], str]]:
        found = slices.states("orders", unit, place)
        return [(one.where, one.state.stage.value) for one in found if isinstance(one.state, Outcome)]

    assert told("Western", "BR") == [({}, "drain")]
    assert told("Western", "World") == [({"geography": "* except LATAM"}, "live"), ({"geography": "LATAM"}, "drain")]
    assert told("Eastern", "DE") == [
        ({"amount": "<5000 USD | any other currency"}, "pilot"),
        ({"amount": ">=5000 USD"}, "validate"),
    ]


def test_pairs_that_rows_name(sample: Rulebook) -> None:
    named = SliceMap(sample).named("orders")
    assert ("Eastern", "DE") in named
    assert ("Northern", "EMEA") in named
    assert ("Northwind", "World") in named
    assert ("Eastern", "FR") not in named


def test_every_fact_of_a_slice_lies_in_the_one_part_that_says_how_it_is_decided(sample: Rulebook) -> None:
    slices = SliceMap(sample)
    units, places = sorted(sample.business_units.nodes), sorted(sample.geographies.nodes)
    for unit, place in product(units, places):
        states = slices.states("orders", unit, place)
        for inner_unit, inner_place in product(
            sorted(sample.business_units.below(unit))[:3], sorted(sample.geographies.below(place))[:4]
        ):
            facts = Facts(domain="orders", operation="create", business_unit=inner_unit, geography=inner_place)
            decision = decide(sample, facts)
            held = [
                one
                for one in states
                if all(
                    extent.holds({"business_unit": inner_unit, "geography": inner_place}[column])
                    for column, extent in one.box
                    if column in {"business_unit", "geography"}
                )
                and all(extent.holds((None, None)) for column, extent in one.box if column == "amount")
            ]
            assert isinstance(decision, Decision)
            (part,) = held
            assert isinstance(part.state, Outcome)
            assert part.state.stage is decision.stage
            assert decision.row_id in part.rows


def test_what_is_not_there_is_said(sample: Rulebook) -> None:
    slices = SliceMap(sample)
    with pytest.raises(DomainNotServed):
        slices.states("nonsense", "Western", "BR")
    with pytest.raises(KeyError):
        slices.states("orders", "Nowhere", "BR")
