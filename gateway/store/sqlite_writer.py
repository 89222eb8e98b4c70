"""The one writer of SQLite: a thread, a queue, and many units in one commit.

A commit costs one fsync whatever it holds, so the units that wait go together (measured: 130 units/s alone through
SQLAlchemy on aiosqlite, 7,600 like this). Each has its own SAVEPOINT: a failure undoes only itself. Nobody is
answered before the COMMIT returned.
"""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

import structlog

from gateway.store.errors import CommitUnknown, RecordUnsound, StoreBusy, StoreClosed, StoreUnavailable, UnitMisused
from gateway.store.record_guard import RecordGuard
from gateway.store.sqlite_callers import UnitFunction, Waiting, answer, fail, tell
from gateway.store.sqlite_connection import WalKeeper, open_writer
from gateway.store.sqlite_faults import translate
from gateway.store.sqlite_unit import SqliteUnit
from gateway.store.sqlite_watch import SqliteWatch

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of the queue and of one commit.

    Attributes:
        waiting: units in the queue; at about 5,000 units/s they are answered within a second. One more gets
            `StoreBusy`: a longer queue would only be answered after its callers gave up.
        units: units in one commit; beyond it the fsync is already spread thin, and what one failing disk takes
            down with it grows.
        seconds: time from BEGIN to COMMIT, so that the first caller of a batch does not pay for a stream of
            later ones.
        lock_wait_s: seconds to wait for another process that holds the write lock (a migration, the command line).
    """

    waiting: int = 4_096
    units: int = 256
    seconds: float = 0.020
    lock_wait_s: float = 5.0


DEFAULT_LIMITS: Final = BatchLimits()


@dataclass(eq=False, slots=True)
class _Stop:
    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Future[None]


class SqliteWriter:
    """Runs units one after another in its own thread, several in one commit."""

    def __init__(self, path: Path, limits: BatchLimits = DEFAULT_LIMITS, guard: RecordGuard | None = None) -> None:
        """Open the database and start the thread. `guard` is told what is wrong with the files.

        Raises:
            StoreUnavailable: the database cannot be opened.
        """
        self._path = path
        self._limits = limits
        self._queue: SimpleQueue[Waiting | _Stop] = SimpleQueue()
        self._wal = WalKeeper(path, limits.lock_wait_s)
        self._connection: sqlite3.Connection | None = open_writer(path, limits.lock_wait_s)
        self._watch = SqliteWatch(path, guard or RecordGuard())
        self._closing = False
        # A daemon, so that a program that dies without closing does not hang; the database needs no goodbye.
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, fn: UnitFunction[T]) -> T:
        """Run `fn(unit)` in a commit of its own or together with others; its value, once it is on disk.

        A caller that is cancelled while it waits does not learn the outcome: the unit runs or not.

        Raises:
            StoreUnavailable: nothing was written (its subclasses say why).
            CommitUnknown: the disk failed during COMMIT, or the file was taken away meanwhile.
            Exception: whatever `fn` raised; its unit was undone.
        """
        if self._closing:
            raise StoreClosed("the store is closed")
        if self._queue.qsize() >= self._limits.waiting:
            raise StoreBusy(f"{self._limits.waiting} units are waiting")
        loop = asyncio.get_running_loop()
        waiting = Waiting(fn, loop, loop.create_future(), contextvars.copy_context())
        self._queue.put(waiting)
        result: T = await waiting.future
        return result

    async def close(self) -> None:
        """Finish what waits, empty the log, end the thread. Calling it again does nothing."""
        if self._closing:
            return
        self._closing = True
        loop = asyncio.get_running_loop()
        stop = _Stop(loop, loop.create_future())
        self._queue.put(stop)
        await stop.stopped
        self._thread.join()

    def _work(self) -> None:
        stop: _Stop | None = None
        while stop is None:
            first = self._queue.get()
            stop = first if isinstance(first, _Stop) else self._run_batch(first)
        if self._connection is not None:
            self._wal.finish(self._connection)
            self._connection.close()
        tell(stop.loop, partial(stop.stopped.set_result, None))

    def _run_batch(self, first: Waiting) -> _Stop | None:
        """Run `first` and what waits behind it in one commit, and tell their callers; the stop sign if it came."""
        batch: list[Waiting] = []
        stop: _Stop | None = None
        try:
            connection = self._begin()
        except StoreUnavailable as failure:
            # Everybody who waits has waited as long as the first: none of them waits for the lock once more.
            stop = self._drain(batch, first)
            fail(batch, failure)
            answer(batch)
            return stop
        committed = False
        try:
            until = time.monotonic() + self._limits.seconds
            waiting: Waiting | _Stop | None = first
            while waiting is not None:
                if isinstance(waiting, _Stop):
                    stop = waiting
                    break
                batch.append(waiting)
                _run_unit(connection, waiting)
                full = len(batch) >= self._limits.units or time.monotonic() >= until
                waiting = None if full else self._next()
            _commit(connection)
            self._watch.after()
            committed = True
        except StoreUnavailable as failure:
            self._recover(connection)
            fail(batch, failure)
        except Exception as error:
            # A defect of this file must not end the thread: every later caller would wait for ever.
            _log.exception("writer_defect")
            self._recover(connection)
            fail(batch, StoreUnavailable(f"the writer failed: {error!r}"))
        answer(batch)
        if committed:
            self._wal.after_commit(connection)
        return stop

    def _next(self) -> Waiting | _Stop | None:
        try:
            return self._queue.get_nowait()
        except Empty:
            return None

    def _drain(self, batch: list[Waiting], first: Waiting) -> _Stop | None:
        waiting: Waiting | _Stop | None = first
        while isinstance(waiting, Waiting):
            batch.append(waiting)
            waiting = self._next()
        return waiting

    def _begin(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_writer(self._path, self._limits.lock_wait_s)
            self._watch.reopened()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._watch.before(self._connection)
        except RecordUnsound:
            self._recover(self._connection)
            raise
        except sqlite3.Error as error:
            failure = translate(error)
            self._recover(self._connection)
            if isinstance(failure, StoreUnavailable):
                raise failure from error
            raise StoreUnavailable(str(failure)) from error
        return self._connection

    def _recover(self, connection: sqlite3.Connection) -> None:
        """Leave no transaction open. A connection that cannot even roll back is replaced at the next batch."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            _log.warning("rollback_failed", error=str(error))
            self._connection = None
            connection.close()


