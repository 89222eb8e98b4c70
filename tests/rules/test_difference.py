"""What changes between two versions: every fact against brute force, and as people read it."""

from __future__ import annotations

import json
from itertools import combinations
from random import Random

import pytest

from routing_rules import Rulebook, parse_rulebook
from routing_rules.decomposition import TooManyCells
from routing_rules.difference import Change, State, differences, outputs_of
from routing_rules.table_reader import HEADER
from tests.rules.naive import NaiveRow, NaiveTable
from tests.rules.random_tables import random_cell, wild_table
from tests.rules.specs import COLUMNS, GROUND, Point


def book(*rows: str, yaml: str = GROUND, domain: str = "orders") -> Rulebook:
    return parse_rulebook({"rulebook.yaml": yaml.encode(), f"{domain}.csv": "\n".join([HEADER, *rows]).encode()})


def told(before: Rulebook, after: Rulebook) -> list[str]:
    return [str(change) for change in differences(before, after)]


BASE = "base,,,,,,,,,,legacy,old,,,,,"
WEST = "west,,A,,,,,,,,dark,old,new,,,,"


def test_a_moved_slice_is_one_line() -> None:
    assert told(book(BASE, WEST), book(BASE, WEST.replace("dark", "validate"))) == [
        "orders: business_unit A: stage dark -> validate"
    ]


def test_what_no_longer_holds_in_part_of_a_slice_is_that_part() -> None:
    after = book(BASE, WEST, "x,,A,EMEA except FR,,,,>=10 EUR,2026-01-01,,validate,old,new,,,hold,")
    (change,) = differences(book(BASE, WEST), after)
    assert change.where == {
        "business_unit": "A",
        "geography": "EMEA except FR",
        "amount": ">=10 EUR",
        "valid": "2026-01-01..",
    }
    assert change.changed == {"stage": ("dark", "validate"), "overlay": ("", "hold")}
    assert str(change).endswith(", valid 2026-01-01..: stage dark -> validate; overlay - -> hold")


def test_every_output_is_told() -> None:
    before = book(BASE, "p,,A,,,,,,,,pilot,old,new,10,X1|X2,,")
    after = book(BASE, "p,,A,,,,,,,,pilot,old,eu,12.50,X2|X3,paused,another note")
    assert told(before, after) == [
        "orders: business_unit A: cloud_system new -> eu; share 10 -> 12.5; allow X1|X2 -> X2|X3; overlay - -> paused"
    ]


def test_notes_names_and_spelling_change_nothing() -> None:
    assert told(book(BASE, WEST), book(WEST.replace("west", "renamed") + "a note", BASE)) == []
    split = [
        WEST.replace(",A,", ",A except A1,").replace("west", "w1"),
        WEST.replace(",A,", ",A1,").replace("west", "w2"),
    ]
    assert told(book(BASE, WEST), book(BASE, *split)) == []


def test_alike_facts_are_told_together_in_whatever_column_they_lie() -> None:
    rows = [
        f"r{unit}{place},,{unit},{place},,,,,,,validate,old,new,,,," for unit in ("A", "B") for place in ("DE", "US")
    ]
    assert told(book(BASE), book(BASE, *rows)) == [
        "orders: business_unit A | B, geography DE | US: stage legacy -> validate; cloud_system - -> new".replace(
            "A|B", "A | B"
        )
    ]


def test_everything_and_gaps_and_other_domains() -> None:
    assert told(book(BASE), book(BASE.replace("legacy", "dark", 1).replace("old,", "old,new", 1))) == [
        "orders: everything: stage legacy -> dark; cloud_system - -> new"
    ]
    gone = told(book(BASE), book(BASE.replace(",,,,", ",,B,,", 1)))
    assert gone == ["orders: business_unit * except B: stage legacy -> gap; legacy_system old -> -"]
    assert told(book(BASE), book(BASE, domain="invoices")) == [
        "invoices: everything: stage gap -> legacy; legacy_system - -> old",
        "orders: everything: stage legacy -> gap; legacy_system old -> -",
    ]
    crossing = book(BASE, WEST, "e,,,EMEA,,,,,,,live,old,new,,,,")
    assert "stage dark -> conflict" in "".join(told(book(BASE, WEST), crossing))


