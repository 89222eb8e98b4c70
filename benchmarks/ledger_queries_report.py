"""The tables and plans of `benchmarks.ledger_queries`."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

BARS = {"sqlite": (50.0, 500.0), "postgres": (20.0, 200.0)}
"""p95 in ms: by a business key, and of a page of a filtered range."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """Times of one question in ms, over how many asked it, and how many rows an answer had on average."""

    name: str
    is_key: bool
    p50: float
    p95: float
    worst: float
    rows: float


@dataclass
class Measured:
    """One database. `plans`: by question."""

    database: str
    entries: int
    made_s: float
    index_rate: float
    index_cpu_us: float
    bytes_used: dict[str, int] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    sums_s: float = 0.0
    plans: list[tuple[str, str, str]] = field(default_factory=list)


def report(measured: Sequence[Measured], asked: int) -> str:
    """The tables and the plans."""
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}; SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL 18, Python {platform.python_version()}. Each question {asked} times, each time about something "
        f"else; pages of {PAGE}. Times of all reads of an answer, in ms. The cores are shared with other work."
    )
    lines = ["# Questions about the ledger", "", facts, ""]
    for one in measured:
        key_bar, page_bar = BARS[one.database]
        sizes = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in one.bytes_used.items())
        filled = (
            f"The index is filled with {one.index_rate:,.0f} entries/s, {one.index_cpu_us:.0f} µs of our CPU an entry. "
            f"Sizes: {sizes}. Counting and summing all posted and refused by kind and month: {one.sums_s:.1f} s."
        )
        head = "| question | p50 | p95 | worst | rows | bar of p95 |"
        lines += [f"## {one.database}, {one.entries:,} entries", "", filled, "", head, "|---|---|---|---|---|---|"]
        for taken in one.taken:
            bar = key_bar if taken.is_key else page_bar
            verdict = f"{bar:g}: {'met' if taken.p95 <= bar else 'MISSED'}"
            times = " | ".join(f"{one:.1f}" for one in (taken.p50, taken.p95, taken.worst, taken.rows))
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
