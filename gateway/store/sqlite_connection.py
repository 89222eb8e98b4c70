"""The writer's own connection to SQLite, and the size of its write-ahead log.

Sources: https://sqlite.org/wal.html, https://sqlite.org/pragma.html. Python's own transaction handling is off
(`isolation_level=None`): with it a SAVEPOINT that is opened first commits on its RELEASE.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog

from gateway.store.errors import StoreUnavailable
from gateway.store.sqlite_copying import LogCopying
from gateway.store.sqlite_faults import translate

OLDEST_SQLITE: Final = (3, 37)
"""STRICT tables; RETURNING and UPDATE ... FROM are older."""

CACHED_STATEMENTS: Final = 512
"""Prepared statements kept; more than the store has, so that none is prepared twice."""

CACHE_KIB: Final = 8 * 1024
"""KiB of page cache of the writer, which fills within minutes and stays. What it does not hold lies in the operating
system's cache: with 2 to 32 MiB a unit takes the same (measured; `tests/faults/report.md`, "The soak")."""

WAL_TARGET_BYTES: Final = 16 * 1024 * 1024
"""A checkpoint is due when about this much was written since the last one: rarely enough to cost nothing,
often enough that a start after a crash replays in well under a second."""

WAL_HIGH_BYTES: Final = 4 * WAL_TARGET_BYTES
"""Above this some reader keeps the log from starting again: wait for readers a moment and truncate."""

WAL_LIMIT_BYTES: Final = 16 * WAL_HIGH_BYTES
"""Above this (1 GiB) the writer waits for readers as long as for a lock: a stall is better than a full disk."""

READERS_WAIT_MS: Final = 50
"""Milliseconds that a truncating checkpoint waits for readers between the two sizes above."""

_MOST_COMMITS: Final = 20_000
"""Commits between two checkpoints at most, however small they are."""

_log = structlog.get_logger(__name__)


def check_version() -> None:
    """Raise StoreUnavailable if Python was built with an SQLite that is too old for the schema."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(str(part) for part in OLDEST_SQLITE)
        raise StoreUnavailable(f"Python has SQLite {sqlite3.sqlite_version}; {needed} or newer is needed")


def open_writer(path: Path, lock_wait_s: float) -> sqlite3.Connection:
    """Open the database for writing; `lock_wait_s` is how long it waits for another process that writes.

    `check_same_thread` is off because the store opens here and the writer's thread uses; never two at a time.

    Raises:
        StoreUnavailable: it cannot be opened, or its file system does not carry a write-ahead log.
    """
    check_version()
    try:
        connection = sqlite3.connect(
            path,
            timeout=lock_wait_s,
            isolation_level=None,
            cached_statements=CACHED_STATEMENTS,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise translate(error) from error
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Without it INSERT OR REPLACE would delete behind the back of the triggers.
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error as error:
        connection.close()
        raise translate(error) from error
    if mode != "wal":
        connection.close()
        raise StoreUnavailable(f"{path}: journal mode is {mode!r}, write-ahead logging is needed")
    return connection


class WalKeeper:
    """Keeps the write-ahead log small, from the writer's own thread between two batches.

    A checkpoint goes in two steps: most is copied beside the writer, the little that came meanwhile by the writer.
    The log's file is reused, not truncated, in the ordinary course: a file that grows again costs a fifth of the
    commits (measured). Its size says nothing then, so the pace is learned from what a checkpoint reports.
    """

    def __init__(self, path: Path, lock_wait_s: float) -> None:
        self._lock_wait_ms = int(lock_wait_s * 1000)
        self._log_path = path.with_name(path.name + "-wal")
        self._copying = LogCopying(path)
        self._copied = False
        self._commits = 0
        self._due_after = _MOST_COMMITS
        self._grown_above = WAL_TARGET_BYTES
        self._truncate_above = WAL_HIGH_BYTES

    def after_commit(self, connection: sqlite3.Connection) -> None:
        """Count one commit; checkpoint when it is due. An error is logged: the commit itself has succeeded."""
        self._commits += 1
        size = self._size()
        try:
            if size > self._truncate_above:
                self._truncate(connection, size)
            elif size > self._grown_above or self._commits >= self._due_after:
                self._copy_or_reuse(connection, size)
        except sqlite3.Error as error:
            self._commits = 0
            _log.warning("checkpoint_failed", error=str(error), wal_bytes=size)

    def finish(self, connection: sqlite3.Connection) -> None:
        """Empty the log before a clean close. Without readers it cannot be busy; if it is, the next start does it."""
        self._copying.wait()
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            _log.warning("checkpoint_failed", error=str(error))

    def _size(self) -> int:
        try:
            return self._log_path.stat().st_size
        except OSError:
            return 0

    def _copy_or_reuse(self, connection: sqlite3.Connection, size: int) -> None:
        """The first step of a checkpoint, or the second when the first is through."""
        if not self._copied:
            self._copied = True
            self._copying.begin()
            return
        hurry = size > self._grown_above + WAL_TARGET_BYTES // 2 or self._commits >= self._due_after * 3 // 2
        if self._copying.under_way and not hurry:
            return
        # commits that outrun the copying wait for it: the log would have no end
        self._copying.wait()
        self._copied = False
        self._reuse(connection, size)

    def _reuse(self, connection: sqlite3.Connection, size: int) -> None:
        """Copy the rest of the log without waiting; the next commit then starts at the log's beginning."""
        _, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        if pages > 0:
            per_commit = pages * page_bytes / self._commits
            self._due_after = max(1, min(_MOST_COMMITS, int(WAL_TARGET_BYTES / per_commit)))
        # A reader that holds an old snapshot lets the log grow on: the next try is a quarter of the way further.
        self._commits = 0 if copied == pages else self._due_after * 3 // 4
        self._grown_above = max(size, WAL_TARGET_BYTES) + WAL_TARGET_BYTES // 4
        if copied == pages and size > WAL_HIGH_BYTES:
            self._truncate(connection, size)

    def _truncate(self, connection: sqlite3.Connection, size: int) -> None:
        """Wait for readers, a moment or (above the limit) long, and cut the log to nothing."""
        self._copying.wait()
        self._copied = False
        patience = self._lock_wait_ms if size > WAL_LIMIT_BYTES else READERS_WAIT_MS
        connection.execute(f"PRAGMA busy_timeout = {patience}")
        try:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.execute(f"PRAGMA busy_timeout = {self._lock_wait_ms}")
        self._commits = 0
        self._grown_above = WAL_TARGET_BYTES
        self._truncate_above = size + WAL_TARGET_BYTES if busy else WAL_HIGH_BYTES
        if busy:
            _log.warning("checkpoint_busy", wal_bytes=size)
