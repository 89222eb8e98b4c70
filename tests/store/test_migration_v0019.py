"""A ledger that was one table lies in months after the step, byte for byte, and its key and triggers hold."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import gateway.store.migrate
from gateway.domain.entries import EntryKind
from gateway.domain.months import Month
from gateway.store.migrate import migrate
from gateway.store.partitions import part_of
from tests.ledger.month_world import JULY, JUNE, MAY, entry_of, trace_at, trace_of

pytestmark = pytest.mark.postgres
SCRIPTS = Path(gateway.store.migrate.__file__).parent / "migrations"
ROWS = "SELECT * FROM ledger_entries ORDER BY trace, seq"


def _to_v0018(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "v0018")


async def test_entries_of_one_table_are_moved_into_their_months(postgres_url: str):
    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(_to_v0018)
    await engine.dispose()
    last, first = trace_at(JUNE.first_at - 1_000), trace_at(JUNE.first_at)
    traces = [last, first, trace_of(JULY, 3), "txn_old", "txn_zzz", "qry_1", "zzz_1"]
    entries = [entry_of(trace, seq, EntryKind.ROUTED) for trace in traces for seq in (1, 2)]
    database = await asyncpg.connect(postgres_url)
    try:
        await database.executemany(
            "INSERT INTO ledger_entries (trace, seq, kind, at, lineage_id, body, leaf_hash) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [(one.trace, one.seq, one.kind, one.at, one.lineage_id, one.body, one.leaf_hash) for one in entries],
        )
        before = await database.fetch(ROWS)
        await migrate(postgres_url)
        assert await database.fetch(ROWS) == before
        lies = dict(await database.fetch("SELECT DISTINCT trace, tableoid::regclass::text FROM ledger_entries"))
        assert lies == {
            last: part_of(MAY),
            first: part_of(JUNE),
            trace_of(JULY, 3): part_of(JULY),
            "txn_old": "ledger_entries_without_month",
            "txn_zzz": "ledger_entries_without_month",
            "qry_1": "ledger_entries_below_months",
            "zzz_1": "ledger_entries_above_months",
        }
        today = Month.at(await database.fetchval("SELECT (extract(epoch FROM now()) * 1000000)::bigint"))
        assert await database.fetchval("SELECT to_regclass($1) IS NOT NULL", part_of(today.following))
        assert await database.fetchval("SELECT to_regclass('ledger_entries_whole') IS NULL")
        with pytest.raises(asyncpg.UniqueViolationError):
            await database.execute("INSERT INTO ledger_entries SELECT * FROM ledger_entries WHERE seq = 2")
        for statement in ("DELETE FROM ledger_entries", "UPDATE ledger_entries SET at = 1", "TRUNCATE ledger_entries"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
                await database.execute(statement)
    finally:
        await database.close()
