"""Rows of a gateway's database, read beside it, on either database."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import asyncpg


async def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query answers."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return list(connection.execute(sql))
    database = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await database.fetch(sql)]
    finally:
        await database.close()


async def number(url: str, sql: str) -> int:
    """The count that a query answers."""
    return int((await rows(url, sql))[0][0])
