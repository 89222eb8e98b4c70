"""Bringing a database to the newest schema, and refusing one that is not there.

Migrations only go forward: a ledger is not unwritten. A wrong step is mended by a further one.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from gateway.store.errors import SchemaOutdated, StoreUnavailable
from gateway.store.months import make_months, owns_parts
from gateway.store.revisions import known_revisions, newest_revision
from gateway.store.sqlite_connection import check_version
from gateway.store.url import SqliteDatabase, parse_url

_SCRIPTS: Final = Path(__file__).parent / "migrations"

_LOCK: Final = 0x4552504D
"""The number of the migration lock among PostgreSQL's advisory locks ("ERPM"): two processes that start together
migrate one after the other."""


async def migrate(url: str) -> None:
    """Create the database's tables, or bring them to the newest schema; all steps in one transaction.

    Calling it again changes nothing but that on PostgreSQL the coming months of the ledger get their tables, if this
    role owns them (`gateway.store.months`). On SQLite the file is made where there is none.

    Raises:
        BadUrl: the URL names no database.
        StoreUnavailable: it does not answer, or another process keeps it locked.
        SchemaOutdated: a newer program migrated it; it is left as it is.
    """
    database = parse_url(url)
    if isinstance(database, SqliteDatabase):
        check_version()
        engine = create_async_engine(database.engine_url, poolclass=NullPool)
        event.listen(engine.sync_engine, "connect", _leave_transactions_to_us)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    else:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, database.dsn), poolclass=NullPool
        )
    try:
        async with engine.begin() as connection:
            if not isinstance(database, SqliteDatabase):
                await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
            await connection.run_sync(_upgrade)
            if not isinstance(database, SqliteDatabase):
                await connection.run_sync(_make_coming_months)
    except (DBAPIError, OSError) as error:
        raise StoreUnavailable(f"cannot migrate: {error}") from error
    finally:
        await engine.dispose()


async def check_schema(engine: AsyncEngine) -> None:
    """Raise SchemaOutdated unless the database has the newest schema."""
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_revision)
    except (DBAPIError, OSError) as error:
        raise StoreUnavailable(f"cannot read the schema's version: {error}") from error
    needed = newest_revision()
    _refuse_newer(found)
    if found != needed:
        raise SchemaOutdated(f"the database is at {found or 'nothing'}, this program needs {needed}: run migrate")


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    _refuse_newer(found)
    if found == newest_revision():
        return
    from alembic import command  # noqa: PLC0415 - only where there is a step to make (`gateway.store.revisions`)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_coming_months(connection: Connection) -> None:
    if owns_parts(connection):
        make_months(connection)


def _refuse_newer(found: str | None) -> None:
    """Raise SchemaOutdated for a revision that this program does not know."""
    if found is not None and found not in known_revisions():
        raise SchemaOutdated(
            f"the database is at {found}, which this program does not know (its newest is {newest_revision()}): a "
            "newer program migrated it; run that one, or restore a back-up from before"
        )


def _revision(connection: Connection) -> str | None:
    """Where Alembic keeps it (https://alembic.sqlalchemy.org/en/latest/api/runtime.html)."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    # Python's driver would run DDL outside of the transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
