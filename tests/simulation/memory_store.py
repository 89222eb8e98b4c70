"""The store's own statements on a database in memory, without threads: each unit is one step of the loop.

It is the real schema and the real SQL on SQLite; what is left out is the disk, the writer's thread and SQLAlchemy's
engines. It passes the store's suite.
"""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Executable
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from gateway.store.errors import StoreClosed
from gateway.store.migrate import migrate
from gateway.store.reader import Moment, Reader
from gateway.store.sqlite_faults import translate
from gateway.store.sqlite_unit import SqliteUnit
from gateway.store.sqlite_writer import _drive
from gateway.store.statement import NO_PARAMS, Named, Query
from gateway.store.store import Store
from gateway.store.unit import Unit

R = TypeVar("R")
T = TypeVar("T")

_DIALECT: Final = sqlite_dialect(paramstyle="qmark")
_template: list[bytes] = []
_compiled: Final[dict[Any, Any]] = {}
"""Statements that were composed, by their form."""


def _migrated() -> bytes:
    """A migrated database as bytes; made once. Migrating takes threads, so it is done on a loop of its own."""
    if not _template:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "template.db"
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, migrate(f"sqlite:///{path}")).result()
            memory = sqlite3.connect(":memory:")
            with closing(sqlite3.connect(path)) as file:
                file.backup(memory)
            copy = bytearray(memory.serialize())
            memory.close()
            # the file format's version numbers: 2 is WAL, which memory does not have (sqlite.org/fileformat2.html)
            copy[18:20] = b"\x01\x01"
            _template.append(bytes(copy))
    return _template[0]


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.deserialize(_migrated())
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


class MemoryWriter:
    """One unit after the other, each whole or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection

    async def write(self, fn: Callable[[Unit], Awaitable[T]]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreClosed("the store is closed")
        unit = SqliteUnit(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            value: T = contextvars.copy_context().run(_drive, fn, unit)  # type: ignore[arg-type]
            unit.check()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            unit.close()
        return value

    async def close(self) -> None:
        self._connection = None


class MemoryReader(Reader):
    """Reads between two units, so every read is one moment; several in one moment read a copy."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def close(self) -> None:
        return None

    async def is_alive(self) -> bool:
        return True

    async def all(self, query: Query[R], params: Named = NO_PARAMS) -> list[R]:
        return self._rows(query, query.sqlite.sql, query.sqlite.bind(params))

    async def find(self, like: Query[R], core: Executable, params: Named = NO_PARAMS) -> list[R]:
        # as an engine does it: a statement of a known form is compiled once
        known: tuple[Any, ...] = core._compile_w_cache(_DIALECT, compiled_cache=_compiled, column_keys=[])  # type: ignore[attr-defined]
        compiled, extracted = known[:2]
        values = compiled.construct_params(extracted_parameters=extracted) | params
        state = compiled.construct_expanded_state(values)
        return self._rows(like, state.statement, state.positional_parameters)

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Moment]:
        copy = sqlite3.connect(":memory:", isolation_level=None)
        copy.deserialize(self._connection.serialize())
        try:
            yield MemoryReader(copy)  # type: ignore[misc]  # it has the methods of a Moment
        finally:
            copy.close()

    def _rows(self, like: Query[R], sql: str, values: tuple[Any, ...]) -> list[R]:
        try:
            found = self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error
        return [like.row(*columns) for columns in found]


def _on_clock(connection: sqlite3.Connection, now: Callable[[], int]) -> None:
    """Have the database tell that time: `gateway.store.database_time` asks SQLite's strftime for it."""

    def strftime(pattern: str, _instant: str) -> str:
        seconds, micros = divmod(now(), 1_000_000)
        return str(seconds) if pattern == "%s" else f"{seconds % 60:02d}.{micros // 1_000:03d}"

    connection.create_function("strftime", 2, strftime)


def memory_store(now: Callable[[], int] | None = None) -> Store:
    """An empty store at the newest schema. `now`: the database's clock in µs; the machine's unless given."""
    connection = _connect()
    if now is not None:
        _on_clock(connection, now)
    return Store(MemoryWriter(connection), MemoryReader(connection))  # type: ignore[arg-type]