def test_changed_trees_are_told_by_what_happens_to_their_nodes() -> None:
    rows = (BASE, "emea,,,EMEA,,,,,,,live,old,new,,,,")
    moved = GROUND.replace("{id: AMER, children: [{id: US}]}", "{id: AMER}").replace("{id: FR}", "{id: FR}, {id: US}")
    assert told(book(*rows), book(*rows, yaml=moved)) == [
        "orders: geography US: stage legacy -> live; cloud_system - -> new"
    ]
    fewer = GROUND.replace(", {id: FR}", "")
    assert told(book(*rows), book(*rows, yaml=fewer)) == [
        "orders: geography FR (of the tree in force): stage live -> gap; legacy_system old -> -; cloud_system new -> -"
    ]


def test_a_change_is_json() -> None:
    (change,) = differences(book(BASE, WEST), book(BASE, WEST.replace("dark", "validate")))
    assert json.loads(json.dumps(change.as_json())) == {
        "domain": "orders",
        "where": {"business_unit": "A"},
        "changed": {"stage": {"before": "dark", "after": "validate"}},
        "rows_before": ["west"],
        "rows_after": ["west"],
    }


def test_too_many_cells_are_refused() -> None:
    rows = [f"t{n},,,,,T{n},,,,,dark,old,new,,,," for n in range(20)]
    rows += [f"s{n},,,,,,S{n},,,,dark,old,new,,,," for n in range(20)]
    with pytest.raises(TooManyCells):
        list(differences(book(BASE), book(BASE, *rows), limit=500))


def state(table: NaiveTable, at: int) -> dict[str, str]:
    deciding = table.deciding[at]
    if not deciding:
        return outputs_of("gap")
    outcome = table.outcome(at)
    if outcome is None:
        return outputs_of("conflict")
    return dict(zip(("stage", "legacy_system", "cloud_system", "share"), outcome, strict=True)) | {
        "allow": "",
        "overlay": "",
        "cutover_date": "",
    }


def holds(change: Change, point: Point) -> bool:
    facts = dict(zip(COLUMNS, point, strict=True))
    return all(extent.holds(facts[column]) for column, extent in change.box)


def outputs(states: State) -> dict[str, str]:
    return outputs_of(states)


@pytest.mark.parametrize("seed", range(4))
def test_changes_are_those_of_brute_force_and_no_two_could_be_one(seed: int) -> None:
    random = Random(f"difference {seed}")
    for _ in range(25):
        one = wild_table(random, 6)
        rows = [
            NaiveRow(old.row_id, old.cells, random.choice([old, old, random.choice(one.rows)]).outcome)
            for old in one.rows
        ]
        if one.active and random.random() < 0.6:
            column = random.choice(one.active)
            rows.append(NaiveRow("more", {column: random_cell(random, column)}, random.choice(one.rows).outcome))
        before, after = NaiveTable(one.rows, rows), NaiveTable(rows, one.rows)
        changes = list(differences(before.rulebook(), after.rulebook()))
        for at, point in enumerate(before.points):
            inside = [change for change in changes if holds(change, point)]
            old, new = state(before, at), state(after, at)
            if old == new:
                assert inside == [], (before.csv, after.csv, point)
            else:
                (change,) = inside
                assert (outputs(change.before), outputs(change.after)) == (old, new)
                assert set(before.ids(at)) <= set(change.rows_before)
        for first, second in combinations(changes, 2):
            if (first.before, first.after) == (second.before, second.after):
                mine, theirs = dict(first.box), dict(second.box)
                apart = [column for column in COLUMNS if mine.get(column) != theirs.get(column)]
                assert len(apart) > 1, (before.csv, after.csv)
