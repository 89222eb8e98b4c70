"""PostgreSQL's own ways to fail: conflicts are run again, a lost connection says what it leaves open."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from gateway.store import schema
from gateway.store.errors import CommitUnknown, ConstraintViolated, StoreBusy, StoreUnavailable, UniqueViolated
from gateway.store.postgres_unit import PostgresUnit
from gateway.store.postgres_writer import PoolLimits, PostgresWriter, open_writer
from gateway.store.statement import Command, Query
from tests.store.cable import SOCKET, Cable
from tests.store.postgres import RunningServer

pytestmark = pytest.mark.postgres

INSERT = Command(insert(schema.streams))
STREAMS = Query(select(schema.streams.c.stream).order_by(schema.streams.c.stream), str)
ADD_TO = {
    name: Command(
        update(schema.streams)
        .where(schema.streams.c.stream == name)
        .values(last_sequence=schema.streams.c.last_sequence + 1)
    )
    for name in ("a", "b")
}
SUM = Query(text("SELECT sum(last_sequence)::bigint FROM streams"), int)


def _row(name: str) -> dict[str, str | int | bytes | None]:
    return {"stream": name, "created_at": 1, "last_sequence": 0}


def _inserting(name: str):  # type: ignore[no-untyped-def]
    async def unit_of(unit: PostgresUnit) -> None:
        await unit.run(INSERT, _row(name))

    return unit_of


async def _streams(writer: PostgresWriter) -> list[str]:
    return await writer.write(lambda unit: unit.all(STREAMS))


@pytest.fixture
async def writer(migrated_postgres_url: str) -> AsyncIterator[PostgresWriter]:
    opened = await open_writer(migrated_postgres_url)
    yield opened
    await opened.close()


async def test_a_deadlock_is_run_again(writer: PostgresWriter) -> None:
    for name in ("a", "b"):
        await writer.write(_inserting(name))
    both_hold_one = asyncio.Barrier(2)
    runs: list[str] = []

    def crossing(first: str, second: str):  # type: ignore[no-untyped-def]
        async def unit_of(unit: PostgresUnit) -> None:
            runs.append(first)
            await unit.run(ADD_TO[first])
            if len(runs) <= 2:
                await both_hold_one.wait()
            await unit.run(ADD_TO[second])

        return unit_of

    await asyncio.gather(writer.write(crossing("a", "b")), writer.write(crossing("b", "a")))
    # Who runs again may take the free row before the one who waits for it is awake, so more than one deadlock is right.
    assert len(runs) >= 3
    assert await writer.write(lambda unit: unit.one(SUM)) == 4


async def test_a_serialization_failure_is_run_again(writer: PostgresWriter) -> None:
    await writer.write(_inserting("a"))
    serializable = Command(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
    read = Query(select(schema.streams.c.last_sequence), int)
    both_have_read = asyncio.Barrier(2)
    runs: list[int] = []

    async def count(unit: PostgresUnit) -> None:
        await unit.run(serializable)
        await unit.one(read)
        runs.append(1)
        if len(runs) <= 2:
            await both_have_read.wait()
        await unit.run(ADD_TO["a"])

    await asyncio.gather(writer.write(count), writer.write(count))
    assert len(runs) == 3
    assert await writer.write(lambda unit: unit.one(SUM)) == 2


async def test_who_loses_a_key_runs_again_and_sees_the_winner(writer: PostgresWriter) -> None:
    both_have_looked = asyncio.Barrier(2)
    runs: list[int] = []

    async def look_then_insert(unit: PostgresUnit) -> bool:
        there = await unit.all(STREAMS)
        runs.append(1)
        if len(runs) <= 2:
            await both_have_looked.wait()
        if there:
            return False
        await unit.run(INSERT, _row("a"))
        return True

    answers = await asyncio.gather(writer.write(look_then_insert), writer.write(look_then_insert))
    assert sorted(answers) == [False, True]
    assert len(runs) == 3


async def test_a_unit_that_never_looks_is_run_a_few_times_only(writer: PostgresWriter) -> None:
    runs: list[int] = []

    async def blind(unit: PostgresUnit) -> None:
        runs.append(1)
        await unit.run(INSERT, _row("a"))

    await writer.write(blind)
    with pytest.raises(UniqueViolated) as violated:
        await writer.write(blind)
    assert violated.value.constraint == "streams_key"
    assert len(runs) == 1 + PoolLimits().unique_runs


async def test_a_commit_that_is_refused_is_a_plain_failure(writer: PostgresWriter) -> None:
    async def unit_of(unit: PostgresUnit) -> None:
        for sql in (
            "CREATE TABLE parents (id bigint PRIMARY KEY)",
            "CREATE TABLE children (id bigint REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO children VALUES (1)",
        ):
            await unit.run(Command(text(sql)))

    with pytest.raises(ConstraintViolated, match="children"):
        await writer.write(unit_of)
    assert await _streams(writer) == []


async def test_a_lost_connection_undoes_the_unit(writer: PostgresWriter) -> None:
    end_myself = Query(text("SELECT pg_terminate_backend(pg_backend_pid())"), bool)

    async def dies(unit: PostgresUnit) -> None:
        await unit.run(INSERT, _row("a"))
        await unit.all(end_myself)

    with pytest.raises(StoreUnavailable) as failed:
        await writer.write(dies)
    assert not isinstance(failed.value, CommitUnknown)
    assert await _streams(writer) == []


async def test_a_cancelled_unit_is_undone_and_its_connection_not_used_again(migrated_postgres_url: str) -> None:
    writer = await open_writer(migrated_postgres_url, PoolLimits(connections=1))
    inserted, never = asyncio.Event(), asyncio.Event()

    async def hangs(unit: PostgresUnit) -> None:
        await unit.run(INSERT, _row("a"))
        inserted.set()
        await never.wait()

    hanging = asyncio.ensure_future(writer.write(hangs))
    await inserted.wait()
    hanging.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await hanging
    assert hanging.cancelled()
    await writer.write(_inserting("a"))
    assert await _streams(writer) == ["a"]
    await writer.close()


async def test_waiting_for_a_connection_has_an_end(migrated_postgres_url: str) -> None:
    limits = PoolLimits(connections=1, waiting=1, wait_s=0.1)
    writer = await open_writer(migrated_postgres_url, limits)
    holds, release = asyncio.Event(), asyncio.Event()

    async def hold(unit: PostgresUnit) -> None:
        holds.set()
        await release.wait()

    holding = asyncio.ensure_future(writer.write(hold))
    await holds.wait()
    outcomes = await asyncio.gather(*(writer.write(_inserting(name)) for name in "ab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreBusy, StoreBusy]
    assert {str(outcome) for outcome in outcomes} == {"1 units are waiting", "no connection within 0.1 s"}
    release.set()
    await holding
    await writer.close()


async def test_a_lock_is_waited_for_only_so_long(migrated_postgres_url: str) -> None:
    writer = await open_writer(migrated_postgres_url, PoolLimits(lock_s=0.1))
    await writer.write(_inserting("a"))
    holds, release = asyncio.Event(), asyncio.Event()

    async def hold(unit: PostgresUnit) -> None:
        await unit.run(ADD_TO["a"])
        holds.set()
        await release.wait()

    holding = asyncio.ensure_future(writer.write(hold))
    await holds.wait()
    with pytest.raises(StoreBusy):
        await writer.write(lambda unit: unit.run(ADD_TO["a"]))
    release.set()
    await holding
    await writer.close()


async def test_commits_are_synced(writer: PostgresWriter) -> None:
    async def settings(unit: PostgresUnit) -> list[object]:
        names = ("synchronous_commit", "transaction_isolation", "lock_timeout", "statement_timeout")
        return [await unit.one(Query(text(f"SHOW {name}"), str)) for name in names]

    assert await writer.write(settings) == ["on", "read committed", "5s", "10s"]


@pytest.fixture
async def cable(postgres_server: RunningServer) -> AsyncIterator[Cable]:
    # not in pytest's own directory: its name is too long for a socket
    with tempfile.TemporaryDirectory(prefix="cable-") as directory:
        opened = Cable(postgres_server.directory / SOCKET, Path(directory))
        server = await asyncio.start_unix_server(opened.connected, Path(directory) / SOCKET)
        yield opened
        server.close()
        await opened.ended()


async def test_a_connection_lost_during_commit_leaves_the_outcome_open(
    migrated_postgres_url: str, cable: Cable
) -> None:
    database, _, _ = migrated_postgres_url.partition("?")
    writer = await open_writer(f"{database}?host={cable.directory}")
    cable.cut_after = b"COMMIT"
    with pytest.raises(CommitUnknown):
        await writer.write(_inserting("a"))
    cable.cut_after = None
    assert await _streams(writer) == ["a"]
    cable.cut_after = b"INSERT"
    with pytest.raises(StoreUnavailable) as failed:
        await writer.write(_inserting("b"))
    assert not isinstance(failed.value, CommitUnknown)
    cable.cut_after = None
    assert await _streams(writer) == ["a"]
    await writer.close()
