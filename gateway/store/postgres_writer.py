"""Write transactions on PostgreSQL: one per unit, on a pool of asyncpg connections, run again after a conflict.

Isolation is READ COMMITTED. What a unit decides by, it locks (SELECT ... FOR UPDATE, an advisory lock) or guards
(a unique constraint, `WHERE epoch = :mine`): SERIALIZABLE would abort units that only touch the same index page.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg

from gateway.store.errors import CommitUnknown, RecordUnsound, StoreBusy, StoreClosed, StoreUnavailable, UnitMisused
from gateway.store.postgres_faults import (
    CONNECTION_LOST,
    DEADLOCK,
    SERIALIZATION_FAILURE,
    UNIQUE_VIOLATION,
    is_lost,
    stands_still,
    translate,
)
from gateway.store.postgres_unit import PostgresUnit
from gateway.store.record_guard import HIGHEST, RecordGuard

T = TypeVar("T")
UnitFunction = Callable[[PostgresUnit], Coroutine[Any, Any, T]]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Limits of the connections and of one unit.

    Attributes:
        connections: open at once; a few per core of the server is what its commits can use.
        waiting: callers that wait for a connection; one more gets `StoreBusy`.
        wait_s: seconds that a caller waits for a connection, and for the server to accept one.
        statement_s: seconds that one statement may take.
        lock_s: seconds that one statement may wait for a lock.
        idle_s: seconds that a transaction may stand still before the server ends it (a frozen process).
        conflict_runs: runs of a unit that meets serialization failures or deadlocks.
        unique_runs: runs of a unit that meets a unique violation; the second run sees the winner's row, so more
            than a few mean that the unit does not look.
    """

    connections: int = 10
    waiting: int = 4_096
    wait_s: float = 5.0
    statement_s: float = 10.0
    lock_s: float = 5.0
    idle_s: float = 10.0
    conflict_runs: int = 10
    unique_runs: int = 3


DEFAULT_LIMITS: Final = PoolLimits()

BEYOND_S: Final = 1.0
"""Seconds beyond the server's own limit after which it is taken to stand still: then it applies no limit itself."""
CLOSE_S: Final = 5.0
"""Seconds for units that are under way when the store is closed, and for the connections to end."""
_BACKOFF_S: Final = 0.002
"""Seconds of the first pause after a conflict; doubled each time, and spread at random over its whole length."""

_STATEMENTS: Final = 512
"""Prepared statements per connection; more than the store has."""


async def _keep(_connection: object) -> None:
    """In place of asyncpg's reset between two uses, which costs a round trip: a unit leaves nothing behind, since
    it sets nothing and every way out of it ends its transaction or its connection."""


async def open_writer(
    dsn: str, limits: PoolLimits = DEFAULT_LIMITS, guard: RecordGuard | None = None
) -> PostgresWriter:
    """Connect. `guard`: whether the database is still the one that was written is looked at on each new connection. A
    server whose files were put back was started anew, so all its connections are new.

    Raises:
        StoreUnavailable: the server does not answer or refuses.
    """
    settings = {
        "application_name": "erp-gateway-writer",
        "synchronous_commit": "on",
        "default_transaction_isolation": "read committed",
        "statement_timeout": f"{int(limits.statement_s * 1000)}",
        "lock_timeout": f"{int(limits.lock_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{int(limits.idle_s * 1000)}",
        "timezone": "UTC",
    }
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=limits.connections,
            timeout=limits.wait_s,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings=settings,
            reset=_keep,
            command_timeout=limits.statement_s + BEYOND_S,
            init=None if guard is None else partial(_compare, guard),
        )
    except (asyncpg.PostgresError, *CONNECTION_LOST, TimeoutError) as error:
        raise StoreUnavailable(f"cannot connect: {error}") from error
    return PostgresWriter(pool, limits)


async def _compare(guard: RecordGuard, connection: Any) -> None:
    """Look, on a new connection, whether the log is at least what was seen. Raises RecordUnsound."""
    before = guard.entries
    guard.compare(await connection.fetchval(HIGHEST.postgres.sql), before)


