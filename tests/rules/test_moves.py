"""Moves from the version in force to a candidate: the rule itself, and every cell against brute force."""

from __future__ import annotations

from random import Random

import pytest

from routing_rules import Rulebook, parse_rulebook
from routing_rules.analysis import prove
from routing_rules.analysis_findings import Finding, FindingCode
from routing_rules.table_reader import HEADER
from tests.rules.naive import NaiveRow, NaiveTable
from tests.rules.random_tables import random_cell, wild_table
from tests.rules.specs import GROUND, Outcome

STAGES = ["legacy", "dark", "validate", "pilot", "live", "drain", "read_only", "retired"]
MORE = """\
  - {id: old2, side: legacy, regions: [W], REST}
  - {id: new2, side: cloud, regions: [W], REST}
company_codes""".replace("REST", GROUND.split("regions: [W], ")[1].split("}\n")[0])
YAML = GROUND.replace("company_codes", MORE)


def book(*rows: str, yaml: str = YAML, **domains: str) -> Rulebook:
    files = {"rulebook.yaml": yaml} | {f"{domain}.csv": f"{HEADER}\n{row}" for domain, row in domains.items()}
    if rows:
        files["orders.csv"] = "\n".join([HEADER, *rows])
    return parse_rulebook({name: text.encode() for name, text in files.items()})


def row(outcome: str, row_id: str = "r", geography: str = "", valid: str = ",") -> str:
    stage, legacy, cloud = (outcome + "--").split("-")[:3]
    share = ("100" if not legacy else "50") if stage == "pilot" else ""
    return f"{row_id},,,{geography},,,,,{valid},{stage},{legacy},{cloud},{share},,,"


def moves(before: Rulebook, after: Rulebook) -> list[Finding]:
    return list(prove(after, before).of(FindingCode.ILLEGAL_MOVE))


LEGAL = [
    ("legacy-old", "legacy-old"),
    ("legacy-old", "legacy-old-new"),
    ("legacy-old-new", "legacy-old-new2"),
    ("legacy-old", "dark-old-new"),
    ("legacy-old-new", "dark-old-new2"),
    ("dark-old-new", "legacy-old"),
    ("dark-old-new", "validate-old-new"),
    ("validate-old-new", "dark-old-new"),
    ("validate-old-new", "pilot-old-new"),
    ("pilot-old-new", "validate-old-new"),
    ("pilot-old-new", "live-old-new"),
    ("pilot--new", "live--new"),
    ("live-old-new", "live--new"),
    ("live-old-new", "drain-old-new"),
    ("drain-old-new", "read_only-old-new"),
    ("read_only-old-new", "retired--new"),
    ("retired--new", "retired--new"),
    # A system that is new to the cell starts again at dark, wherever the cell stood.
    ("dark-old-new", "dark-old-new2"),
    ("live-old-new", "dark-old-new2"),
    ("legacy-old", "dark-old2-new"),
    ("pilot--new", "pilot--new2"),
]
ILLEGAL = [
    ("legacy-old", "validate-old-new"),
    ("legacy-old", "live-old-new"),
    ("legacy-old", "legacy-old2"),
    ("dark-old-new", "pilot-old-new"),
    ("dark-old-new", "validate-old-new2"),
    ("dark-old-new", "validate-old2-new"),
    ("validate-old-new", "live-old-new"),
    ("pilot-old-new", "legacy-old"),
    ("pilot-old-new", "pilot-old-new2"),
    ("live-old-new", "live-old-new2"),
    ("live-old-new", "live-old2-new"),
    ("live--new", "live-old-new"),
    ("live-old-new", "retired--new"),
    ("retired--new", "live-old-new"),
]


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_legal_moves(before: str, after: str) -> None:
    assert moves(book(row(before)), book(row(after))) == []


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_illegal_moves(before: str, after: str) -> None:
    (found,) = moves(book(row(before)), book(row(after)))
    assert found.message.startswith(f"from {before.split('-', maxsplit=1)[0]} (")
    assert found.witness is not None
    assert [one.file for one in found.rows] == ["orders.csv", "in force: orders.csv"]


STARTS = [
    ("legacy-old", True),
    ("dark-old-new", True),
    ("validate-old-new", False),
    ("pilot-old-new", False),
    ("pilot--new", True),
    ("live-old-new", False),
    ("live--new", False),
]


@pytest.mark.parametrize(("after", "legal"), STARTS)
def test_a_former_gap_starts_where_nothing_is_risked(after: str, legal: bool) -> None:
    before = book(row("legacy-old", geography="US"))
    found = moves(before, book(row("legacy-old", geography="US"), row(after, "new", "W except US")))
    assert (found == []) == legal
    if not legal:
        assert found[0].where == {"geography": "* except US"}
    # A domain without table is a gap everywhere.
    assert (moves(book(invoices=row("legacy-old")), book(row(after))) == []) == legal


