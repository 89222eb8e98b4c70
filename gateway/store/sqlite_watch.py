"""Whether SQLite's files are those that the writer holds open, and hold what they held.

A file that is renamed, deleted or replaced lives on for whoever has it open, and for nobody else: every commit
succeeds, and is gone when the process ends. SQLite does not notice
(https://sqlite.org/howtocorrupt.html#unlinking_or_renaming_a_database_file_while_in_use).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.store.errors import CommitUnknown
from gateway.store.record_guard import HIGHEST, RecordGuard
from gateway.store.statement import NO_PARAMS

Identity = tuple[int, int] | None
"""Device and inode of a file; None where there is none."""


class SqliteWatch:
    """Looks around every commit, in the writer's thread. It costs some microseconds, and a commit costs a sync."""

    def __init__(self, path: Path, guard: RecordGuard) -> None:
        self._path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._guard = guard
        self._database = _identity(path)
        self._log: Identity = None

    def reopened(self) -> None:
        """The connection is a new one: the write-ahead log may have been made anew with it."""
        self._log = None

    def before(self, connection: sqlite3.Connection) -> None:
        """Within the transaction, so that nobody else writes. Raises RecordUnsound; sqlite3.Error."""
        found = self._replaced()
        if found is not None:
            raise self._guard.end(found)
        statement = HIGHEST.sqlite
        (highest,) = connection.execute(statement.sql, statement.bind(NO_PARAMS)).fetchone()
        self._guard.compare(highest, self._guard.entries)

    def after(self) -> None:
        """After the commit, before anybody is answered.

        Raises:
            CommitUnknown: it was made in a file that nobody finds any more.
        """
        found = self._replaced()
        if found is not None:
            self._guard.end(found)
            raise CommitUnknown(found)

    def _replaced(self) -> str | None:
        if _identity(self._path) != self._database:
            return f"{self._path} was renamed, deleted or replaced while this process had it open"
        log = _identity(self._log_path)
        if self._log is None:
            self._log = log  # it is made by the first read
        elif log != self._log:
            return f"{self._log_path} was renamed, deleted or replaced while this process had it open"
        return None


def _identity(path: Path) -> Identity:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
