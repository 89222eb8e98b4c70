"""How many documents a second one process takes in from a batch: read, checked, accepted and on disk (SQLite, FULL).

The same lines are taken in three ways: read and checked only, accepted by the line (`accept_many`), and as a whole
batch with a result for each line. Nothing is sent to an ERP. Bar of docs/adr/0023: 10,000 documents/s.
Run: `python -m benchmarks.batches [--lines 20000] [--rounds 3]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.api.limits import Limits
from gateway.domain.lanes import IN_BULK
from gateway.intake.lines import DocumentReader
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.intake.batches import body, line, send
from tests.line.rig import SALESFORCE, Rig, order

BAR = 10_000
AT_ONCE = 500


@dataclass(frozen=True)
class Taken:
    """Documents a second, and processor time of one, in µs."""

    rate: float
    cpu_us: float


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
            wall, cpu = time.perf_counter(), time.process_time()
            await way(rig, lines)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        finally:
            await store.close()
    return Taken(len(lines) / wall, cpu / len(lines) * 1e6)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    lines = [line("orders", order(str(100_000 + number))) for number in range(asked.lines)]
    size = sum(map(len, lines)) // len(lines)
    taken: dict[str, list[Taken]] = {name: [] for name in WAYS}
    for _ in range(asked.rounds):
        for name, way in WAYS.items():
            taken[name].append(asyncio.run(_measured(way, lines)))
    load = os.getloadavg()[0]
    print(f"{asked.lines} orders of {size} bytes, medians of {asked.rounds} rounds; {os.cpu_count()} processors, of")
    print(f"which others wanted many: load average {load:.1f} at the end; the bar is {BAR} documents/s\n")
    print("| way | documents/s | processor time of one, µs | documents/s of one processor |\n|---|---|---|---|")
    for name, found in taken.items():
        cpu = statistics.median(one.cpu_us for one in found)
        print(f"| {name} | {statistics.median(one.rate for one in found):,.0f} | {cpu:.0f} | {1e6 / cpu:,.0f} |")


if __name__ == "__main__":
    main()
