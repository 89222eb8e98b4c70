"""SQLite files at the newest schema, as copies of one that was migrated once in this process.

The migrations of an empty database take longer than most tests. Tests of migrations, of `migrate` as a command and of
the roles of PostgreSQL run them; all others take a copy.
"""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from gateway.store.migrate import migrate


def migrated_file(path: Path) -> str:
    """Write an empty store to `path`; the URL for `open_store`."""
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


def migrate_in_a_thread(url: str) -> None:
    """The caller may or may not have an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate(url)).result()


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "gateway.db"
        migrate_in_a_thread(f"sqlite:///{path}")
        assert not path.with_name("gateway.db-wal").exists(), "the last connection did not take the log into the file"
        return path.read_bytes()
