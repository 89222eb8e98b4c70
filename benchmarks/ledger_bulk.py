"""Writes a record's rows fast, beside the store; for `benchmarks.ledger_history`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Table


class Bulk(Protocol):
    """Writes many rows fast."""

    async def insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None: ...
    async def close(self) -> None: ...
    async def finish(self) -> None: ...


class SqliteBulk:
    """Into a file that only others like this one have open; not synced until the end."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, 600, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -200000")

    async def insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        await asyncio.to_thread(self._insert, table, rows)

    def _insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(table.columns))
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)  # noqa: S608 (our names)
        self._connection.execute("COMMIT")

    async def finish(self) -> None:
        """As the store opens it."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        await self.close()

    async def close(self) -> None:
        """Of several writers."""
        self._connection.close()


class PostgresBulk:
    """By COPY; what rows refer to is not looked up."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> PostgresBulk:
        connection = await asyncpg.connect(url)
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("SET session_replication_role = replica")
        return cls(connection)

    async def insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._connection.copy_records_to_table(table.name, records=rows, columns=[c.name for c in table.columns])

    async def finish(self) -> None:
        """As a record is after two years: looked after by autovacuum."""
        await self._connection.execute("VACUUM (ANALYZE)")
        await self._connection.execute("CHECKPOINT")
        await self.close()

    async def close(self) -> None:
        """Of several writers."""
        await self._connection.close()


async def open_bulk(url: str) -> Bulk:
    """To write there."""
    if url.startswith("sqlite:///"):
        return SqliteBulk(Path(url.removeprefix("sqlite:///")))
    return await PostgresBulk.open(url)
