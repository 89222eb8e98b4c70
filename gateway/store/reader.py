"""Reads: beside the writer, on read-only connections of SQLAlchemy's async engines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Executable, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.cancellation import cancellable
from gateway.store.errors import RecordUnsound, StoreBusy, StoreFailure, StoreUnavailable
from gateway.store.postgres_faults import CONNECTION_LOST, is_lost
from gateway.store.postgres_faults import translate as translate_postgres
from gateway.store.record_guard import RecordGuard
from gateway.store.sqlite_faults import translate as translate_sqlite
from gateway.store.sqlite_reading import SqliteReading
from gateway.store.statement import NO_PARAMS, Named, Query
from gateway.store.url import Database, SqliteDatabase

R = TypeVar("R")

READ_S: Final = 10.0
"""Seconds that one read may take, so that no old snapshot keeps SQLite's log growing and no page is waited for that
its reader has left."""

CONNECTIONS: Final = 5
"""Reading connections at once; on SQLite each is a thread."""

BEYOND_S: Final = 1.0
"""Seconds beyond that after which the server is taken to stand still."""

CLOSE_S: Final = 5.0
"""Seconds for the connections to end."""

WAIT_S: Final = 5.0
"""Seconds to wait for one of them."""

UNASKED_S: Final = 1.0
"""A connection that was used since is taken as it is; another is asked first whether it lives. To ask at each use
costs three round trips more than the read itself."""

PLANS: Final = {
    # Reads are of some rows by a key or of a bounded range; what takes part of a second to plan, compile or divide
    # among processes never pays.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
"""How PostgreSQL plans reads."""


ASYNCPG: Final = "postgresql+asyncpg://"
"""The dialect only: asyncpg itself reads the DSN, so that reads, writes and migrations understand the same ones."""


def open_reader(database: Database, read_s: float = READ_S, guard: RecordGuard | None = None) -> Reader:
    """A reader of that database; it connects at its first use. `read_s`: seconds that one read may take; `guard` is
    told of a file that is damaged."""
    pool: Mapping[str, Any] = {
        "pool_size": CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": WAIT_S,
        # the one that was used last knows the statements
        "pool_use_lifo": True,
        # set once, not for each read; a moment asks for its own
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
    }
    if isinstance(database, SqliteDatabase):
        reading = SqliteReading(database, read_s)
        return Reader(reading.engine(pool), reading, guard)
    settings = {
        "application_name": "erp-gateway-reader",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{int(read_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{int(read_s * 1000)}",
        **PLANS,
    }
    connect = partial(
        asyncpg.connect,
        database.dsn,
        timeout=WAIT_S,
        # of its own: a server that stands still applies none
        command_timeout=read_s + BEYOND_S,
        server_settings=settings,
    )
    engine = create_async_engine(ASYNCPG, async_creator=connect, **pool)
    _asked_when_idle(engine)
    return Reader(engine)


def _asked_when_idle(engine: AsyncEngine) -> None:
    """A connection that lay idle is asked whether it lives; the pool replaces one that does not."""

    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", inf) > UNASKED_S:
            try:
                connection.ping()
            except (engine.dialect.loaded_dbapi.Error, *CONNECTION_LOST) as error:
                raise DisconnectionError("it does not answer") from error

    def given_back(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    event.listen(engine.sync_engine, "checkout", taken)
    event.listen(engine.sync_engine, "checkin", given_back)


class Reader:
    """Runs queries. Every method sees one moment of the database; two calls may see two.

    `is_sqlite`: for the few statements that are planned well only if each database has its own.
    """

    def __init__(
        self, engine: AsyncEngine, sqlite: SqliteReading | None = None, guard: RecordGuard | None = None
    ) -> None:
        self.engine = engine
        self._guard = guard
        self._sqlite = sqlite
        self.is_sqlite = sqlite is not None

    async def close(self) -> None:
        """Close the connections. A server that stands still answers no farewell: it is not waited for."""
        if self._sqlite is not None:
            self._sqlite.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.engine.dispose()
        if self._sqlite is not None:
            await self._sqlite.ended(CLOSE_S)

    async def one(self, query: Query[R], params: Named = NO_PARAMS) -> R | None:
        """The first row, or None.

        Raises:
            StoreUnavailable: the database does not answer, or not in time.
        """
        rows = await self.all(query, params)
        return rows[0] if rows else None

    async def all(self, query: Query[R], params: Named = NO_PARAMS) -> list[R]:
        """All rows.

        Raises:
            StoreUnavailable: the database does not answer, or not in time.
        """
        return await self.find(query, query.core, params)

    async def find(self, like: Query[R], core: Executable, params: Named = NO_PARAMS) -> list[R]:
        """The rows of a statement that was put together for this call; its columns are those of `like`."""
        async with self._connected() as connection:
            return await _rows(connection, like, core, params)

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Moment]:
        """Several queries that see the same moment."""
        async with self._connected(None if self.is_sqlite else "REPEATABLE READ") as connection:
            if self.is_sqlite:
                # Left to itself, Python's driver opens no transaction for a SELECT.
                await connection.exec_driver_sql("BEGIN")
            try:
                yield Moment(connection)
            finally:
                # One that was cancelled, or lost, has no transaction any more; to ask would hide why it ended.
                if self.is_sqlite and not connection.invalidated:
                    await connection.exec_driver_sql("ROLLBACK")

    async def is_alive(self) -> bool:
        """Whether the database answers a query."""
        try:
            async with self._connected() as connection:
                await connection.execute(text("SELECT 1"))
        except StoreUnavailable:
            return False
        return True

    @asynccontextmanager
    async def _connected(self, isolation: str | None = None) -> AsyncIterator[AsyncConnection]:
        try:
            with cancellable():
                async with self.engine.connect() as connection:
                    if isolation is not None:
                        await connection.execution_options(isolation_level=isolation)
                    try:
                        yield connection
                    except TimeoutError:
                        # whatever is asked next would wait for the answer that did not come
                        await connection.invalidate()
                        raise
        except NoConnection as error:
            raise StoreBusy(f"no connection for reading within {WAIT_S} s") from error
        except DBAPIError as error:
            raise self._translated(error) from error
        except (asyncpg.PostgresError, TimeoutError) as error:
            raise StoreUnavailable(f"cannot connect: {error}") from error
        except Exception as error:
            if not is_lost(error):
                raise  # not the driver's
            raise StoreUnavailable(f"the connection ended: {type(error).__name__}: {error}") from error

    def _translated(self, error: DBAPIError) -> StoreFailure | StoreUnavailable:
        if error.connection_invalidated:
            return StoreUnavailable(str(error.orig))
        if self.is_sqlite:
            failure = translate_sqlite(error.orig)  # type: ignore[arg-type]
            if self._guard is not None and isinstance(failure, RecordUnsound):
                self._guard.end(str(failure))
            return failure
        return translate_postgres(error.orig)  # type: ignore[arg-type]


class Moment:
    """The database as it was at one moment."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self, query: Query[R], params: Named = NO_PARAMS) -> list[R]:
        """All rows."""
        return await _rows(self._connection, query, query.core, params)

    async def find(self, like: Query[R], core: Executable, params: Named = NO_PARAMS) -> list[R]:
        """The rows of a statement that was put together for this call; its columns are those of `like`."""
        return await _rows(self._connection, like, core, params)


async def _rows(connection: AsyncConnection, like: Query[R], core: Executable, params: Named) -> list[R]:
    result = await connection.execute(core, params)
    row = like.row
    return [row(*columns) for columns in result]
