"""A unit on an asyncpg connection. asyncpg keeps the statements prepared; the text is their key."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import asyncpg

from gateway.store.errors import StoreFailure, StoreUnavailable, UnitMisused
from gateway.store.postgres_faults import is_lost, translate
from gateway.store.postgres_puts import PIPELINED, ROWS, Puts, is_plain_insert
from gateway.store.statement import NO_PARAMS, Command, Params, Query

R = TypeVar("R")
T = TypeVar("T")


class PostgresUnit:
    """Implements `gateway.store.unit.Unit` inside one transaction of PostgreSQL, and is then closed."""

    __slots__ = ("_connection", "_puts", "failure", "sqlstate")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._puts = Puts()
        self.failure: StoreFailure | StoreUnavailable | None = None
        self.sqlstate = ""

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
        compiled = query.postgres
        values = compiled.bind(params)
        rows = await self._guarded((await self._ready()).fetch(compiled.sql, *values))
        if not rows:
            return None
        if len(rows) > 1:
            raise UnitMisused(f"more than one row: {compiled.sql}")
        return query.row(*rows[0])

    async def all(self, query: Query[R], params: Params = NO_PARAMS) -> list[R]:
        compiled, row = query.postgres, query.row
        values = compiled.bind(params)
        records = await self._guarded((await self._ready()).fetch(compiled.sql, *values))
        return [row(*record) for record in records]

    async def each(self, query: Query[R], many: Sequence[Params]) -> list[R]:
        if len(many) < 2:
            return await self.all(query, many[0]) if many else []
        compiled, row = query.postgres, query.row
        values = [compiled.bind(params) for params in many]
        records = await self._guarded((await self._ready()).fetchmany(compiled.sql, values))
        return [row(*record) for record in records]

    async def run(self, command: Command, params: Params = NO_PARAMS) -> int:
        compiled = command.postgres
        values = compiled.bind(params)
        status = await self._guarded((await self._ready()).execute(compiled.sql, *values))
        # The command tag ends with the count of rows: `INSERT 0 1`, `UPDATE 3`.
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def put(self, command: Command, params: Params) -> None:
        self._usable()
        if self._puts.count >= ROWS:
            await self.flush()
        self._puts.add(command, command.postgres.bind(params))

    async def run_many(self, command: Command, many: Sequence[Params]) -> None:
        if len(many) < PIPELINED and is_plain_insert(command):
            for params in many:
                await self.put(command, params)
        else:
            bind = command.postgres.bind
            values = [bind(params) for params in many]
            await self._guarded((await self._ready()).executemany(command.postgres.sql, values))

    async def flush(self) -> None:
        """Write what was put down."""
        if self._puts.count:
            connection = self._usable()
            sql, values = self._puts.take()
            await self._guarded(connection.execute(sql, *values))

    async def lock(self, number: int, *, shared: bool) -> None:
        # A statement of its own: one that waits for a lock and reads in one go reads as of before it waited.
        sql = "SELECT pg_advisory_xact_lock_shared($1)" if shared else "SELECT pg_advisory_xact_lock($1)"
        await self._guarded((await self._ready()).fetch(sql, number))

    async def _ready(self) -> Any:
        """The connection, after everything that was put down before has been written."""
        await self.flush()
        return self._usable()

    def _usable(self) -> Any:
        if self._connection is None:
            raise UnitMisused("the unit has ended")
        if self.failure is not None:
            raise UnitMisused("the unit went on after a failed statement") from self.failure
        return self._connection

    async def _guarded(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except Exception as error:
            # the driver's own call: what is neither the server's word nor the connection's end is a defect of ours
            if not isinstance(error, asyncpg.PostgresError) and not is_lost(error):
                raise
            self.sqlstate = getattr(error, "sqlstate", None) or ""
            self.failure = translate(error)
            raise self.failure from error