class PostgresWriter:
    """Runs every unit in a transaction of its own."""

    def __init__(self, pool: Any, limits: PoolLimits) -> None:
        self._pool = pool
        self._limits = limits
        self._waiting = 0
        self._writing = 0
        self._nobody_writes = asyncio.Event()
        self._nobody_writes.set()
        self._closing = False

    async def write(self, fn: UnitFunction[T]) -> T:
        """Run `fn(unit)` in a transaction, again after a conflict; its value, once it is on disk.

        Raises:
            StoreUnavailable: nothing was written (its subclasses say why).
            CommitUnknown: the connection ended during COMMIT.
            UniqueViolated: still, after the last run.
            Exception: whatever `fn` raised; its unit was undone.
        """
        if self._closing:
            raise StoreClosed("the store is closed")
        self._writing += 1
        self._nobody_writes.clear()
        try:
            return await self._run_until_done(fn)
        finally:
            self._writing -= 1
            if self._writing == 0:
                self._nobody_writes.set()

    async def _run_until_done(self, fn: UnitFunction[T]) -> T:
        conflicts = collisions = 0
        while True:
            connection = await self._acquire()
            unit = PostgresUnit(connection)
            try:
                return await self._run(connection, unit, fn)
            except Exception:
                if unit.sqlstate in {SERIALIZATION_FAILURE, DEADLOCK}:
                    conflicts += 1
                elif unit.sqlstate == UNIQUE_VIOLATION:
                    collisions += 1
                else:
                    raise
                if conflicts >= self._limits.conflict_runs or collisions >= self._limits.unique_runs:
                    raise
            finally:
                unit.close()
                await self._release(connection)
            if conflicts:
                # Two units that met once would meet again if they went on at the same moment.
                await asyncio.sleep(random.random() * _BACKOFF_S * 2**conflicts)  # noqa: S311 (no secret)

    async def close(self) -> None:
        """Finish the units that wait, then close the connections. Calling it again does nothing."""
        if self._closing:
            return
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._nobody_writes.wait()
                await self._pool.close()
        except TimeoutError:
            # a server that stands still answers no farewell
            self._pool.terminate()

    async def _acquire(self) -> Any:
        if self._waiting >= self._limits.waiting:
            raise StoreBusy(f"{self._waiting} units are waiting")
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=self._limits.wait_s)
        except RecordUnsound:
            raise
        except TimeoutError as error:
            raise StoreBusy(f"no connection within {self._limits.wait_s} s") from error
        except Exception as error:
            if not isinstance(error, asyncpg.PostgresError) and not is_lost(error):
                raise  # a defect of ours
            raise StoreUnavailable(f"cannot connect: {error}") from error
        finally:
            self._waiting -= 1

    async def _release(self, connection: Any) -> None:
        """Give it back. The unit has ended; a connection that cannot be given back is ended by the pool."""
        try:
            await self._pool.release(connection)
        except Exception as error:
            if not is_lost(error):
                raise  # a defect of ours

    async def _run(self, connection: Any, unit: PostgresUnit, fn: UnitFunction[T]) -> T:
        """One run in one transaction. Every way out of it leaves the connection without one, or ended."""
        try:
            await _control(connection, unit, "BEGIN")
            try:
                value = await fn(unit)
                unit.check()
                await unit.flush()
            except Exception as error:
                if not stands_still(error):
                    await _roll_back(connection)
                raise
            await _commit(connection, unit)
        except BaseException as error:
            if stands_still(error) and not _has_ended(connection):
                # whatever is asked next would wait, without a limit, for the answer that did not come
                connection.terminate()
            elif not _has_ended(connection) and connection.is_in_transaction():
                # Cancelled half-way, or the rollback failed: the server undoes what a lost connection began.
                connection.terminate()
            raise
        return value


def _has_ended(connection: Any) -> bool:
    """Whether the connection is gone. The pool takes a lost one back by itself, and then refuses every question."""
    try:
        ended: bool = connection.is_closed()
    except asyncpg.InterfaceError:
        return True
    return ended


async def _control(connection: Any, unit: PostgresUnit, sql: str) -> None:
    try:
        await connection.execute(sql)
    except Exception as error:
        if not isinstance(error, asyncpg.PostgresError) and not is_lost(error):
            raise  # a defect of ours
        unit.sqlstate = getattr(error, "sqlstate", None) or ""
        raise translate(error) from error


async def _roll_back(connection: Any) -> None:
    if _has_ended(connection):
        return
    try:
        await connection.execute("ROLLBACK")
    except Exception as error:
        if not isinstance(error, asyncpg.PostgresError) and not is_lost(error):
            raise  # a defect of ours
        if not _has_ended(connection):
            connection.terminate()


async def _commit(connection: Any, unit: PostgresUnit) -> None:
    """COMMIT; a deferred constraint or a conflict is a plain refusal, a lost connection leaves the outcome open."""
    try:
        tag = await connection.execute("COMMIT")
    except asyncpg.PostgresError as error:
        if isinstance(error, CONNECTION_LOST) or error.sqlstate[:2] in {"08", "57"}:
            raise CommitUnknown(f"the connection ended during COMMIT: {error}") from error
        unit.sqlstate = error.sqlstate
        raise translate(error) from error
    except Exception as error:
        if not is_lost(error):
            raise  # a defect of ours
        raise CommitUnknown(f"the connection ended during COMMIT: {error}") from error
    if tag != "COMMIT":
        # The server answers ROLLBACK to the COMMIT of a transaction that has failed.
        raise UnitMisused(f"the transaction had failed: {tag}")
