"""How long a routing decision takes, beside zen-engine on a table of equal meaning in the same run; and the proof.

zen-engine gets the rows as a first-hit decision table, exceptions first, and must name the same row for every document
that is compared. Run: `python -m benchmarks.rules_decide [--rounds 5]`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import zen

from benchmarks.rules_tables import Table, facts, table
from routing_rules import Decision, Facts, Rulebook, decide, parse_rulebook
from routing_rules.analysis import prove

LARGE, SMALL = 100_000, 10_000
BAR_US = 5.0
"""Median of a decision at 100,000 rows, microseconds."""
BAR_RATIO = 1_000
"""Times zen-engine at 10,000 rows."""
BAR_PROOF_S = 2.0
"""Compile and prove 10,000 rows, seconds."""
ZEN_DECISIONS = 60


@dataclass
class Spread:
    """Microseconds of single calls."""

    median: float
    p99: float

    @classmethod
    def of(cls, call: Callable[[Facts], object], documents: Sequence[Facts]) -> Spread:
        clock = time.perf_counter_ns
        taken: list[int] = []
        for one in documents:
            started = clock()
            call(one)
            taken.append(clock() - started)
        taken.sort()
        return cls(statistics.median(taken) / 1_000, taken[int(len(taken) * 0.99)] / 1_000)


class Zen:
    """The same table as zen-engine reads it."""

    def __init__(self, one: Table) -> None:
        columns = ("businessUnit", "geography", "documentType", "amount", "currency")
        rules = [
            {
                "_id": rule.row,
                "businessUnit": f'"{rule.unit}"' if rule.unit else "",
                "geography": f'"{rule.place}"' if rule.place else "",
                "documentType": ",".join(f'"{kind}"' for kind in rule.kinds),
                "amount": "" if rule.at_least is None else f">= {rule.at_least}",
                "currency": "" if rule.at_least is None else '"EUR"',
                "row": f'"{rule.row}"',
            }
            for rule in one.rules
        ]
        content = {
            "hitPolicy": "first",
            "inputs": [{"id": name, "name": name, "field": name} for name in columns],
            "outputs": [{"id": "row", "name": "row", "field": "row"}],
            "rules": rules,
        }
        place = {"position": {"x": 0, "y": 0}}
        nodes = [
            {"id": "in", "name": "in", "type": "inputNode", **place},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": content, **place},
            {"id": "out", "name": "out", "type": "outputNode", **place},
        ]
        edges = [
            {"id": f"{source}-{target}", "sourceId": source, "targetId": target, "type": "edge"}
            for source, target in (("in", "table"), ("table", "out"))
        ]
        self._decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def input(self, one: Facts) -> dict[str, Any]:
        return {
            "businessUnit": one.business_unit,
            "geography": one.geography,
            "documentType": one.document_type,
            "amount": float(one.amount or 0),
            "currency": one.currency,
        }

    def evaluate(self, given: dict[str, Any]) -> str:
        return str(self._decision.evaluate(given)["result"]["row"])


@dataclass
class Measured:
    """All that goes into the report."""

    ours: dict[tuple[int, str], list[Spread]]
    zen: list[float]
    compared: int
    parse_s: dict[int, float]
    compile_s: dict[int, float]
    prove_s: dict[int, float]
    cells: dict[int, int]


def measure(rounds: int) -> Measured:
    """Alternating rounds, so that a noisy minute hits both engines."""
    found = Measured({}, [], 0, {}, {}, {}, {})
    tables = {rows: table(rows) for rows in (SMALL, LARGE)}
    books: dict[int, Rulebook] = {}
    for rows, one in tables.items():
        books[rows] = _prepared(rows, one, found)
    documents = {rows: facts(one, 100_000) for rows, one in tables.items()}
    other = Zen(tables[SMALL])
    found.compared = _compare(books[SMALL], other, documents[SMALL][:300])
    gc.collect()
    gc.freeze()  # the tables are no garbage and need not be looked through while single calls are timed
    for number in range(rounds):
        for rows, book in books.items():
            spread = Spread.of(lambda one, book=book: decide(book, one), documents[rows])  # type: ignore[misc]
            found.ours.setdefault((rows, "decide" if number else "first"), []).append(spread)
            some = documents[rows][:20_000]
            spread = Spread.of(lambda one, book=book: _recorded(book, one), some)  # type: ignore[misc]
            found.ours.setdefault((rows, "recorded"), []).append(spread)
            explained = documents[rows][:300]
            spread = Spread.of(lambda one, book=book: decide(book, one).explanation.as_json(), explained)  # type: ignore[misc]
            found.ours.setdefault((rows, "explained"), []).append(spread)
        at = number * ZEN_DECISIONS
        given = [other.input(one) for one in documents[SMALL][at : at + ZEN_DECISIONS]]
        for one in given:
            started = time.perf_counter_ns()
            other.evaluate(one)
            found.zen.append((time.perf_counter_ns() - started) / 1_000)
    return found


def _recorded(book: Rulebook, one: Facts) -> object:
    answer = decide(book, one)
    assert isinstance(answer, Decision)
    return answer.deciding_facts()


def _prepared(rows: int, one: Table, found: Measured) -> Rulebook:
    started = time.perf_counter()
    book = parse_rulebook(one.files)
    found.parse_s[rows] = time.perf_counter() - started
    started = time.perf_counter()
    book.index("orders")
    found.compile_s[rows] = time.perf_counter() - started
    started = time.perf_counter()
    proof = prove(book)
    found.prove_s[rows] = time.perf_counter() - started
    assert proof.clean, [str(finding) for finding in proof.findings[:3]]
    found.cells[rows] = proof.cells
    return book


def _compare(book: Rulebook, other: Zen, documents: Sequence[Facts]) -> int:
    for one in documents:
        answer = decide(book, one)
        assert isinstance(answer, Decision)
        assert answer.row_id == other.evaluate(other.input(one)), one
    return len(documents)


def report(found: Measured, rounds: int) -> str:
    def median(rows: int, what: str, number: str = "median") -> float:
        return statistics.median(getattr(spread, number) for spread in found.ours[rows, what])

    theirs = statistics.median(found.zen)
    ours, large = median(SMALL, "decide"), median(LARGE, "decide")
    proof = found.compile_s[SMALL] + found.prove_s[SMALL]
    how = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}, {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, zen-engine {version('zen-engine')}. Tables of "
        "business unit × geography, one row in twenty an exception by document type or amount. 100,000 documents drawn "
        "evenly over all pairs, each call timed by itself; the first round meets most pairs for the first time. "
        f"Median of {rounds} alternating rounds. The cores are shared: read the ratios."
    )
    verdict = (
        f"At 10,000 rows {theirs / ours:,.0f} × zen-engine, which named the same row for all of {found.compared} "
        f"documents; bar of {BAR_RATIO:,} × {_met(theirs / ours >= BAR_RATIO)}. At 100,000 rows the bar of "
        f"{BAR_US:g} µs is {_met(large <= BAR_US)}."
    )
    lines = [
        "# Rules: decisions and proof",
        "",
        how,
        "",
        "| µs a decision | 10,000 rows: median, p99 | 100,000 rows: median, p99 |",
        "|---|---|---|",
    ]
    names = {
        "first": "decide, first round",
        "decide": "**decide**",
        "recorded": "decide and the facts to record, share bucket included",
        "explained": "decide and its whole explanation, with the nearest other row",
    }
    for what, name in names.items():
        cells = [f"{median(rows, what):,.1f}, {median(rows, what, 'p99'):,.1f}" for rows in (SMALL, LARGE)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        f"| zen-engine, first-hit table | {theirs:,.0f} | |",
        "",
        verdict,
        "",
        "| seconds | 10,000 rows | 100,000 rows |",
        "|---|---|---|",
        _times("read the CSV", found.parse_s),
        _times("compile (table version, index)", found.compile_s),
        _times("prove (gaps, conflicts, masked rows, residency, follow-ups)", found.prove_s),
        f"| cells looked at | {found.cells[SMALL]:,} | {found.cells[LARGE]:,} |",
        "",
        f"Compile and prove 10,000 rows: {proof:.2f} s; bar of {BAR_PROOF_S:g} s {_met(proof <= BAR_PROOF_S)}.",
        "",
        "Command: `python -m benchmarks.rules_decide`",
        "",
    ]
    return "\n".join(lines)


def _times(name: str, seconds: dict[int, float]) -> str:
    return f"| {name} | {seconds[SMALL]:.2f} | {seconds[LARGE]:.2f} |"


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "rules_decide.md")
    arguments = parser.parse_args()
    text = report(measure(arguments.rounds), arguments.rounds)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
