"""The proof of a table against brute force: what it finds is there, what is there it finds, every witness is true."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from routing_rules.analysis import prove
from routing_rules.analysis_findings import Finding, FindingCode
from tests.rules.naive import NaiveTable
from tests.rules.random_tables import (
    clean_table,
    wild_table,
    with_breach,
    with_conflict,
    with_gap,
    with_masked_row,
)
from tests.rules.specs import COLUMNS


def proven(table: NaiveTable) -> list[Finding]:
    return list(prove(table.rulebook()).findings)


def of(findings: list[Finding], code: FindingCode) -> list[Finding]:
    return [one for one in findings if one.code is code]


def agree(table: NaiveTable) -> list[Finding]:
    """Compare everything that is found with brute force, and judge every witness by it."""
    findings = proven(table)
    assert bool(of(findings, FindingCode.GAP)) == bool(table.gaps), table.csv
    for one in of(findings, FindingCode.GAP):
        assert one.witness is not None
        assert table.at(one.witness) in table.gaps
    found = {tuple(row.row for row in one.rows) for one in of(findings, FindingCode.CONFLICT)}
    assert found == table.conflicts, table.csv
    for one in of(findings, FindingCode.CONFLICT):
        assert one.witness is not None
        deciding = table.deciding[table.at(one.witness)]
        assert [table.rows[number].row_id for number in deciding] == [row.row for row in one.rows]
    assert {one.rows[0].row for one in of(findings, FindingCode.MASKED_ROW)} == table.masked, table.csv
    for one in of(findings, FindingCode.MASKED_ROW):
        assert one.witness is not None
        at = table.at(one.witness)
        masked, *smaller = (row.row for row in one.rows)
        assert masked in {table.rows[number].row_id for number in table.matched[at]}
        assert smaller
        assert {table.rows[number].row_id for number in table.deciding[at]} & set(smaller)
    breaches = {(one.rows[0].row, "eu") for one in of(findings, FindingCode.RESIDENCY)}
    assert breaches == table.breaches, table.csv
    place = COLUMNS.index("geography")
    for one in of(findings, FindingCode.RESIDENCY):
        assert one.witness is not None
        at = table.at(one.witness)
        assert table.points[at][place] in ("W", "AMER", "US") or "geography" not in table.active
        assert table.rows[table.deciding[at][0]].row_id == one.rows[0].row
    return findings


@pytest.mark.parametrize("seed", range(8))
def test_findings_are_those_of_brute_force(seed: int) -> None:
    random = Random(seed)
    for _ in range(25):
        agree(wild_table(random))


PLANTED: dict[FindingCode, Callable[[Random], NaiveTable]] = {
    FindingCode.GAP: with_gap,
    FindingCode.CONFLICT: with_conflict,
    FindingCode.MASKED_ROW: with_masked_row,
    FindingCode.RESIDENCY: with_breach,
}


@pytest.mark.parametrize("code", PLANTED)
def test_every_planted_fault_is_found(code: FindingCode) -> None:
    random = Random(f"planted {code}")
    for _ in range(200):
        assert of(agree(PLANTED[code](random)), code)


def test_of_clean_tables_nothing_is_said() -> None:
    random = Random("clean")
    for _ in range(200):
        table = clean_table(random)
        assert (table.gaps, table.conflicts, table.masked, table.breaches) == ([], set(), set(), set())
        assert agree(table) == []
