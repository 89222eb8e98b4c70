"""SQLite's reading connections are threads. None outlives its reader: it would speak to a loop that has gone."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.store.reader import Reader, open_reader
from gateway.store.statement import Query
from gateway.store.url import SqliteDatabase

ONE = Query(text("SELECT 1"), int)
ENDLESS = Query(
    text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT max(i) FROM n"), int
)


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    """Closed by the test; what is left then is a thread that the reader did not wait for."""
    before = set(threading.enumerate())
    yield open_reader(SqliteDatabase(tmp_path / "gateway.db"), read_s=60.0)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if "_connection_worker_thread" in name}


async def test_one_that_was_cancelled_while_it_connected(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, begun, go_on = sqlite3.connect, threading.Event(), threading.Event()

    def slow(path: Path, **options: bool) -> sqlite3.Connection:
        begun.set()
        go_on.wait(10.0)
        return connect(path, **options)

    monkeypatch.setattr(sqlite3, "connect", slow)
    task = asyncio.ensure_future(reader.all(ONE))
    await asyncio.to_thread(begun.wait, 10.0)
    task.cancel()
    await asyncio.wait({task}, timeout=10.0)
    assert task.cancelled()
    asyncio.get_running_loop().call_later(0.2, go_on.set)
    await reader.close()


@pytest.mark.parametrize("cancelled", [1, 2], ids=["once", "again while it is given up"])
async def test_one_that_reads(reader: Reader, cancelled: int) -> None:
    begun = time.monotonic()
    task = asyncio.ensure_future(reader.all(ENDLESS))
    for _ in range(cancelled):
        await asyncio.wait({task}, timeout=0.2)
        assert not task.done()
        task.cancel()
    await asyncio.sleep(0)
    await reader.close()
    await asyncio.wait({task}, timeout=10.0)
    assert task.cancelled()
    assert time.monotonic() - begun < 30.0, "what is still being read ends with its reader, not with its own limit"
