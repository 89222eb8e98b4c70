"""A unit on the raw sqlite3 connection. Its awaitables complete at once: nothing here waits for an event loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeVar

from gateway.store.errors import StoreFailure, StoreUnavailable, UnitMisused
from gateway.store.sqlite_faults import translate
from gateway.store.statement import NO_PARAMS, Command, Compiled, Params, Query

R = TypeVar("R")


class SqliteUnit:
    """Implements `gateway.store.unit.Unit`. Used by one thread, inside one SAVEPOINT, and then closed."""

    __slots__ = ("_connection", "failure")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection
        self.failure: StoreFailure | StoreUnavailable | None = None

    def close(self) -> None:
        """End the unit; whoever kept it can do no harm with it."""
        self._connection = None

    def check(self) -> None:
        """After the function has returned.

        Raises:
            UnitMisused: it swallowed a failed statement; what it meant to write is not all there.
        """
        if self.failure is not None:
            raise UnitMisused("the unit swallowed a failed statement") from self.failure

    async def one(self, query: Query[R], params: Params = NO_PARAMS) -> R | None:
        rows = self._rows(query.sqlite, params, 2)
        if not rows:
            return None
        if len(rows) > 1:
            raise UnitMisused(f"more than one row: {query.sqlite.sql}")
        return query.row(*rows[0])

    async def all(self, query: Query[R], params: Params = NO_PARAMS) -> list[R]:
        row = query.row
        return [row(*values) for values in self._rows(query.sqlite, params, None)]

    async def each(self, query: Query[R], many: Sequence[Params]) -> list[R]:
        connection, row, compiled = self._usable(), query.row, query.sqlite
        found: list[R] = []
        try:
            for params in many:
                found += [row(*values) for values in connection.execute(compiled.sql, compiled.bind(params)).fetchall()]
        except sqlite3.Error as error:
            raise self._lost(error) from error
        return found

    async def run(self, command: Command, params: Params = NO_PARAMS) -> int:
        return self._run(command, params)

    async def put(self, command: Command, params: Params) -> None:
        self._run(command, params)

    async def run_many(self, command: Command, many: Sequence[Params]) -> None:
        connection = self._usable()
        bind = command.sqlite.bind
        values = [bind(params) for params in many]
        try:
            connection.executemany(command.sqlite.sql, values)
        except sqlite3.Error as error:
            raise self._lost(error) from error

    async def lock(self, number: int, *, shared: bool) -> None:
        """Nothing to do: the writer is alone."""
        self._usable()

    def _run(self, command: Command, params: Params) -> int:
        connection = self._usable()
        values = command.sqlite.bind(params)
        try:
            return connection.execute(command.sqlite.sql, values).rowcount
        except sqlite3.Error as error:
            raise self._lost(error) from error

    def _rows(self, compiled: Compiled, params: Params, most: int | None) -> list[tuple[Any, ...]]:
        connection = self._usable()
        values = compiled.bind(params)
        try:
            cursor = connection.execute(compiled.sql, values)
            rows = cursor.fetchall() if most is None else cursor.fetchmany(most)
            if most is not None and len(rows) == most:
                # Ends the statement: one that is left open holds its snapshot and the checkpoint with it.
                cursor.close()
        except sqlite3.Error as error:
            raise self._lost(error) from error
        return rows

    def _usable(self) -> sqlite3.Connection:
        if self._connection is None:
            raise UnitMisused("the unit has ended")
        if self.failure is not None:
            raise UnitMisused("the unit went on after a failed statement") from self.failure
        return self._connection

    def _lost(self, error: sqlite3.Error) -> StoreFailure | StoreUnavailable:
        self.failure = translate(error)
        return self.failure
