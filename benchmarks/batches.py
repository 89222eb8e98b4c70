"""How many documents a second one process takes in from a batch: read, checked, accepted and on disk; and their cost.

On SQLite (FULL) the same lines are taken in three ways: read and checked only, accepted by the line (`accept_many`),
and as a whole batch with a result for each line. On PostgreSQL (fsync) batches go in by one process and by two: orders,
and invoices of them. Nothing is sent to an ERP. Bar of docs/adr/0023: 10,000 documents/s.
Run: `python -m benchmarks.batches [--lines 6000] [--rounds 5]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.batch_parts import Parts, steady
from benchmarks.batches_on_postgres import Together, measured
from gateway.api.limits import Limits
from gateway.domain.lanes import IN_BULK
from gateway.intake.lines import DocumentReader
from gateway.spared import spare_what_stays
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.intake.batches import body, line, send
from tests.line.rig import SALESFORCE, Rig, order

BAR = 10_000
AT_ONCE = 500
BEFORE = {
    "loop: read, check, draw ids, results": 63,
    "writer: accept, in Python": 179,
    "writer: rows into their tables": 42,
    "writer: COMMIT": 20,
    "the log's upkeep, and the rest": 11,
}
"""µs of a document in a batch before what docs/adr/0034 decides, by this benchmark on the same machine."""
TOGETHER_BEFORE = (
    Together("orders, one process", 973, 402, 200),
    Together("orders, two processes", 1_100, 459, 238),
    Together("invoices of posted orders, one process", 821, 647, 315),
)


@dataclass(frozen=True)
class Taken:
    """Documents a second, and processor time of one, in µs; that of its parts, where it was measured."""

    rate: float
    cpu_us: float
    parts: dict[str, float] = field(default_factory=dict)


async def _read(rig: Rig, lines: list[bytes]) -> None:
    reader = _reader(rig)
    for one in lines:
        reader.of_line(one)


async def _accept(rig: Rig, lines: list[bytes]) -> None:
    reader = _reader(rig)
    for begin in range(0, len(lines), AT_ONCE):
        await rig.line.accept_many([reader.of_line(one) for one in lines[begin : begin + AT_ONCE]])


async def _batch(rig: Rig, lines: list[bytes]) -> None:
    done = await send(rig, [body(*lines[begin : begin + 50]) for begin in range(0, len(lines), 50)])
    assert done.received == len(lines)


WAYS: dict[str, Callable[[Rig, list[bytes]], Awaitable[None]]] = {
    "read and checked only": _read,
    "accepted, no results": _accept,
    "a batch, with results": _batch,
}


def _reader(rig: Rig) -> DocumentReader:
    return DocumentReader(SALESFORCE, rig.parts.rules.rulebook.tables, IN_BULK, Limits())


async def _measured(way: Callable[[Rig, list[bytes]], Awaitable[None]], lines: list[bytes]) -> Taken:
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'gateway.db'}"
        await migrate(url)
        store = await open_store(url)
        try:
            rig = await Rig.on(store)
            steady(rig)
            spare_what_stays()  # as a gateway does that has started
            with Parts() as parts:
                wall, cpu = time.perf_counter(), time.process_time()
                await way(rig, lines)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        finally:
            await store.close()
    each = cpu / len(lines) * 1e6
    return Taken(len(lines) / wall, each, parts.of_one(len(lines), each))


def _quietest(found: list[Taken]) -> Taken:
    """The round that others disturbed least."""
    return min(found, key=lambda one: one.cpu_us)


def report(taken: dict[str, Taken], together: list[Together], size: int, asked: argparse.Namespace) -> str:
    """The table of results, as Markdown."""
    whole = taken["a batch, with results"]
    bar = "met" if whole.rate >= BAR else f"MISSED: {whole.rate:,.0f}"
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {asked.lines} orders of {size} bytes, the quietest of {asked.rounds} rounds. "
        f"SQLite {sqlite3.sqlite_version} with synchronous=FULL, PostgreSQL 18 with fsync, "
        f"Python {platform.python_version()}; {os.cpu_count()} processors, shared with other work: load average "
        f"{os.getloadavg()[0]:.1f} at the end. Read the processor times; the rates say how busy the machine was."
    )
    lines = [
        "# Batches: documents per second, durable",
        "",
        facts,
        "",
        "| SQLite, one process | documents/s | processor time of one, µs | documents/s of one processor |",
        "|---|---|---|---|",
    ]
    for name, found in taken.items():
        lines.append(f"| {name} | {found.rate:,.0f} | {found.cpu_us:.0f} | {1e6 / found.cpu_us:,.0f} |")
    lines += [
        "",
        f"Bar of {BAR:,} documents/s: {bar} ({1e6 / whole.cpu_us:,.0f} of one processor).",
        "",
        "| where the time of one document goes, µs | before | now |",
        "|---|---|---|",
        *(f"| {name} | {BEFORE[name]} | {now:.0f} |" for name, now in whole.parts.items()),
        f"| together | {sum(BEFORE.values())} | {whole.cpu_us:.0f} |",
        "",
        "| PostgreSQL | documents/s together | processor time of one: gateway, µs | the server, µs | before |",
        "|---|---|---|---|---|",
    ]
    were = {one.name: f"{one.rate:,.0f}; {one.gateway_us:.0f}; {one.server_us:.0f}" for one in TOGETHER_BEFORE}
    for one in together:
        lines.append(
            f"| {one.name} | {one.rate:,.0f} | {one.gateway_us:.0f} | {one.server_us:.0f} | {were[one.name]} |"
        )
    command = f"python -m benchmarks.batches --lines {asked.lines} --rounds {asked.rounds}"
    return "\n".join([*lines, "", f"Command: `{command}`", ""])


def main() -> None:
    """Measure and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "batches.md")
    asked = parser.parse_args()
    lines = [line("orders", order(str(100_000 + number))) for number in range(asked.lines)]
    rounds: dict[str, list[Taken]] = {name: [] for name in WAYS}
    for _ in range(asked.rounds):
        for name, way in WAYS.items():
            rounds[name].append(asyncio.run(_measured(way, lines)))
    taken = {name: _quietest(found) for name, found in rounds.items()}
    text = report(taken, measured(asked.lines, asked.rounds), sum(map(len, lines)) // len(lines), asked)
    asked.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
