"""Going back, slice by slice: every fact against brute force, and what is refused."""

from __future__ import annotations

from random import Random

import pytest

from routing_rules import Conflict, Decision, Gap, Rulebook, decide, parse_rulebook, prove
from routing_rules.analysis_findings import FindingCode
from routing_rules.reversion import ReversionRefused, Slice, reverted
from routing_rules.table_reader import HEADER
from tests.rules.naive import NaiveRow, NaiveTable, facts_of
from tests.rules.random_tables import clean_table, random_cell, wild_table
from tests.rules.specs import COLUMNS, GROUND, OUTCOMES, PLACES, UNITS, is_below

BASE = "base,,,,,,,,,,legacy,old,,,,,"
A_DARK = "a,,A,,,,,,,,dark,old,new,,,,"
A_VALIDATE = A_DARK.replace("dark", "validate")


def book(*rows: str, yaml: str = GROUND) -> Rulebook:
    return parse_rulebook({"rulebook.yaml": yaml.encode(), "orders.csv": "\n".join([HEADER, *rows]).encode()})


def rows_of(rulebook: Rulebook) -> dict[str, tuple[str, str, str]]:
    return {
        row.id: (row.business_unit.text, row.geography.text, row.outcome.stage.value)
        for row in rulebook.tables["orders"].rows
    }


def test_a_part_of_what_was_moved_goes_back_as_an_exception():
    made = reverted(book(BASE, A_VALIDATE), book(BASE, A_DARK), "orders", "A1", "EMEA")
    assert rows_of(made) == {
        "base": ("*", "*", "legacy"),
        "a": ("A", "*", "validate"),
        "a.2": ("A1", "EMEA", "dark"),
    }


def test_all_of_what_was_moved_goes_back_to_the_very_table():
    before = book(BASE, A_DARK)
    made = reverted(book(BASE, A_VALIDATE), before, "orders", "A", "W")
    assert made.version == before.version


def test_what_was_no_exception_before_is_none_again():
    made = reverted(book(BASE, A_DARK), book(BASE), "orders", "A", "W")
    assert made.version == book(BASE).version


def test_a_row_that_crosses_the_slice_is_cut():
    """France crosses A: neither lies within the other."""
    now = book(BASE, "fr,,,FR,,,,,,,validate,old,new,,,,")
    then = book(BASE, "a1,,A1,EMEA,,,,,,,dark,old,new,,,,")
    made = reverted(now, then, "orders", "A1", "EMEA")
    for unit, place, stage in (
        ("A1", "FR", "dark"),
        ("A1", "DE", "dark"),
        ("A2", "FR", "validate"),
        ("A1", "US", "legacy"),
    ):
        answer = decide(made, facts_of((unit, place, "create", None, None, None, (None, None), None)))
        assert isinstance(answer, Decision)
        assert answer.stage.value == stage


@pytest.mark.parametrize("seed", range(60))
def test_every_fact_is_decided_as_in_its_version(seed: int):
    random = Random(seed)
    then = clean_table(random)
    now = clean_table(random) if seed % 2 else edited(random, then)
    unit, place = random.choice(list(UNITS)), random.choice(list(PLACES))
    in_force, earlier = now.rulebook(), then.rulebook()
    made = reverted(in_force, earlier, "orders", unit, place)
    universe = NaiveTable(then.rows, now.rows).points
    for point in random.sample(universe, min(len(universe), 4_000)):
        fact_unit, fact_place = point[COLUMNS.index("business_unit")], point[COLUMNS.index("geography")]
        inside = is_below(UNITS, fact_unit, unit) and is_below(PLACES, fact_place, place)
        facts = facts_of(point)
        assert given(made, facts) == given(earlier if inside else in_force, facts), (point, inside)
    assert not prove(made).of(FindingCode.MASKED_ROW)


@pytest.mark.parametrize("seed", range(60))
def test_wild_tables_go_back_exactly_or_not_at_all(seed: int):
    """With conflicts and gaps, which a version in force never has."""
    random = Random(f"wild {seed}")
    then, now = wild_table(random), wild_table(random)
    unit, place = random.choice(list(UNITS)), random.choice(list(PLACES))
    in_force, earlier = now.rulebook(), then.rulebook()
    try:
        made = reverted(in_force, earlier, "orders", unit, place)
    except ReversionRefused as refused:
        assert str(refused)
        return
    universe = NaiveTable(then.rows, now.rows).points
    for point in random.sample(universe, min(len(universe), 2_000)):
        inside = is_below(UNITS, point[COLUMNS.index("business_unit")], unit) and is_below(
            PLACES, point[COLUMNS.index("geography")], place
        )
        facts = facts_of(point)
        assert given(made, facts) == given(earlier if inside else in_force, facts)


def edited(random: Random, table: NaiveTable) -> NaiveTable:
    """The table with one row's outcome or cells changed, as people do, still clean."""
    for _ in range(200):
        rows = list(table.rows)
        at = random.randrange(len(rows))
        row, cells = rows[at], dict(rows[at].cells)
        if cells and random.random() < 0.5:
            column = random.choice(list(cells))
            cells[column] = random_cell(random, column)
        rows[at] = NaiveRow(row.row_id, cells, random.choice(OUTCOMES))
        found = NaiveTable(rows)
        if not (found.gaps or found.conflicts or found.masked):
            return found
    return table


def given(rulebook: Rulebook, facts: object) -> object:
    answer = decide(rulebook, facts)  # type: ignore[arg-type]
    match answer:
        case Gap():
            return "gap"
        case Conflict():
            return "conflict"
        case _:
            return answer.stage, answer.system_id, answer.overlay


def test_a_node_that_never_was():
    with pytest.raises(ReversionRefused, match="no business_unit"):
        reverted(book(BASE), book(BASE), "orders", "A3", "W")


def test_a_node_that_is_gone():
    without_a2 = GROUND.replace("{id: A, children: [{id: A1}, {id: A2}]}", "{id: A, children: [{id: A1}]}")
    with pytest.raises(ReversionRefused, match="A2 are gone"):
        reverted(book(BASE, yaml=without_a2), book(BASE, A_DARK.replace(",A,", ",A2,")), "orders", "A", "W")


def test_a_system_that_is_gone():
    ground = "\n".join(line for line in GROUND.splitlines() if "id: eu" not in line)
    with pytest.raises(ReversionRefused, match="eu are gone"):
        reverted(book(BASE, yaml=ground), book(BASE, "a,,A,EMEA,,,,,,,dark,old,eu,,,,"), "orders", "A", "W")


def test_a_domain_that_was_not_there():
    with pytest.raises(ReversionRefused, match="no table of invoices"):
        reverted(book(BASE), book(BASE), "invoices", "A", "W")


def test_shares_that_were_split_by_something_else():
    other = book(BASE, yaml=f"{GROUND}share_by: {{orders: document}}\n")
    with pytest.raises(ReversionRefused, match="split by document then"):
        reverted(book(BASE), other, "orders", "A", "W")


def test_whether_a_slice_was_changed():
    before, after = book(BASE, A_DARK), book(BASE, A_VALIDATE)
    assert Slice(after, "orders", "A1", "W").changed(before, after)
    assert not Slice(after, "orders", "B", "W").changed(before, after)
