"""Reads: beside the writer, on read-only connections of SQLAlchemy's async engines."""

from __future__ import annotations

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

from gateway.store.errors import StoreBusy, StoreFailure, StoreUnavailable
from gateway.store.postgres_faults import CONNECTION_LOST
from gateway.store.postgres_faults import translate as translate_postgres
from gateway.store.sqlite_faults import translate as translate_sqlite
from gateway.store.statement import NO_PARAMS, Named, Query
from gateway.store.url import Database, SqliteDatabase

R = TypeVar("R")

READ_S: Final = 10.0
"""Seconds that one read may take, so that no old snapshot keeps SQLite's log growing and no page is waited for that
its reader has left."""

CONNECTIONS: Final = 5
"""Reading connections at once; on SQLite each is a thread."""

WAIT_S: Final = 5.0
"""Seconds to wait for one of them."""

UNASKED_S: Final = 1.0
"""A connection that was used since is taken as it is; another is asked first whether it lives. To ask at each use
costs three round trips more than the read itself."""

_CHECK_EVERY: Final = 100_000
"""Steps of SQLite's virtual machine (some milliseconds) between two looks at the clock."""

PLANS: Final = {
    # Reads are of some rows by a key or of a bounded range; what takes part of a second to plan, compile or divide
    # among processes never pays.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
"""How PostgreSQL plans reads."""


ASYNCPG: Final = "postgresql+asyncpg://"
"""The dialect only: asyncpg itself reads the DSN, so that reads, writes and migrations understand the same ones."""


def open_engine(database: Database, read_s: float = READ_S) -> AsyncEngine:
    """The engine for reading; it connects at its first use. `read_s`: seconds that one read may take."""
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
        engine = create_async_engine(database.engine_url, **pool)
        _read_only(engine, read_s)
        return engine
    settings = {
        "application_name": "erp-gateway-reader",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{int(read_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{int(read_s * 1000)}",
        **PLANS,
    }
    connect = partial(asyncpg.connect, database.dsn, timeout=WAIT_S, server_settings=settings)
    engine = create_async_engine(ASYNCPG, async_creator=connect, **pool)
    _asked_when_idle(engine)
    return engine


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


def _read_only(engine: AsyncEngine, read_s: float) -> None:
    """SQLite's connections cannot write, and give up when a read takes too long."""

    def connected(connection: Any, record: Any) -> None:
        def over() -> bool:
            until: float = record.info["until"]
            return time.monotonic() > until

        taken(connection, record, None)
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")
        cursor.close()
        connection.run_async(lambda raw: raw.set_progress_handler(over, _CHECK_EVERY))

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        record.info["until"] = time.monotonic() + read_s

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "checkout", taken)


class Reader:
    """Runs queries. Every method sees one moment of the database; two calls may see two.

    `is_sqlite`: for the few statements that are planned well only if each database has its own.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

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
                if self.is_sqlite:
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
            async with self._engine.connect() as connection:
                if isolation is not None:
                    await connection.execution_options(isolation_level=isolation)
                yield connection
        except NoConnection as error:
            raise StoreBusy(f"no connection for reading within {WAIT_S} s") from error
        except DBAPIError as error:
            raise self._translated(error) from error
        except (asyncpg.PostgresError, *CONNECTION_LOST, TimeoutError) as error:
            raise StoreUnavailable(f"cannot connect: {error}") from error

    def _translated(self, error: DBAPIError) -> StoreFailure | StoreUnavailable:
        if error.connection_invalidated:
            return StoreUnavailable(str(error.orig))
        if self.is_sqlite:
            return translate_sqlite(error.orig)  # type: ignore[arg-type]
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
