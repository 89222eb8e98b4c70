"""What the databases' drivers do if they are left alone, and the store does not (docs/defaults-mended.md)."""

from __future__ import annotations

import ast
import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from gateway.store import schema
from gateway.store.postgres_unit import PostgresUnit
from gateway.store.postgres_writer import PoolLimits, open_writer
from gateway.store.reader import CONNECTIONS, open_reader
from gateway.store.sqlite_connection import open_writer as open_sqlite
from gateway.store.sqlite_unit import SqliteUnit
from gateway.store.sqlite_writer import SqliteWriter
from gateway.store.statement import Command, Query
from gateway.store.url import PostgresDatabase

STORE = Path(schema.__file__).parent
INSERT = Command(insert(schema.payloads))
IDS = Query(select(schema.payloads.c.payload_id), str)
SETTINGS = (
    "statement_timeout",
    "lock_timeout",
    "search_path",
    "transaction_isolation",
    "default_transaction_read_only",
)


def _row(payload_id: str) -> dict[str, str | bytes | None]:
    return {"payload_id": payload_id, "salt": b"s", "body": b"x", "erased_at": None}


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


def test_python_begins_no_transactions_by_itself(path: Path) -> None:
    """Its default begins one before INSERT, never before SELECT, and none around a SAVEPOINT."""
    connection = open_sqlite(path, 1.0)
    try:
        assert connection.isolation_level is None
        connection.execute("INSERT INTO payloads VALUES ('pay_1', x'00', NULL, 1)")
        assert not connection.in_transaction
    finally:
        connection.close()


async def test_a_unit_that_reads_first_is_not_overtaken_before_it_writes(path: Path) -> None:
    """With a deferred BEGIN another process writes in between, and the unit's own write fails at once, whatever the
    time that it may wait for a lock (SQLITE_BUSY_SNAPSHOT)."""
    refused: list[str] = []
    writer = SqliteWriter(path)

    async def reads_then_writes(unit: SqliteUnit) -> None:
        await unit.all(IDS)
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("INSERT INTO payloads VALUES ('pay_other', x'00', NULL, 1)")
        except sqlite3.OperationalError as error:
            refused.append(str(error))
        finally:
            other.close()
        await unit.run(INSERT, _row("pay_mine"))

    try:
        await writer.write(reads_then_writes)
        assert refused == ["database is locked"]
        assert await writer.write(lambda unit: unit.all(IDS)) == ["pay_mine"]
    finally:
        await writer.close()


async def test_a_failure_after_a_savepoint_leaves_nothing_of_its_unit(path: Path) -> None:
    """Where the SAVEPOINT itself opened the transaction, its RELEASE would commit it."""
    writer = SqliteWriter(path)
    seen: list[int] = []

    async def writes(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row("pay_1"))
        beside = sqlite3.connect(path)
        seen.append(beside.execute("SELECT count(*) FROM payloads").fetchone()[0])
        beside.close()

    async def fails(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row("pay_2"))
        raise ValueError("afterwards")

    try:
        outcomes = await asyncio.gather(writer.write(writes), writer.write(fails), return_exceptions=True)
        assert outcomes[0] is None
        assert isinstance(outcomes[1], ValueError)
        assert seen == [0], "nothing is visible before the COMMIT"
        assert await writer.write(lambda unit: unit.all(IDS)) == ["pay_1"]
    finally:
        await writer.close()


@pytest.mark.postgres
async def test_no_unit_leaves_a_setting_on_its_connection(migrated_postgres_url: str) -> None:
    """The pool's own reset between two uses is switched off, so nothing may be set but for one transaction."""
    writer = await open_writer(migrated_postgres_url, PoolLimits(connections=1))

    async def shown(unit: PostgresUnit) -> list[str | None]:
        return [await unit.one(Query(text(f"SHOW {name}"), str)) for name in SETTINGS]

    async def sets_for_itself(unit: PostgresUnit) -> None:
        await unit.run(Command(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")))
        await unit.one(Query(text("SELECT set_config('statement_timeout', '1234', true)"), str))
        assert await unit.one(Query(text("SHOW statement_timeout"), str)) == "1234ms"

    try:
        before = await writer.write(shown)
        await writer.write(sets_for_itself)
        assert await writer.write(shown) == before
        with pytest.raises(RuntimeError):
            await writer.write(_fails)
        assert await writer.write(shown) == before
    finally:
        await writer.close()


async def _fails(unit: PostgresUnit) -> None:
    await unit.one(Query(text("SELECT set_config('lock_timeout', '1', true)"), str))
    raise RuntimeError("after a setting")


@pytest.mark.postgres
async def test_no_read_leaves_an_isolation_level_on_its_connection(migrated_postgres_url: str) -> None:
    reader = open_reader(PostgresDatabase(migrated_postgres_url))
    level = Query(text("SHOW transaction_isolation"), str)
    try:

        async def looks_twice() -> None:
            async with reader.moment() as moment:
                assert await moment.all(level) == ["repeatable read"]

        await asyncio.gather(*(looks_twice() for _ in range(CONNECTIONS)))
        found = await asyncio.gather(*(reader.one(level) for _ in range(CONNECTIONS)))
        assert set(found) == {"read committed"}
    finally:
        await reader.close()


def test_no_statement_of_the_store_sets_anything_for_a_whole_session() -> None:
    """`SET` stays on a pooled connection and meets the next caller; `SET LOCAL`, `SET TRANSACTION` and
    `set_config(…, true)` end with their transaction."""
    for file in STORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            sql = " ".join(node.value.upper().split())
            assert not sql.startswith("SET ") or sql.startswith(("SET LOCAL ", "SET TRANSACTION ")), f"{file}: {sql}"
            assert "SET_CONFIG(" not in sql or sql.endswith("TRUE)"), f"{file}: {sql}"
