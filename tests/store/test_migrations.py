"""The migrations lead to exactly the schema that the statements are written for."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store import schema
from gateway.store.columns import BYTES, INT, TEXT
from gateway.store.errors import SchemaOutdated, StoreUnavailable
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from gateway.store.url import BadUrl, parse_url
from tests.store.postgres import RunningServer


def _sqlite_schema(path: Path) -> set[tuple[str, str]]:
    """Names and normalised texts of all tables, indexes and triggers."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {(name, " ".join(sql.split())) for name, sql in rows if name != "alembic_version"}


async def test_sqlite_is_migrated_to_the_schema_of_the_metadata(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path / 'migrated.db'}")
    engine = create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    schema.METADATA.create_all(engine)
    engine.dispose()
    assert _sqlite_schema(tmp_path / "migrated.db") == _sqlite_schema(tmp_path / "created.db")


CATALOGUE = """
SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
       || a.attidentity::text || coalesce(l.collname, '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'part', c.relname, pg_get_expr(c.relpartbound, c.oid) || coalesce(pg_get_partkeydef(p.inhparent), '')
  FROM pg_class c JOIN pg_inherits p ON p.inhrelid = c.oid WHERE c.relkind = 'r'
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


# Which months there are depends on the day.
MONTH = re.compile(r"ledger_entries_[0-9]{4}_[0-9]{2}")


def _postgres_schema(server: RunningServer, name: str) -> set[tuple[str, ...]]:
    rows = [tuple(row) for row in server.execute(CATALOGUE, name)]
    return {row for row in rows if "alembic" not in row[1] and not MONTH.search(row[1] + row[2])}


@pytest.mark.postgres
async def test_postgres_is_migrated_to_the_schema_of_the_metadata(postgres_server: RunningServer) -> None:
    migrated, created = postgres_server.create_database(), postgres_server.create_database()
    await migrate(postgres_server.url(migrated))
    engine = create_async_engine(postgres_server.url(created).replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(schema.METADATA.create_all)
        assert await connection.run_sync(_differences) == []
    await engine.dispose()
    found = _postgres_schema(postgres_server, migrated)
    assert len(found) > 100
    assert found == _postgres_schema(postgres_server, created)
    for name in (migrated, created):
        postgres_server.drop_database(name)


def _differences(connection: Connection) -> object:
    def is_no_part(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or not str(name).startswith("ledger_entries_")

    def is_read_alike(_index: object, name: str | None, kind: str, _reflected: object, _other: object) -> bool:
        """PostgreSQL shows an index of an expression in its own words; those are compared in `CATALOGUE`."""
        return kind != "index" or name != "indexed_transactions_by_length"

    context = MigrationContext.configure(
        connection,
        opts={"target_metadata": schema.METADATA, "include_name": is_no_part, "include_object": is_read_alike},
    )
    return compare_metadata(context, schema.METADATA)


def test_only_the_three_types_are_used() -> None:
    for table in schema.METADATA.tables.values():
        for column in table.columns:
            assert column.type in (INT, TEXT, BYTES), f"{table.name}.{column.name}"


def test_no_constraint_is_deferred() -> None:
    for table in schema.METADATA.tables.values():
        for constraint in table.constraints:
            assert not constraint.deferrable, constraint


async def test_migrating_again_changes_nothing(url: str) -> None:
    await migrate(url)
    store = await open_store(url)
    await store.close()


@pytest.mark.postgres
async def test_two_processes_may_migrate_at_once(postgres_url: str) -> None:
    await asyncio.gather(*(migrate(postgres_url) for _ in range(3)))
    store = await open_store(postgres_url)
    await store.close()


@pytest.mark.postgres
async def test_an_empty_postgres_is_refused(postgres_url: str) -> None:
    with pytest.raises(SchemaOutdated):
        await open_store(postgres_url)


async def test_a_newer_schema_is_refused_and_left_as_it_is(url: str) -> None:
    await migrate(url)
    engine = create_async_engine(parse_url(url).engine_url if url.startswith("sqlite") else _asyncpg(url))
    for _ in range(2):
        async with engine.begin() as connection:
            found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
            await connection.execute(text("UPDATE alembic_version SET version_num = 'v9999'"))
        with pytest.raises(SchemaOutdated, match="v9999, which this program does not know"):
            await migrate(url)
        with pytest.raises(SchemaOutdated, match="v9999, which this program does not know"):
            await open_store(url)
    assert found == "v9999"
    await engine.dispose()


def _asyncpg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


async def test_a_missing_or_empty_file_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(SchemaOutdated):
        await open_store(f"sqlite:///{path}")
    assert not path.exists()
    path.touch()
    with pytest.raises(SchemaOutdated):
        await open_store(f"sqlite:///{path}")


async def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(StoreUnavailable):
        await open_store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable):
        await migrate(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable):
        await open_store(f"postgresql://postgres@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        await migrate(f"postgresql://postgres@/none?host={tmp_path}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "secret", ""])
def test_other_urls_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_url(url)
    assert "secret" not in str(refused.value)