def test_a_domain_that_loses_its_table_is_found() -> None:
    before = book(row("live-old-new"), invoices=row("live-old-new"))
    proof = prove(book(row("live-old-new")), before)
    (found,) = proof.of(FindingCode.DOMAIN_WITHDRAWN)
    assert (found.domain, found.rows[0].file) == ("invoices", "in force: invoices.csv")
    assert not proof.clean


def test_changed_trees_are_moves() -> None:
    rows = (row("legacy-old", "base"), row("live-old-new", "emea", "EMEA"))
    before = book(*rows)
    moved = book(
        *rows,
        yaml=YAML.replace("{id: AMER, children: [{id: US}]}", "{id: AMER}").replace("{id: FR}", "{id: FR}, {id: US}"),
    )
    (found,) = moves(before, moved)
    assert found.where == {"geography": "US"}
    assert found.message.startswith("from legacy (old) to live (old, new)")
    # A node that there was not is a former gap, although its parent's row has been live for long.
    grown = book(*rows, yaml=YAML.replace("{id: FR}", "{id: FR}, {id: IT}"))
    (found,) = moves(before, grown)
    assert (found.where, found.witness and found.witness.geography) == ({"geography": "IT"}, "IT")
    assert moves(before, book(*rows, yaml=YAML.replace(", {id: FR}", ""))) == []


def test_another_name_of_the_root_is_the_same_absent_fact() -> None:
    before = book(row("legacy-old"))
    renamed = YAML.replace("{id: W, children", "{id: Earth, children").replace("[W]", "[Earth]")
    # Documents without geography stay where they are; those that name the new root were a gap.
    assert moves(before, book(row("dark-old-new"), yaml=renamed)) == []
    found = moves(before, book(row("validate-old-new"), yaml=renamed))
    assert {one.message.split(":")[0] for one in found} == {
        "from legacy (old) to validate (old, new)",
        "from no row to validate (old, new)",
    }


def test_valid_dates_are_judged_like_any_fact() -> None:
    before = book(row("legacy-old"))
    dated = book(row("legacy-old"), row("dark-old-new", "d", valid="2026-06-01,"))
    assert moves(before, dated) == []
    too_far = book(row("legacy-old"), row("validate-old-new", "d", valid="2026-06-01,"))
    (found,) = moves(before, too_far)
    assert found.where == {"valid": "2026-06-01.."}
    # The date itself comes nearer: what stood at legacy until July would stand at validate from June.
    later = book(row("legacy-old"), row("validate-old-new", "d", valid="2026-07-01,"))
    (found,) = moves(later, too_far)
    assert found.where == {"valid": "2026-06-01..2026-07-01"}


OUTCOMES: tuple[Outcome, ...] = (
    ("legacy", "old", "", ""),
    ("legacy", "old2", "", ""),
    ("dark", "old", "new", ""),
    ("dark", "old", "new2", ""),
    ("validate", "old", "new", ""),
    ("pilot", "old", "new", "25"),
    ("pilot", "", "new2", "100"),
    ("live", "old", "new", ""),
    ("live", "old", "new2", ""),
)


def is_legal(before: Outcome | None, after: Outcome) -> bool:
    """The rule once more, in the order of its sentences."""
    stage, legacy, cloud = after[:3]
    if before is None:
        return stage in ("legacy", "dark") if legacy else stage == "pilot"
    cloud_before = "" if before[0] == "legacy" else before[2]
    new_legacy = legacy not in ("", before[1])
    new_cloud = stage != "legacy" and cloud not in ("", cloud_before) and before[0] != "legacy"
    if new_legacy or new_cloud:
        return stage == ("dark" if legacy or before[1] else "pilot")
    return abs(STAGES.index(stage) - STAGES.index(before[0])) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_illegal_moves_are_those_of_brute_force(seed: int) -> None:
    random = Random(f"moves {seed}")
    for _ in range(20):
        one = wild_table(random, 5, OUTCOMES)
        rows = [NaiveRow(old.row_id, old.cells, random.choice([old.outcome, *OUTCOMES])) for old in one.rows]
        if random.random() < 0.5 and one.active:
            rows.append(NaiveRow("more", {one.active[0]: random_cell(random, one.active[0])}, random.choice(OUTCOMES)))
        before, after = NaiveTable(one.rows, rows), NaiveTable(rows, one.rows)
        expected: dict[tuple[tuple[str, ...], tuple[str, ...]], set[int]] = {}
        for at in range(len(before.points)):
            outcome = after.outcome(at)
            if outcome is not None and not is_legal(before.outcome(at), outcome):
                expected.setdefault((after.ids(at), before.ids(at)), set()).add(at)
        found = {}
        for finding in moves(*(parse_rulebook(files(table)) for table in (before, after))):
            ids = [[row.row for row in finding.rows if row.file.startswith("in") is force] for force in (False, True)]
            found[tuple(ids[0]), tuple(ids[1])] = finding
        assert found.keys() == expected.keys(), (before.csv, after.csv)
        for key, finding in found.items():
            assert finding.witness is not None
            assert after.at(finding.witness) in expected[key]


def files(table: NaiveTable) -> dict[str, bytes]:
    return {"rulebook.yaml": YAML.encode(), "orders.csv": table.csv.encode()}
