"""The check before anything is served: what was done to a database while it was stopped is named, and refused."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from gateway.domain.entries import leaf_hash
from gateway.ledger.errors import LogRefused, StateBroken
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.recheck import Recheck
from gateway.ledger.startup import LogCheck
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.ledger.live import MOST, live, made
from tests.ledger.logs import LOG, OTHER_KEY
from tests.migrated import migrated_file

SIZE = 700
FORGED = b'{"kind":"posted","amount":"1.00"}'


@pytest.fixture
async def stopped(tmp_path):
    """A SQLite log of some tiles, and what opens it again."""
    url = migrated_file(tmp_path / "gateway.db")
    store = await open_store(url)
    log = live(store, tmp_path)
    await log.grow(SIZE)
    await log.sequencer.finish()
    await store.close()
    return url


def tamper(tmp_path, *statements):
    """As somebody with the file in hands: without triggers."""
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement, values in statements:
            assert database.execute(statement, values).rowcount > 0, statement


async def start(url, tmp_path, most=MOST, keys=LOG):
    store = await open_store(url)
    try:
        return await LogCheck(store.log, keys, live(store, tmp_path).held).at_start(most)
    finally:
        await store.close()


async def refused(url, tmp_path, most=MOST, keys=LOG):
    with pytest.raises(LogRefused) as report:
        await start(url, tmp_path, most, keys)
    return str(report.value)


async def test_a_sound_log_starts_and_a_small_one_is_checked_completely(stopped, tmp_path):
    assert await start(stopped, tmp_path) is True
    assert await start(stopped, tmp_path, most=SIZE - 1) is False


async def test_an_empty_log_starts(tmp_path):
    url = migrated_file(tmp_path / "gateway.db")
    assert await start(url, tmp_path) is True


async def test_a_changed_entry_below_the_held_checkpoint_is_named(stopped, tmp_path):
    tamper(tmp_path, ("UPDATE ledger_entries SET body = ? WHERE trace = 'txn_1' AND seq = 42", (FORGED,)))
    report = await refused(stopped, tmp_path)
    assert "NOT as it was signed" in report
    assert "entry: entry 41 is not the one that was signed (entry 42 of txn_1)" in report
    assert f"held outside:     {SIZE} entries" in report
    assert f"in the database:  {SIZE} entries" in report


async def test_an_entry_that_was_changed_with_its_hash_is_named_too(stopped, tmp_path):
    change = "UPDATE ledger_entries SET body = ?, leaf_hash = ? WHERE trace = 'txn_1' AND seq = 42"
    tamper(tmp_path, (change, (FORGED, leaf_hash(FORGED))))
    assert "entry 41 is not the one that was signed" in await refused(stopped, tmp_path)


async def test_a_deleted_entry_is_named(stopped, tmp_path):
    tamper(tmp_path, ("DELETE FROM ledger_entries WHERE trace = 'txn_1' AND seq = 300", ()))
    assert "699 entries are stored, 700 have a place" in await refused(stopped, tmp_path)
    tamper(tmp_path, ("INSERT INTO ledger_entries VALUES ('txn_x', 1, 'routed', 1, NULL, ?, ?)", (FORGED, FORGED)))
    assert "entry 299 of the log is gone (300 of txn_1)" in await refused(stopped, tmp_path)


async def test_an_entry_that_never_gets_a_place_is_noticed(stopped, tmp_path):
    tamper(tmp_path, ("INSERT INTO ledger_entries VALUES ('txn_x', 1, 'routed', 1, NULL, ?, ?)", (FORGED, FORGED)))
    assert "701 entries are stored, 700 have a place in the log and 0 wait for one" in await refused(stopped, tmp_path)


async def test_a_database_that_was_put_back_is_refused(stopped, tmp_path):
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as database:
        database.execute("VACUUM INTO ?", (str(tmp_path / "older.db"),))
    store = await open_store(stopped)
    log = live(store, tmp_path, alone=True)
    await log.grow(SIZE + 50)
    await log.sequencer.finish()
    await store.close()
    (tmp_path / "older.db").replace(tmp_path / "gateway.db")
    report = await refused(stopped, tmp_path)
    assert "smaller: the database has 700 entries in its log, 750 were signed (the checkpoint held outside)" in report


async def test_what_was_placed_after_the_held_checkpoint_must_lead_to_the_stored_tree(stopped, tmp_path):
    held = (tmp_path / "held.json").read_bytes()
    store = await open_store(stopped)
    log = live(store, tmp_path, alone=True)
    await log.grow(SIZE + 50)
    await store.close()
    (tmp_path / "held.json").write_bytes(held)
    assert await start(stopped, tmp_path, most=0) is False
    change = "UPDATE ledger_entries SET body = ?, leaf_hash = ? WHERE trace = 'txn_1' AND seq = 730"
    tamper(tmp_path, (change, (FORGED, leaf_hash(FORGED))))
    report = await refused(stopped, tmp_path, most=0)
    assert "frontier: the entries from 700 on do not lead from the held tree to the stored one" in report
    tamper(tmp_path, ("UPDATE ledger_entries SET leaf_hash = zeroblob(32) WHERE seq = 730", ()))
    assert "entry 729 does not have its hash (entry 730 of txn_1)" in await refused(stopped, tmp_path, most=0)


async def test_a_forked_log_with_sound_rows_is_refused(stopped, tmp_path):
    """Somebody made another log of the same size with the same key, and did not reach the held file."""
    other = tmp_path / "other"
    url = f"sqlite:///{other / 'gateway.db'}"
    other.mkdir()
    await migrate(url)
    store = await open_store(url)
    await live(store, other).grow(SIZE, trace="txn_2")
    await store.close()
    (other / "held.json").write_bytes((tmp_path / "held.json").read_bytes())
    assert "do not lead from the held tree to the stored one" in await refused(url, other)


async def test_another_key_is_refused(stopped, tmp_path):
    report = await refused(stopped, tmp_path, keys=LogKeys.pinned(OTHER_KEY.key))
    assert "is not signed by its key" in report


async def test_a_missing_held_file_leaves_the_signed_checkpoint_in_the_database(stopped, tmp_path):
    (tmp_path / "held.json").unlink()
    assert await start(stopped, tmp_path) is True
    tamper(tmp_path, ("UPDATE ledger_entries SET body = ? WHERE trace = 'txn_1' AND seq = 42", (FORGED,)))
    assert "entry 41" in await refused(stopped, tmp_path)


async def test_a_damaged_held_file_is_refused(stopped, tmp_path):
    (tmp_path / "held.json").write_text("{}")
    with pytest.raises(StateBroken, match="restore it"):
        await start(stopped, tmp_path)


async def test_the_recomputation_in_the_background_halts_the_sequencer(stopped, tmp_path):
    tamper(tmp_path, ("UPDATE ledger_entries SET body = ? WHERE trace = 'txn_1' AND seq = 42", (FORGED,)))
    store = await open_store(stopped)
    try:
        log = live(store, tmp_path, alone=True)
        recheck = Recheck(log.check(), 3_600, log.sequencer.halt, first_after_s=0)
        await asyncio.wait_for(recheck.run(), 30)
        assert "entry 41 is not the one that was signed" in recheck.wrong
        await log.commit(made("txn_2", 1))
        await log.sequencer.run()
        assert log.sequencer.halted == recheck.wrong
        assert len(await store.log.placed(0, 2_000)) == SIZE
    finally:
        await store.close()


async def test_the_recomputation_of_a_sound_log_says_nothing(stopped, tmp_path):
    store = await open_store(stopped)
    try:
        log = live(store, tmp_path)
        recheck = Recheck(log.check(), 3_600, log.sequencer.halt, first_after_s=0)
        assert await recheck.once() == 3_600
        assert recheck.wrong is None
    finally:
        await store.close()


@pytest.mark.parametrize("error", [TimeoutError(), RuntimeError("a defect")])
async def test_a_recomputation_that_cannot_be_made_is_told_and_made_again(stopped, tmp_path, error, monkeypatch):
    store = await open_store(stopped)
    try:
        log, told, errors = live(store, tmp_path), [], [error]
        check = log.check()
        whole = check.whole

        async def once_not(progress):
            if errors:
                raise errors.pop()
            return await whole(progress)

        monkeypatch.setattr(check, "whole", once_not)
        recheck = Recheck(check, 3_600, log.sequencer.halt, first_after_s=0, failed=lambda: told.append("told"))
        assert await recheck.once() == 60
        assert (recheck.failure is not None, told) == (isinstance(error, RuntimeError), ["told"])
        assert await recheck.once() == 3_600
        assert (recheck.failure, recheck.wrong, log.sequencer.halted) == (None, None, None)
    finally:
        await store.close()
