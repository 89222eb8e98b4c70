"""Which rows of a rulebook are tried out: by its worked examples, and by facts that were recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from routing_rules.answers import Conflict, Decision
from routing_rules.decide import decide
from routing_rules.examples import decide_example
from routing_rules.facts import Facts
from routing_rules.index import UnknownNode
from routing_rules.model import Row
from routing_rules.rulebook import DomainNotServed, Rulebook


@dataclass(frozen=True, slots=True)
class RowCoverage:
    """How often a row decided, by examples and by recorded facts; where several agree, each of them did."""

    domain: str
    row: Row
    examples: int
    recorded: int

    def as_json(self) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "row": self.row.id,
            "file": self.row.file,
            "line": self.row.line,
            "examples": self.examples,
            "recorded": self.recorded,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The rows in the order of the tables. ``recorded``: how many facts there were; None if none were given.

    ``undecided`` counts recorded facts that no row decided, by what came instead: gap, conflict, unknown node or
    domain not served.
    """

    rows: tuple[RowCoverage, ...]
    recorded: int | None
    undecided: dict[str, int]

    def without_example(self) -> tuple[RowCoverage, ...]:
        """Rows that no example decides by."""
        return tuple(one for one in self.rows if not one.examples)

    def without_record(self) -> tuple[RowCoverage, ...]:
        """Rows by which none of the recorded facts is decided; none if no facts were given."""
        return () if self.recorded is None else tuple(one for one in self.rows if not one.recorded)

    def as_json(self) -> dict[str, Any]:
        """JSON values under snake_case keys."""
        return {
            "rows": [one.as_json() for one in self.rows],
            "recorded": self.recorded,
            "undecided": dict(self.undecided),
        }


def coverage_of(rulebook: Rulebook, recorded: Iterable[Facts] | None = None) -> Coverage:
    """Decide all examples and all recorded facts, and count by row."""
    by_example, by_record = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    undecided = Counter[str]()
    for example in rulebook.examples:
        answer = decide_example(rulebook, example)
        if isinstance(answer, Decision):
            by_example.update((answer.facts.domain, row.id) for row in answer.evidence.deciding)
    facts_read = 0
    for facts in recorded or ():
        facts_read += 1
        try:
            answer = decide(rulebook, facts)
        except UnknownNode:
            undecided["unknown node"] += 1
            continue
        except DomainNotServed:
            undecided["domain not served"] += 1
            continue
        if isinstance(answer, Decision):
            by_record.update((facts.domain, row.id) for row in answer.evidence.deciding)
        else:
            undecided["conflict" if isinstance(answer, Conflict) else "gap"] += 1
    return Coverage(
        rows=tuple(
            RowCoverage(domain, row, by_example[domain, row.id], by_record[domain, row.id])
            for domain, table in sorted(rulebook.tables.items())
            for row in sorted(table.rows, key=lambda row: (row.line, row.id))
        ),
        recorded=None if recorded is None else facts_read,
        undecided=dict(sorted(undecided.items())),
    )
