"""The one writer of SQLite: what fails, fails whole or alone, and the writer goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from gateway.store import schema
from gateway.store.errors import CommitUnknown, StoreBusy, StoreUnavailable, UnitMisused
from gateway.store.sqlite_connection import WAL_TARGET_BYTES
from gateway.store.sqlite_copying import LogCopying
from gateway.store.sqlite_unit import SqliteUnit
from gateway.store.sqlite_writer import BatchLimits, SqliteWriter
from gateway.store.statement import Command, Query

INSERT = Command(insert(schema.payloads))
COUNT = Query(select(schema.payloads.c.payload_id).order_by(schema.payloads.c.payload_id), str)


def _row(payload_id: str, size: int = 10) -> dict[str, str | bytes | int | None]:
    return {"payload_id": payload_id, "salt": b"s", "body": b"x" * size, "erased_at": None}


def _inserting(payload_id: str, size: int = 10):  # type: ignore[no-untyped-def]
    async def unit_of(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row(payload_id, size))

    return unit_of


def _ids(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT payload_id FROM payloads ORDER BY 1").fetchall()
    connection.close()
    return [row[0] for row in rows]


def _size(path: Path) -> int:
    return path.stat().st_size


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[SqliteWriter]:
    opened = SqliteWriter(path)
    yield opened
    await opened.close()


class Gate:
    """Holds the writer inside a unit, so that others gather behind it. Blocks the thread, not a loop."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self._open = threading.Event()
        self._loop = asyncio.get_running_loop()

    async def unit(self, unit: SqliteUnit) -> None:
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


async def _in_one_batch(writer: SqliteWriter, *units) -> list[object]:  # type: ignore[no-untyped-def]
    """Run the units behind a gate, so that they share its commit; what came of them."""
    gate = Gate()
    first = asyncio.ensure_future(writer.write(gate.unit))
    await gate.entered.wait()
    rest = [asyncio.ensure_future(writer.write(unit)) for unit in units]
    await asyncio.sleep(0)
    gate.open()
    return await asyncio.gather(first, *rest, return_exceptions=True)


async def test_units_that_wait_go_into_one_commit(path: Path) -> None:
    writer = SqliteWriter(path, BatchLimits(seconds=10))
    seen: list[int] = []
    version = Query(text("PRAGMA data_version"), int)

    async def unit_of(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row(f"pay_{len(seen)}"))
        # what another connection sees of the batch so far: nothing
        seen.append(len(_ids(path)))
        assert await unit.one(version) is not None

    await _in_one_batch(writer, *[unit_of] * 5)
    await writer.close()
    assert seen == [0] * 5
    assert len(_ids(path)) == 5


async def test_a_batch_keeps_its_limit_of_units(path: Path) -> None:
    writer = SqliteWriter(path, BatchLimits(units=2, seconds=10))
    seen: list[int] = []

    async def unit_of(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row(f"pay_{len(seen)}"))
        seen.append(len(_ids(path)))

    await _in_one_batch(writer, *[unit_of] * 5)
    await writer.close()
    assert seen == [0, 1, 1, 3, 3]


async def test_a_batch_keeps_its_limit_of_time(path: Path) -> None:
    writer = SqliteWriter(path, BatchLimits(seconds=0))
    seen: list[int] = []

    async def unit_of(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row(f"pay_{len(seen)}"))
        seen.append(len(_ids(path)))

    await _in_one_batch(writer, *[unit_of] * 3)
    await writer.close()
    assert seen == [0, 1, 2]


async def test_a_unit_that_waits_for_something_else_is_refused(writer: SqliteWriter, path: Path) -> None:
    async def sleeps(unit: SqliteUnit) -> None:
        await unit.run(INSERT, _row("pay_asleep"))
        await asyncio.sleep(0)

    async def stubborn(unit: SqliteUnit) -> None:
        with contextlib.suppress(GeneratorExit):
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    outcomes = await _in_one_batch(writer, _inserting("pay_1"), sleeps, stubborn, _inserting("pay_2"))
    assert isinstance(outcomes[2], UnitMisused)
    assert "awaits nothing but its own statements" in str(outcomes[2])
    assert isinstance(outcomes[3], UnitMisused)
    assert _ids(path) == ["pay_1", "pay_2"]


