"""What grows with a ledger's size, at the size of ten million entries without making them: minutes instead of an hour.

*Receipts*: a tree of that many leaves with all its tiles, and in the tables only the entries that are asked for.
*Without an end, as of then*: as many transactions as such a ledger has and more, of which only the spans are there.
Both as the API reads them, on SQLite and on PostgreSQL.
Run: `python -m benchmarks.ledger_deep [--entries 10000000] [--transactions 3000000] [--databases sqlite,postgres]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from pathlib import Path

from benchmarks.ledger_bulk import open_bulk
from benchmarks.ledger_history import KEY, ORIGIN
from benchmarks.ledger_plans import Question
from benchmarks.ledger_queries_report import BARS, PAGE
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.queries import Visible
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.hashing import perfect_root
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.stored_receipts import receipts_of
from gateway.ledger.tile_edge import TileEdge
from gateway.store import schema
from gateway.store.entry_index import SpanRecord
from gateway.store.log import LOG
from gateway.store.log_schema import log_checkpoints, log_entries, log_leader, log_tiles
from gateway.store.migrate import migrate
from gateway.store.schema_queries import indexed_transactions
from gateway.store.store import Store, open_store
from tests.store.postgres import running_server

TRACES, OF_A_TRACE = 500, 4
ASKED, ROUNDS = 200, 5
PART = 1 << 16
APART = 5
"""Entries from the beginning of a transaction to that of the next."""
_row = attrgetter(*schema.ledger_entries.columns.keys())


@dataclass(frozen=True, slots=True)
class Taken:
    """ms of one question over all rounds, p95 of each; our CPU."""

    name: str
    database: str
    bar: str
    least: float
    p50: float
    p95: Sequence[float]
    worst: float
    cpu: float
    load: float


def trace(number: int) -> str:
    """The id of a transaction."""
    return f"txn_{number:026d}"


async def make_tree(urls: Sequence[str], entries: int) -> None:
    """Leaves that nobody asks for are hashes of their numbers."""
    picked = sorted(random.Random(1).sample(range(entries // OF_A_TRACE), TRACES))
    asked = {first * OF_A_TRACE + by: (number, by + 1) for number, first in enumerate(picked) for by in range(4)}
    bulks, edge = [await open_bulk(url) for url in urls], TileEdge()
    for start in range(0, entries, PART):
        leaves, rows, places = [], [], []
        for place in range(start, min(entries, start + PART)):
            if place not in asked:
                leaves.append(sha256(place.to_bytes(8, "big")).digest())
                continue
            number, seq = asked[place]
            entry = ledger_entry(
                EntryKind.ROUTED, trace=trace(number), seq=seq, at=1_700_000_000_000_000 + place, actor="bench",
                members={"reason": "x" * 280},
            )  # fmt: skip
            leaves.append(entry.leaf_hash)
            rows.append(_row(entry))
            places.append((place, trace(number), seq))
        tiles = [(one.level, one.index, perfect_root(hashes), b"".join(hashes)) for one, hashes in edge.extend(leaves)]
        for bulk in bulks:
            for table, many in ((log_tiles, tiles), (schema.ledger_entries, rows), (log_entries, places)):
                await bulk.insert(table, many)
    tree = edge.frontier()
    note = bytes(sign_checkpoint(Checkpoint.of(ORIGIN, tree), [KEY]))
    for bulk in bulks:
        await bulk.insert(log_checkpoints, [(ORIGIN, entries, note, 1)])
        await bulk.insert(log_leader, [(LOG, 1, "prc", 0, bytes(tree))])
        await bulk.close()


def spans(count: int) -> Iterator[SpanRecord]:
    """Nine of ten end within 60 entries, 7 % within 10,000, 3 % within 3,000,000, one of a thousand never."""
    chance, end = random.Random(2), count * APART
    for number in range(count):
        first, luck = number * APART + chance.randrange(APART), chance.random()
        if luck < 0.03:
            length = int(10_000 * 300 ** chance.random())
        elif luck < 0.1:
            length = int(60 * 170 ** chance.random())
        else:
            length = chance.randrange(3, 60)
        ended = luck >= 0.001 and first + length < end
        yield SpanRecord(trace(number), first, first + length if ended else None)


async def make_spans(urls: Sequence[str], count: int) -> None:
    """Into both at once."""
    bulks, part = [await open_bulk(url) for url in urls], []
    for one in spans(count):
        part.append(astuple(one))
        if len(part) == PART or one.trace == trace(count - 1):
            for bulk in bulks:
                await bulk.insert(indexed_transactions, part)
            part = []
    for bulk in bulks:
        await bulk.finish()


def questions(store: Store, transactions: int) -> dict[str, tuple[str, list[Question]]]:
    """By name: the bar, and what is asked."""
    chance = random.Random(3)

    def receipt(name: str) -> Question:
        async def ask() -> int:
            return len(await receipts_of(store.log, ORIGIN, name, 1))

        return ask

    def under_way(size: int) -> Question:
        async def ask() -> int:
            return len(await store.ledger.under_way(size, Visible(), -1, PAGE))

        return ask

    numbers = chance.sample(range(TRACES), ASKED)
    return {
        "receipt: the inclusion proof of an entry": ("proof", [receipt(trace(number)) for number in numbers]),
        "without an end, as of then": (
            "page",
            [under_way(chance.randrange(PART, transactions * APART)) for _ in range(ASKED)],
        ),
    }


async def measure(database: str, url: str, transactions: int) -> list[Taken]:
    """Each question in some rounds."""
    store, found = await open_store(url), []
    try:
        for name, (bar, many) in questions(store, transactions).items():
            assert await many[0]()  # statements are prepared once per connection
            every, late, used = [], [], _cpu()
            for _ in range(ROUNDS):
                times = sorted([await _timed(ask) for ask in many])
                every += times
                late.append(times[int(len(times) * 0.95)])
            cpu = (_cpu() - used) / len(every) * 1_000
            every.sort()
            found.append(
                Taken(name, database, bar, every[0], every[len(every) // 2], late, every[-1], cpu,
                      os.getloadavg()[0])
            )  # fmt: skip
    finally:
        await store.close()
    return found


async def _timed(ask: Question) -> float:
    started = time.perf_counter()
    assert await ask()
    return (time.perf_counter() - started) * 1_000


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def report(taken: Sequence[Taken], entries: int, transactions: int) -> str:
    """The table."""
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}; SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL 18, Python {platform.python_version()}. A tree of {entries:,} leaves with all its tiles, of whose "
        f"entries {TRACES * OF_A_TRACE:,} are stored; {transactions:,} transactions {APART} entries apart, of which "
        "nine of ten ended within 60 entries, 7 % within 10,000, 3 % within 3,000,000 and one of a thousand never. "
        f"{ROUNDS} rounds of {ASKED}, in ms; p95 of the best and of the worst round. CPU is that of our process. The "
        "cores are shared with other work, whose part is between the least time and the others."
    )
    lines = [
        "# Receipts and what was under way, in a deep ledger",
        "",
        facts,
        "",
        "| question | database | load | CPU | least | p50 | p95 | worst | bar of p95 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in taken:
        bar = BARS[one.database][one.bar]
        met = sum(late <= bar for late in one.p95)
        verdict = "met" if met == ROUNDS else f"met in {met} of {ROUNDS} rounds" if met else "MISSED"
        lines.append(
            f"| {one.name} | {one.database} | {one.load:.1f} | {one.cpu:.1f} | {one.least:.1f} | {one.p50:.1f} | "
            f"{min(one.p95):.1f} to {max(one.p95):.1f} | {one.worst:.1f} | {bar:g}: {verdict} |"
        )
    return "\n".join([*lines, "", "Command: `python -m benchmarks.ledger_deep`", ""])


@contextmanager
def _urls(databases: Sequence[str]) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        urls = {}
        for database in databases:
            if database == "sqlite":
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
                urls[database] = f"sqlite:///{directory}/gateway.db"
            else:
                server = stack.enter_context(running_server(durable=True))
                urls[database] = server.url(server.create_database())
        yield urls


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--transactions", type=int, default=3_000_000)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "ledger_deep.md")
    arguments = parser.parse_args()
    taken = []
    with _urls(arguments.databases.split(",")) as urls:
        for url in urls.values():
            asyncio.run(migrate(url))
        asyncio.run(make_tree(list(urls.values()), arguments.entries))
        asyncio.run(make_spans(list(urls.values()), arguments.transactions))
        for database, url in urls.items():
            taken += asyncio.run(measure(database, url, arguments.transactions))
    text = report(taken, arguments.entries, arguments.transactions)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
