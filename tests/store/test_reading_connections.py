"""Connections that read on PostgreSQL: not asked whether they live before each read, and replaced when they do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection

from gateway.store import reader
from gateway.store.reader import Reader, open_reader
from gateway.store.statement import Query
from gateway.store.url import PostgresDatabase
from tests.store.postgres import RunningServer

pytestmark = pytest.mark.postgres

PID: Query[int] = Query(text("SELECT pg_backend_pid()"), int)


@pytest.fixture
async def reads(postgres_url: str) -> AsyncIterator[Reader]:
    opened = open_reader(PostgresDatabase(postgres_url))
    yield opened
    await opened.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections that were asked."""
    seen: list[object] = []
    ping = AsyncAdapt_asyncpg_connection.ping

    def noted(connection: Any) -> None:
        seen.append(connection)
        ping(connection)

    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", noted)
    return seen


async def test_reads_that_follow_each_other_ask_nothing_and_use_one_connection(
    reads: Reader, asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "UNASKED_S", 3_600.0)
    used = {await reads.one(PID) for _ in range(5)}
    async with reads.moment() as moment:
        used.update(await moment.all(PID))
    assert len(used) == 1
    assert not asked


async def test_a_connection_that_died_while_it_lay_idle_is_replaced(
    reads: Reader, asked: list[object], monkeypatch: pytest.MonkeyPatch, postgres_server: RunningServer
) -> None:
    monkeypatch.setattr(reader, "UNASKED_S", -1.0)  # every one is held to have been idle for long
    first = await reads.one(PID)
    postgres_server.execute(f"SELECT pg_terminate_backend({first}, 5000)")
    second = await reads.one(PID)
    assert second not in {None, first}
    assert asked


async def test_a_moment_is_one_transaction_and_the_next_read_is_none(reads: Reader) -> None:
    isolation: Query[str] = Query(text("SHOW transaction_isolation"), str)
    async with reads.moment() as moment:
        assert await moment.all(isolation) == ["repeatable read"]
    assert await reads.one(isolation) == "read committed"
    idle: Query[int] = Query(
        text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"), int
    )
    assert await reads.one(idle) == 0