async def test_a_full_disk_fails_the_batch_and_the_writer_goes_on(writer: SqliteWriter, path: Path) -> None:
    pages = Query(text("PRAGMA page_count"), int)

    async def limit(unit: SqliteUnit) -> None:
        count = await unit.one(pages)
        assert count is not None
        await unit.all(Query(text(f"PRAGMA max_page_count = {count + 20}"), int))

    async def unlimit(unit: SqliteUnit) -> None:
        await unit.all(Query(text("PRAGMA max_page_count = 1000000"), int))

    await writer.write(limit)
    outcomes = await _in_one_batch(writer, _inserting("pay_1"), _inserting("pay_huge", 1_000_000), _inserting("pay_2"))
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes[:3])
    # what came after the failure began a new batch, and there is room for it
    assert outcomes[3] is None
    assert _ids(path) == ["pay_2"]
    await writer.write(unlimit)
    await writer.write(_inserting("pay_huge", 1_000_000))
    assert _ids(path) == ["pay_2", "pay_huge"]


async def test_a_refused_commit_fails_the_batch_and_the_writer_goes_on(writer: SqliteWriter, path: Path) -> None:
    orphan = Command(text("INSERT INTO pins VALUES ('lin_none', 's', 'legacy', 'legacy', NULL, NULL, NULL, 1)"))

    async def breaks_the_commit(unit: SqliteUnit) -> None:
        # a real refusal of COMMIT itself: foreign keys are looked at only then
        await unit.run(Command(text("PRAGMA defer_foreign_keys = ON")))
        await unit.run(orphan)

    outcomes = await _in_one_batch(writer, _inserting("pay_1"), breaks_the_commit, _inserting("pay_2"))
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 4
    assert "COMMIT" in str(outcomes[1])
    assert not isinstance(outcomes[1], CommitUnknown)
    assert _ids(path) == []
    await writer.write(_inserting("pay_3"))
    assert _ids(path) == ["pay_3"]


async def test_a_transaction_that_ended_under_the_batch_fails_all_of_it(writer: SqliteWriter, path: Path) -> None:
    async def ends_it(unit: SqliteUnit) -> None:
        await unit.run(Command(text("ROLLBACK")))

    outcomes = await _in_one_batch(writer, _inserting("pay_1"), ends_it, _inserting("pay_2"))
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes[:3])
    assert outcomes[3] is None
    assert _ids(path) == ["pay_2"]


async def test_who_waits_too_long_for_the_lock_is_told_with_all_others(path: Path) -> None:
    writer = SqliteWriter(path, BatchLimits(lock_wait_s=0.05))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(writer.write(_inserting(f"pay_{n}")) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreBusy] * 3
    other.execute("ROLLBACK")
    other.close()
    await writer.write(_inserting("pay_9"))
    await writer.close()
    assert _ids(path) == ["pay_9"]


async def test_a_full_queue_refuses(path: Path) -> None:
    writer = SqliteWriter(path, BatchLimits(waiting=2))
    gate = Gate()
    first = asyncio.ensure_future(writer.write(gate.unit))
    await gate.entered.wait()
    waiting = [asyncio.ensure_future(writer.write(_inserting(f"pay_{n}"))) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusy):
        await writer.write(_inserting("pay_surplus"))
    gate.open()
    await asyncio.gather(first, *waiting)
    await writer.close()
    assert _ids(path) == ["pay_0", "pay_1"]


