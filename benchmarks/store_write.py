"""How many write units a second the store commits, beside SQLAlchemy's own way in the same run.

A unit is six inserts of rows of about 420 bytes with time-ordered ids; on SQLite in its own SAVEPOINT. Everything is
synced to disk before it counts. Run: `python -m benchmarks.store_write [--seconds 2] [--rounds 3]`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store.postgres_writer import open_writer
from gateway.store.sqlite_writer import SqliteWriter
from gateway.store.statement import Command
from gateway.store.unit import Unit
from tests.store.postgres import running_server

CALLERS = (1, 32, 128)
INSERTS = 6
BODY = "x" * 380
BAR = 2_000
"""Units/s at 32 callers that SQLite must reach."""

METADATA = sa.MetaData()
ROWS = sa.Table("bench_rows", METADATA, sa.Column("id", sa.Text, primary_key=True), sa.Column("body", sa.Text))
INSERT = Command(sa.insert(ROWS))

_ids = itertools.count(time.time_ns())

WriteOne = Callable[[], Awaitable[None]]


def next_row() -> dict[str, str]:
    return {"id": f"{next(_ids):032x}", "body": BODY}


async def unit(unit: Unit) -> None:
    """Six statements, one after another, as the line issues them."""
    for _ in range(INSERTS):
        await unit.run(INSERT, next_row())


async def unit_in_one(unit: Unit) -> None:
    """Six rows by one call."""
    await unit.run_many(INSERT, [next_row() for _ in range(INSERTS)])


@dataclass
class Measured:
    """Units/s, latency in ms, CPU of this process in ms per unit."""

    rate: float
    median_ms: float
    p99_ms: float
    cpu_ms: float


async def measure(write: WriteOne, callers: int, seconds: float) -> Measured:
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def caller() -> None:
        while (started := time.perf_counter()) < until:
            await write()
            latencies.append(time.perf_counter() - started)

    used, started = _cpu(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    taken = time.perf_counter() - started
    ordered = sorted(latencies)
    return Measured(
        len(ordered) / taken,
        statistics.median(ordered) * 1000,
        ordered[int(len(ordered) * 0.99)] * 1000,
        (_cpu() - used) / len(ordered) * 1000,
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _new_database(directory: Path, name: str) -> Path:
    path = directory / f"{name}.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bench_rows (id TEXT NOT NULL PRIMARY KEY, body TEXT)")
    connection.close()
    return path


@asynccontextmanager
async def store_sqlite(directory: Path) -> Any:
    writer = SqliteWriter(_new_database(directory, f"store-{time.time_ns()}"))
    try:
        yield lambda: writer.write(unit)
    finally:
        await writer.close()


@asynccontextmanager
async def alchemy_sqlite(directory: Path) -> Any:
    """As SQLAlchemy is commonly used: its async engine on aiosqlite, one transaction per unit, same durability."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{_new_database(directory, f'alchemy-{time.time_ns()}')}")

    @sa.event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    one_writer = asyncio.Lock()

    async def write() -> None:
        async with one_writer, engine.begin() as connection, connection.begin_nested():
            for _ in range(INSERTS):
                await connection.execute(sa.insert(ROWS), next_row())

    try:
        yield write
    finally:
        await engine.dispose()


@asynccontextmanager
async def store_postgres(url: str, fn: Any) -> Any:
    writer = await open_writer(url)
    try:
        yield lambda: writer.write(fn)
    finally:
        await writer.close()


@asynccontextmanager
async def alchemy_postgres(url: str) -> Any:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=10)

    async def write() -> None:
        async with engine.begin() as connection:
            for _ in range(INSERTS):
                await connection.execute(sa.insert(ROWS), next_row())

    try:
        yield write
    finally:
        await engine.dispose()


async def run(seconds: float, rounds: int) -> dict[tuple[str, int], Measured]:
    """All ways in turn, `rounds` times, so that a noisy minute hits all of them; medians by rate."""
    seen: dict[tuple[str, int], list[Measured]] = {}
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(running_server(durable=True))
        name = server.create_database()
        server.execute("CREATE TABLE bench_rows (id TEXT NOT NULL PRIMARY KEY, body TEXT)", name)
        url = server.url(name)
        for _ in range(rounds):
            ways = {
                "SQLite, store": lambda: store_sqlite(directory),
                "SQLite, SQLAlchemy async on aiosqlite": lambda: alchemy_sqlite(directory),
                "PostgreSQL, store, six statements": lambda: store_postgres(url, unit),
                "PostgreSQL, store, six rows put down at once": lambda: store_postgres(url, unit_in_one),
                "PostgreSQL, SQLAlchemy async on asyncpg": lambda: alchemy_postgres(url),
            }
            for way, opened in ways.items():
                async with opened() as write:
                    for callers in CALLERS:
                        seen.setdefault((way, callers), []).append(await measure(write, callers, seconds))
    return {key: sorted(values, key=lambda m: m.rate)[len(values) // 2] for key, values in seen.items()}


def report(results: dict[tuple[str, int], Measured], seconds: float, rounds: int) -> str:
    ways = list(dict.fromkeys(way for way, _ in results))
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {_machine()}; SQLite {sqlite3.sqlite_version}, PostgreSQL 18, "
        f"Python {platform.python_version()}, SQLAlchemy {sa.__version__}. A unit is {INSERTS} inserts of about "
        f"420 B with time-ordered ids; every unit is synced before it counts. Median of {rounds} alternating rounds of "
        f"{seconds:g} s. The cores are shared: read the ratios."
    )
    lines = [
        "# Store: write units per second",
        "",
        facts,
        "",
        "| | " + " | ".join(f"{callers} callers" for callers in CALLERS) + " | at 32: median, p99 | CPU a unit |",
        "|---|" + "---|" * (len(CALLERS) + 2),
    ]
    for way in ways:
        rates = " | ".join(f"{results[way, callers].rate:,.0f}" for callers in CALLERS)
        at = results[way, 32]
        lines.append(f"| {way} | {rates} | {at.median_ms:.1f} ms, {at.p99_ms:.1f} ms | {at.cpu_ms:.2f} ms |")
    ours = results["SQLite, store", 32].rate
    theirs = results["SQLite, SQLAlchemy async on aiosqlite", 32].rate
    verdict = "met" if ours >= BAR else "MISSED"
    lines += ["", f"SQLite at 32 callers: {ours / theirs:.0f} × SQLAlchemy; bar of {BAR:,} units/s {verdict}.", ""]
    lines += ["Command: `python -m benchmarks.store_write`", ""]
    return "\n".join(lines)


def _machine() -> str:
    return f"{os.cpu_count()} cores {platform.machine()}, {platform.system()} {platform.release()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "store_write.md")
    arguments = parser.parse_args()
    text = report(asyncio.run(run(arguments.seconds, arguments.rounds)), arguments.seconds, arguments.rounds)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
