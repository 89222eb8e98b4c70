"""A checkpoint's work beside the writer: pages go from the log into the database while commits go on.

A passive checkpoint never waits for a writer and never makes one wait (https://sqlite.org/c3ref/wal_checkpoint_v2.html).
What was committed after it began is left in the log: the writer copies that little itself, between two batches, and
the log can start again. Measured: 16 MiB took the writer 60 to 90 ms, which every caller waited for.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)


class LogCopying:
    """One passive checkpoint at a time, in a thread and on a connection of its own. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: threading.Thread | None = None

    @property
    def under_way(self) -> bool:
        """Whether it still copies."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Copy what is committed now. One that is under way goes on alone."""
        if self.under_way:
            return
        # A daemon: a process that dies in the middle leaves what every crash leaves, a log to read again.
        self._thread = threading.Thread(target=self._copy, name="store-checkpoint", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until nothing is under way."""
        if self._thread is not None:
            self._thread.join()

    def _copy(self) -> None:
        try:
            with closing(sqlite3.connect(self._path, timeout=0.0, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:  # the writer does it all itself, and says so if it cannot
            _log.debug("copying_failed", error=str(error))