async def test_a_caller_who_left_before_its_turn_writes_nothing(writer: SqliteWriter, path: Path) -> None:
    gate = Gate()
    first = asyncio.ensure_future(writer.write(gate.unit))
    await gate.entered.wait()
    gone = asyncio.ensure_future(writer.write(_inserting("pay_gone")))
    stays = asyncio.ensure_future(writer.write(_inserting("pay_stays")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(first, stays)
    assert gone.cancelled()
    assert _ids(path) == ["pay_stays"]


async def test_callers_of_several_loops_are_answered_in_theirs(writer: SqliteWriter, path: Path) -> None:
    def elsewhere() -> None:
        asyncio.run(writer.write(_inserting("pay_there")))

    there = asyncio.to_thread(elsewhere)
    await asyncio.gather(there, writer.write(_inserting("pay_here")))
    assert _ids(path) == ["pay_here", "pay_there"]


async def test_the_log_stays_small(writer: SqliteWriter, path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    largest = 0
    for n in range(60):
        await writer.write(_inserting(f"pay_{n:03d}", 1_000_000))
        largest = max(largest, _size(log))
    assert largest < 2 * WAL_TARGET_BYTES
    assert _size(path) > WAL_TARGET_BYTES


async def test_the_log_is_cut_once_its_reader_has_left(writer: SqliteWriter, path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM payloads").fetchone()
    for n in range(90):
        await writer.write(_inserting(f"pay_{n:03d}", 1_000_000))
    assert _size(log) > 4 * WAL_TARGET_BYTES
    reader.close()
    for n in range(90, 110):
        await writer.write(_inserting(f"pay_{n:03d}", 1_000_000))
    assert _size(log) < 2 * WAL_TARGET_BYTES


async def test_a_closed_store_leaves_one_file(path: Path) -> None:
    writer = SqliteWriter(path)
    await writer.write(_inserting("pay_1"))
    assert path.with_name(path.name + "-wal").exists()
    await writer.close()
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name]


async def test_the_writers_connection_is_as_durable_as_it_must_be(writer: SqliteWriter) -> None:
    async def settings(unit: SqliteUnit) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "wal_autocheckpoint")
        return [await unit.one(Query(text(f"PRAGMA {name}"), lambda value: value)) for name in names]

    assert await writer.write(settings) == ["wal", 2, 1, 1, 0]


async def test_commits_go_on_while_the_log_is_copied(
    writer: SqliteWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    copy = LogCopying._copy

    def slow(copying: LogCopying) -> None:
        begun.set()
        assert go_on.wait(20)
        copy(copying)

    monkeypatch.setattr(LogCopying, "_copy", slow)
    numbers = iter(range(1_000))
    while not begun.is_set():
        await writer.write(_inserting(f"pay_{next(numbers):03d}", 1_000_000))
    at_begin = next(numbers)
    for _ in range(5):
        await writer.write(_inserting(f"pay_{next(numbers):03d}", 1_000_000))
    go_on.set()
    # the second step is the writer's own: then the log starts again, and does not grow
    for _ in range(40):
        await writer.write(_inserting(f"pay_{next(numbers):03d}", 1_000_000))
    assert 10 < at_begin < 30
    assert _size(path.with_name(path.name + "-wal")) < 2 * WAL_TARGET_BYTES


async def test_commits_that_outrun_the_copying_wait_for_it(
    writer: SqliteWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: LogCopying) -> None:
        begun.set()
        assert go_on.wait(20)

    monkeypatch.setattr(LogCopying, "_copy", slow)

    async def write_all() -> None:
        for n in range(60):
            await writer.write(_inserting(f"pay_{n:03d}", 1_000_000))

    writing = asyncio.create_task(write_all())
    assert await asyncio.to_thread(begun.wait, 20)
    done, _ = await asyncio.wait({writing}, timeout=1.0)
    assert not done
    assert _size(path.with_name(path.name + "-wal")) < 2 * WAL_TARGET_BYTES
    go_on.set()
    await writing
