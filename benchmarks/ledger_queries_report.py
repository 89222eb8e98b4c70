"""The tables and plans of `benchmarks.ledger_queries`."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

BARS = {"sqlite": {"key": 50.0, "page": 500.0, "proof": 5.0}, "postgres": {"key": 20.0, "page": 200.0, "proof": 5.0}}
"""p95 in ms: by a business key, of a page of a filtered range, of a receipt with its inclusion proof."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """Times of one question in ms, over how many asked it, and how many rows an answer had on average."""

    name: str
    bar: str
    least: float
    p50: float
    p95: float
    worst: float
    rows: float


@dataclass
class Measured:
    """One database. `plans`: by question. `index_entries`: those that the gateway's own program put into the index.
    `load`: of the machine, before and after."""

    database: str
    entries: int
    index_entries: int
    index_rate: float
    index_cpu_us: float
    load: tuple[float, float] = (0.0, 0.0)
    bytes_used: dict[str, int] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    sums_s: float = 0.0
    plans: list[tuple[str, str, str]] = field(default_factory=list)


def report(measured: Sequence[Measured], asked: int) -> str:
    """The tables and the plans."""
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}; SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL 18, Python {platform.python_version()}. Each question {asked} times, each time about something "
        f"else; pages of {PAGE}. Times of all reads of an answer, in ms. The cores are shared with other work, whose "
        f"part is between the least time and the others."
    )
    lines = ["# Questions about the ledger", "", facts, ""]
    for one in measured:
        sizes = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in one.bytes_used.items())
        filled = (
            f"Load of the machine before and after the questions: {one.load[0]:.1f} and {one.load[1]:.1f}. The last "
            f"{one.index_entries:,} entries were put into the index by the gateway's own program, "
            f"{one.index_rate:,.0f} entries/s with {one.index_cpu_us:.0f} µs of our CPU each; those before in bulk, "
            "with the same rows (tests/ledger/test_bulk_index.py). "
            f"Sizes: {sizes}. Counting and summing all posted and refused by kind and month: {one.sums_s:.1f} s."
        )
        head = "| question | least | p50 | p95 | worst | rows | bar of p95 |"
        lines += [f"## {one.database}, {one.entries:,} entries", "", filled, "", head, "|---|---|---|---|---|---|---|"]
        for taken in one.taken:
            bar = BARS[one.database][taken.bar]
            verdict = f"{bar:g}: {'met' if taken.p95 <= bar else 'MISSED'}"
            times = " | ".join(f"{one:.1f}" for one in (taken.least, taken.p50, taken.p95, taken.worst, taken.rows))
            lines.append(f"| {taken.name} | {times} | {verdict} |")
        lines.append("")
    lines += ["Command: `python -m benchmarks.ledger_queries`", "", "# Plans", ""]
    for one in measured:
        shown: set[str] = set()
        for name, statement, plan in one.plans:
            alike = _alike(statement)
            if alike not in shown:
                shown.add(alike)
                lines += [
                    f"## {one.database}: {name}",
                    "",
                    "```sql",
                    _short(statement),
                    "```",
                    "",
                    "```",
                    plan,
                    "```",
                    "",
                ]
    return "\n".join(lines)


def _alike(statement: str) -> str:
    """Statements that differ in how many values they are given are one."""
    text = re.sub(r"[$?]\d*(::\w+)?( COLLATE \"C\")?", "?", statement)
    text = re.sub(r"\?(, \?)+", "?", text)
    return re.sub(r"(\S+ >= \? AND \S+ < \?)( OR \1)+", r"\1", text)


def _short(statement: str) -> str:
    """Without the list of columns, which says nothing of how rows are found."""
    head, _, rest = " ".join(statement.split()).partition(" FROM ")
    return " FROM ".join(("SELECT …" if len(head) > 80 else head, rest))
