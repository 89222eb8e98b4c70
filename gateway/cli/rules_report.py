"""What the rules commands print: a checked rulebook, and what changes between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.cli.console import print_json, print_line
from gateway.domain.facts import wire_members
from routing_rules import ExampleFailure, Rulebook
from routing_rules.analysis import Proof
from routing_rules.coverage import Coverage, RowCoverage
from routing_rules.difference import Change
from routing_rules.governance_difference import ground_differences

MOST_NAMED = 20
"""Rows that a line of the text names; the JSON names all."""


@dataclass(frozen=True, slots=True)
class Check:
    """Everything that a check came to."""

    rulebook: Rulebook
    proof: Proof
    failures: Sequence[ExampleFailure]
    coverage: Coverage

    @property
    def passed(self) -> bool:
        """Nothing stands against it."""
        return self.proof.clean and not self.failures

    def as_json(self) -> dict[str, Any]:
        """In wire words; domains and rows keep their names."""
        return {
            "version": self.rulebook.version,
            "governanceVersion": self.rulebook.governance_version,
            "rows": {domain: len(table.rows) for domain, table in self.rulebook.tables.items()},
            "examples": len(self.rulebook.examples),
            "failedExamples": [str(failure) for failure in self.failures],
            "passed": self.passed,
            **wire_members({"proof": self.proof.as_json(), "coverage": self.coverage.as_json()}),
        }


def print_check(check: Check, *, json: bool) -> None:
    """The check for people, or as JSON."""
    if json:
        print_json(check.as_json())
        return
    rulebook, proof = check.rulebook, check.proof
    print_line(f"version {rulebook.version}")
    for domain, table in rulebook.tables.items():
        owners = ", ".join(rulebook.owners.get(domain, ())) or "nobody"
        print_line(f"  {domain}: {len(table.rows)} rows, answered for by {owners}")
    print_line(f"  examples: {len(rulebook.examples)}, failed: {len(check.failures)}")
    for failure in check.failures:
        print_line(f"    {failure}")
    _print_rows("rows without an example", check.coverage.without_example())
    if check.coverage.recorded is not None:
        undecided = ", ".join(f"{what} {count}" for what, count in check.coverage.undecided.items()) or "none"
        print_line(f"  recorded facts: {check.coverage.recorded}, undecided: {undecided}")
        _print_rows("rows without a recorded fact", check.coverage.without_record())
    against = f", moves judged from {proof.against}" if proof.against else ""
    print_line(f"  proof: {len(proof.findings)} findings over {proof.cells} cells{against}")
    for finding in proof.findings:
        print_line("\n".join(f"    {line}" for line in str(finding).splitlines()))
    if proof.more:
        print_line("    there are more; mend these first")


def _print_rows(what: str, rows: Sequence[RowCoverage]) -> None:
    named = ", ".join(f"{one.row.id} ({one.row.place})" for one in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    print_line(f"  {what}: {f'{named}{more}' if rows else 'none'}")


def print_changes(before: Rulebook, after: Rulebook, changes: Sequence[Change], *, json: bool) -> None:
    """What changes, for people or as JSON."""
    ground = list(ground_differences(before, after))
    if json:
        listed = [wire_members(change.as_json()) for change in changes]
        others = [one.as_json() for one in ground]
        print_json({"before": before.version, "after": after.version, "changes": listed, "groundChanges": others})
        return
    print_line(f"from {before.version}\nto   {after.version}")
    for change in changes:
        print_line(f"  {change}")
    for one in ground:
        print_line(f"  {one}")
    if not changes:
        same = "the versions are the same" if before.version == after.version else "no fact is decided differently"
        print_line(f"  {same}")


def place_of(row: Mapping[str, Any]) -> str:
    """file:line; the file alone where no line is known."""
    return str(row["file"]) if row["line"] is None else f"{row['file']}:{row['line']}"


def print_explanation(told: Mapping[str, Any]) -> None:
    """A decision in wire words: the rows that matched, the share, and the row that came nearest to deciding instead."""
    number = told.get("activationNumber")
    print_line(f"{told['effect']}" if number is None else f"activation {number}: {told['effect']}")
    for one in told["matched"]:
        overruled = f"overruled by {', '.join(one['exceptions'])}" if one["exceptions"] else "decides"
        print_line(f"  {one['row']} ({place_of(one)}): {overruled}. {one['note']}")
    if len(told["exceptionPath"]) > 1:
        print_line(f"  each an exception to the one before: {', '.join(told['exceptionPath'])}")
    share = told["share"]
    if share is not None:
        print_line(f"  share {share['share']}: {share['hash']}; in the cloud below {share['threshold']}")
    for near in told["nearest"]:
        print_line(f"  {near['row']} does not match in {', '.join(near['mismatches'])}")
    miss = told["whyNot"]
    print_line(f"  why not another: {miss['effect'] if miss else 'no row was found that would decide instead'}")
    if told["owners"]:
        print_line(f"  answered for by {', '.join(told['owners'])}")