def _run_unit(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Run one unit in its SAVEPOINT and note its value or its error.

    Raises:
        StoreUnavailable: the whole batch is lost, because the database failed or has rolled back by itself.
    """
    if waiting.future.cancelled():
        return
    unit = SqliteUnit(connection)
    try:
        connection.execute("SAVEPOINT unit")
        try:
            waiting.value = waiting.context.run(_drive, waiting.fn, unit)
            unit.check()
        except BaseException as error:
            # Whatever it is, it belongs to the caller, not to this thread.
            waiting.value, waiting.error = None, error
            if isinstance(unit.failure, StoreUnavailable):
                raise unit.failure from error
            if not connection.in_transaction:
                # SQLite rolls back by itself on some errors (a full disk): the units before are gone too.
                raise StoreUnavailable("the database rolled the batch back") from error
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"a savepoint failed: {translate(error)}") from error
    finally:
        unit.close()


def _drive(fn: UnitFunction[T], unit: SqliteUnit) -> T:
    """Run the coroutine to its end in this thread. Its unit's awaitables complete at once, so one step is all."""
    coroutine = fn(unit)
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    try:
        coroutine.close()
    except RuntimeError as error:
        raise UnitMisused("the unit awaited something else and refused to end") from error
    raise UnitMisused("a unit awaits nothing but its own statements; this one awaited something else")


def _commit(connection: sqlite3.Connection) -> None:
    """COMMIT.

    Raises:
        StoreUnavailable: it was refused before anything was written.
        CommitUnknown: the disk failed while it was written. SQLite rolls back in memory, and the next commit
            overwrites what may stand in the log; but a crash before that may bring it back.
    """
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        failure = translate(error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}:
            raise CommitUnknown(f"COMMIT failed: {failure}") from error
        raise StoreUnavailable(f"COMMIT failed: {failure}") from error
