"""SQLite's reading connections: threads of aiosqlite, read-only, each read within a limit, all gone at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from threading import Thread
from typing import Any, Final

import aiosqlite
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.store.url import SqliteDatabase

_CHECK_EVERY: Final = 100_000
"""Steps of SQLite's virtual machine (some milliseconds) between two looks at the clock."""


class SqliteReading:
    """Opens the connections, and knows their threads.

    Whoever is cancelled while a connection is opened or closed leaves a thread behind that has still something to say
    to the event loop. `ended` waits for those too: the loop must not go before them.
    """

    def __init__(self, database: SqliteDatabase, read_s: float) -> None:
        self._database = database
        self._read_s = read_s
        self._threads: set[Thread] = set()
        self._ending = False

    def engine(self, pool: Mapping[str, Any]) -> AsyncEngine:
        """The engine; its connections cannot write, and give up when a read takes too long."""
        engine = create_async_engine(self._database.engine_url, async_creator=self._connect, **pool)
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "checkout", self._taken)
        return engine

    def end(self) -> None:
        """Whatever is still being read ends as if its time were over."""
        self._ending = True

    async def ended(self, limit_s: float) -> None:
        """Wait until every thread has gone, at most so long."""
        until = time.monotonic() + limit_s
        for thread in self._threads:
            await asyncio.to_thread(thread.join, max(0.0, until - time.monotonic()))

    async def _connect(self) -> aiosqlite.Connection:
        connection = aiosqlite.connect(self._database.path, check_same_thread=False)
        # As SQLAlchemy does where it opens the connection itself: a read that stands still must not keep the process.
        thread = connection._thread  # noqa: SLF001
        thread.daemon = True
        self._threads = {other for other in self._threads if other.is_alive()} | {thread}
        return await connection

    def _connected(self, connection: Any, record: Any) -> None:
        def over() -> bool:
            until: float = record.info["until"]
            return self._ending or time.monotonic() > until

        self._taken(connection, record, None)
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")
        cursor.close()
        connection.run_async(lambda raw: raw.set_progress_handler(over, _CHECK_EVERY))

    def _taken(self, _connection: Any, record: Any, _proxy: Any) -> None:
        record.info["until"] = time.monotonic() + self._read_s
