"""A PostgreSQL that stands still (its machine hangs, or a network drops all packets) keeps nobody waiting for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import text

from gateway.errors import StoreUnavailable
from gateway.store import postgres_writer, reader
from gateway.store.errors import CommitUnknown
from gateway.store.postgres_writer import PoolLimits
from gateway.store.reader import Reader, open_reader
from gateway.store.statement import Query
from gateway.store.store import open_store
from gateway.store.url import PostgresDatabase
from tests.migrated import migrate_in_a_thread
from tests.store.made import a_process
from tests.store.postgres import RunningServer, running_server

pytestmark = pytest.mark.postgres

LIMITS = PoolLimits(statement_s=2.0, wait_s=4.0)
"""Soon over, and longer than a busy machine takes for a statement of a server that moves."""
ONE: Query[int] = Query(text("SELECT 1"), int)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One of its own, which may stand still."""
    with running_server() as started:
        migrate_in_a_thread(started.url(started.create_database()))
        yield started


@contextmanager
def frozen(server: RunningServer) -> Iterator[None]:
    main = psutil.Process(server.process.pid)
    every = [main, *main.children(recursive=True)]
    for one in every:
        os.kill(one.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in every:
            os.kill(one.pid, signal.SIGCONT)


async def test_a_unit_ends_as_unavailable_and_the_store_can_be_closed(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "CLOSE_S", 1.0)
    store = await open_store(server.url("test_0"), pool_limits=LIMITS)
    await store.write(lambda unit: unit.insert_process(a_process(process_id="prc_before")))
    with frozen(server):
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises((StoreUnavailable, CommitUnknown)):
                await store.write(lambda unit: unit.insert_process(a_process(process_id="prc_meanwhile")))
            assert time.monotonic() - begun < 30
    await store.write(lambda unit: unit.insert_process(a_process(process_id="prc_after")))
    with frozen(server):
        waiting = asyncio.ensure_future(store.write(lambda unit: unit.process("prc_after")))
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await store.close()
            with pytest.raises((StoreUnavailable, CommitUnknown)):
                await waiting


async def test_a_read_ends_as_unavailable_and_the_next_one_reads(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "WAIT_S", 4.0)
    monkeypatch.setattr(reader, "CLOSE_S", 1.0)
    reads = open_reader(PostgresDatabase(server.url("test_0")), read_s=2.0)
    assert await reads.one(ONE) == 1
    with frozen(server):
        for read in (reads.one(ONE), _in_a_moment(reads)):
            async with asyncio.timeout(60):
                with pytest.raises(StoreUnavailable):
                    await read
    assert await reads.one(ONE) == 1
    assert await _in_a_moment(reads) == [1]
    with frozen(server):
        async with asyncio.timeout(60):
            await reads.close()


async def _in_a_moment(reads: Reader) -> list[int]:
    async with reads.moment() as moment:
        return await moment.all(ONE)
