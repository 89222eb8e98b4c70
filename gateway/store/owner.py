"""Statements that the owner of PostgreSQL's tables runs beside a running gateway, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.errors import GatewayError
from gateway.store.errors import StoreUnavailable
from gateway.store.reader import ASYNCPG
from gateway.store.url import SqliteDatabase, parse_url

T = TypeVar("T")


class NoParts(GatewayError):
    """SQLite keeps the ledger in one table: there are no months to make, to take out or to put back."""


async def as_owner(url: str, work: Callable[[Connection], T]) -> T:
    """Run it in one transaction; what it raises undoes all of it.

    Raises:
        NoParts: the URL names an SQLite file.
        StoreUnavailable: the database does not answer, refuses (another role owns the tables), or somebody held the
            ledger for longer than the lock was waited for. Nothing was changed.
    """
    database = parse_url(url)
    if isinstance(database, SqliteDatabase):
        raise NoParts(
            "SQLite keeps the whole ledger in one table: a month is archived there (`ledger archive`) and stays in the "
            "database. To take it out, the record has to be on PostgreSQL."
        )
    engine = create_async_engine(ASYNCPG, async_creator=partial(asyncpg.connect, database.dsn), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except (DBAPIError, OSError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(f"nothing was changed: {getattr(error, 'orig', None) or error}") from error
    finally:
        await engine.dispose()
