"""A database that was put back, replaced or damaged under an open store: nothing more is written, and it is said."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store.errors import CommitUnknown, RecordUnsound
from gateway.store.postgres_writer import open_writer
from gateway.store.reader import open_reader
from gateway.store.record_guard import RecordGuard
from gateway.store.store import Store, StoreUnit, open_store
from gateway.store.url import parse_url
from tests.ledger.live import made

SECOND = "txn_2"


async def _kept(store: Store, trace: str) -> None:
    await store.write(lambda unit: unit.insert_entries([made(trace, 1)]))


async def _refused(store: Store, why: str) -> None:
    """Now, and from now on, in all its forms; reads still say what is there."""
    for _ in range(2):
        with pytest.raises(RecordUnsound, match=why):
            await _kept(store, SECOND)
    with pytest.raises(RecordUnsound, match="end all processes"):
        await store.patient("to test").write(lambda unit: unit.insert_entries([made(SECOND, 1)]))
    with pytest.raises(RecordUnsound):
        await store.outbox.mark_published([], 1)
    assert not await store.is_usable()


def _placed(path: Path, entries: int) -> None:
    """Places for so many entries, as the sequencer gives them."""
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.executemany(
            "INSERT INTO log_entries (log_index, trace, seq) VALUES (?, 'txn_1', ?)",
            [(index, index + 1) for index in range(entries)],
        )


def _copied(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as rows, closing(sqlite3.connect(to)) as copy:
        rows.backup(copy)


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{path}")
    await _kept(opened, "txn_1")
    assert await opened.is_usable()
    yield opened
    await opened.close()


async def test_one_that_was_put_back_in_place_takes_no_more_writes(path: Path, store: Store) -> None:
    older = path.with_name("older.db")
    _copied(path, older)
    _placed(path, 3)
    await _kept(store, "txn_3")
    with closing(sqlite3.connect(older)) as rows, closing(sqlite3.connect(path)) as place:
        rows.backup(place)
    await _refused(store, "put back to an older state: 0 ledger entries have a place, 3 had one")
    with closing(sqlite3.connect(path)) as rows:
        assert rows.execute("SELECT trace FROM ledger_entries").fetchall() == [("txn_1",)]


@pytest.mark.parametrize("file", ["", "-wal"])
@pytest.mark.parametrize("what", ["renamed", "deleted", "replaced"])
async def test_files_that_were_taken_away_take_no_more_writes(path: Path, store: Store, file: str, what: str) -> None:
    taken = path.with_name(path.name + file)
    other = path.with_name("other")
    if what == "replaced":
        shutil.copyfile(taken, other)
        other.replace(taken)
    elif what == "renamed":
        taken.rename(other)
    else:
        taken.unlink()
    await _refused(store, f"{taken.name} was renamed, deleted or replaced")


async def test_nobody_is_told_of_a_commit_in_a_file_that_was_taken_away_before_it(path: Path, store: Store) -> None:
    async def taking_it_away(unit: StoreUnit) -> None:
        await unit.insert_entries([made(SECOND, 1)])
        path.rename(path.with_name("taken.db"))  # noqa: ASYNC240 (in the writer's thread)

    with pytest.raises(CommitUnknown, match="renamed, deleted or replaced"):
        await store.write(taking_it_away)
    await _refused(store, "renamed, deleted or replaced")


async def test_a_new_connection_may_bring_a_new_write_ahead_log(path: Path, store: Store) -> None:
    """Whoever closes the last connection deletes it."""
    writer = store._unguarded._connection  # type: ignore[attr-defined]
    await store._reader.close()
    store._unguarded._connection = None  # type: ignore[attr-defined]
    writer.close()
    assert [one.name for one in await asyncio.to_thread(list, path.parent.glob(f"{path.name}-wal"))] == []
    await _kept(store, SECOND)
    assert await store.is_usable()


@pytest.mark.parametrize("who", ["reads", "writes"])
async def test_a_damaged_page_ends_the_writing_whoever_meets_it(path: Path, store: Store, who: str) -> None:
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        rows.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (page,), (pages,) = (rows.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count"))
        with path.open("r+b") as file:
            file.seek(page)
            file.write(b"\xff" * (pages - 1) * page)
        rows.execute("PRAGMA user_version = 1")  # what the store has in its caches counts no more
        rows.commit()
    with pytest.raises(RecordUnsound, match="damaged"):
        await (store.log.placed(0, 1) if who == "reads" else _kept(store, SECOND))
    assert "damaged" in (store.guard.reason or "")
    await _refused(store, "damaged")


async def test_leases_are_written_still(store: Store) -> None:
    """Who found something wrong keeps the log from others."""
    store.guard.end("found by a check")
    await store.leases().write(lambda unit: unit.take_task("sequencer", "prc_1", 1_000_000, ""))


@pytest.mark.postgres
async def test_one_that_is_open_notices_it_when_it_connects_again(migrated_postgres_url: str) -> None:
    guard = RecordGuard()
    writer = await open_writer(migrated_postgres_url, guard=guard)
    store = Store(writer, open_reader(parse_url(migrated_postgres_url)), guard)
    try:
        await _kept(store, "txn_1")
        guard.saw(10)  # as the database had it before it was put back
        await _kept(store, "txn_3")
        await writer._pool.expire_connections()
        await _refused(store, "0 ledger entries have a place, 10 had one")
    finally:
        await store.close()


@pytest.mark.postgres
async def test_a_server_that_comes_back_with_less_is_noticed_on_the_new_connection(migrated_postgres_url: str) -> None:
    guard = RecordGuard()
    guard.saw(10)
    with pytest.raises(RecordUnsound, match="0 ledger entries have a place, 10 had one"):
        await open_writer(migrated_postgres_url, guard=guard)
    assert guard.reason is not None
