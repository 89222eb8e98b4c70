"""Empty databases that become a record of `benchmarks.ledger_history`, made by several processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.ledger_bulk import open_bulk
from benchmarks.ledger_history import CHAPTER, KEY, MOST, ORIGIN, START, STEP_US, Chapter
from gateway.domain.months import Month
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.frontier import Frontier
from gateway.ledger.log_keys import sign_checkpoint
from gateway.store.entry_index import ALL, OF_RULE
from gateway.store.log import LOG
from gateway.store.log_schema import log_checkpoints, log_leader
from gateway.store.migrate import migrate
from gateway.store.partitions import month_made
from gateway.store.schema_queries import indexed_until
from tests.store.postgres import running_server

LEFT = 50_000
"""Entries that are left to the gateway's own program, so that its rate is measured on a record of this size."""
WORKERS = 4
WHILE_WRITING = ("max_wal_size = '16GB'", "autovacuum = off")
"""Settings of a server that has nothing to do but to take a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """How many entries it has, the time of its last, and what can be asked for."""

    size: int
    at: int
    sample: Sequence[dict[str, Any]]


@asynccontextmanager
async def records(databases: Sequence[str], entries: int) -> AsyncIterator[tuple[dict[str, str], Record]]:
    """The same record in each of these databases; their URLs."""
    with ExitStack() as stack:
        urls = {}
        for database in databases:
            if database == "sqlite":
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
                urls[database] = f"sqlite:///{directory}/gateway.db"
            else:
                server = stack.enter_context(running_server(durable=True))
                for setting in WHILE_WRITING:
                    server.execute(f"ALTER SYSTEM SET {setting}")
                server.execute("SELECT pg_reload_conf()")
                urls[database] = server.url(server.create_database())
            await migrate(urls[database])
            if database == "postgres":
                for statement in _months(entries):
                    server.execute(statement, urls[database].partition("?")[0].rpartition("/")[2])
        record = await make_record(list(urls.values()), entries, entries - min(LEFT, entries // 2))
        if "postgres" in urls:
            server.execute("ALTER SYSTEM RESET ALL")
            server.execute("SELECT pg_reload_conf()")
        yield urls, record


def _months(entries: int) -> Iterator[str]:
    """Statements that make the months of the record, as the gateway's operators do while it grows."""
    month, end = Month.at(START), START + entries * STEP_US + 86_400_000_000
    while month.first_at < end:
        yield from month_made(month)
        month = month.following


async def make_record(urls: Sequence[str], entries: int, indexed: int, chapter: int = CHAPTER) -> Record:
    """In empty databases. `indexed`: of so many entries the index too. `chapter`: a power of two, 1,024 at least."""
    assert entries <= MOST
    started = time.perf_counter()
    parts = [(urls, first, min(first + chapter, entries), entries, indexed) for first in range(0, entries, chapter)]
    # A session of its own for each, as the server's processes have: some kernels share the cores by session.
    with ProcessPoolExecutor(min(WORKERS, len(parts)), get_context("spawn"), os.setsid) as pool:
        made = []
        for one in pool.map(_make, parts):
            made.append(one)
            _say(f"{len(made)} of {len(parts)} chapters, {time.perf_counter() - started:.0f} s")
    # A whole chapter has one peak; as leaves these make the peaks of all of them.
    whole = Frontier().appended(peaks[0] for peaks, *_ in made[: entries // chapter])
    rest = made[-1][0] if entries % chapter else ()
    tree = Frontier(entries, (*whole.peaks, *rest))
    signed = sign_checkpoint(Checkpoint.of(ORIGIN, tree), [KEY])
    at = max(one[1] for one in made)
    for url in urls:
        bulk = await open_bulk(url)
        await bulk.insert(log_checkpoints, [(ORIGIN, entries, bytes(signed), at)])
        await bulk.insert(log_leader, [(LOG, 1, "prc", 0, bytes(tree))])
        await bulk.insert(indexed_until, [(LOG, indexed), (OF_RULE, ALL)])
        await bulk.finish()
    _say(f"looked after, {time.perf_counter() - started:.0f} s")
    return Record(entries, at, [one for _, _, sample in made for one in sample])


def _make(part: tuple[Sequence[str], int, int, int, int]) -> tuple[tuple[bytes, ...], int, list[dict[str, Any]]]:
    """The peaks of a chapter, the time of its last entry, and what can be asked for."""
    urls, first, end, entries, indexed = part
    chapter = Chapter(end, entries, indexed, first)

    async def make() -> None:
        bulks = [await open_bulk(url) for url in urls]
        await chapter.make(bulks)
        for bulk in bulks:
            await bulk.close()

    asyncio.run(make())
    return chapter.edge.frontier().peaks, chapter.at, chapter.sample


def read_through(url: str) -> None:
    """So that the file is in the machine's memory as far as it fits, as that of a server is that runs for long."""
    if url.startswith("sqlite:"):
        with Path(url.removeprefix("sqlite:///")).open("rb") as file, Path("/dev/null").open("wb") as nowhere:
            shutil.copyfileobj(file, nowhere, 1 << 24)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
