"""The log in a real store, on both databases: places, tiles, leaders, late commits, published files."""

import asyncio

import pytest
from sqlalchemy import text

from gateway.domain.entries import leaf_hash
from gateway.ledger.copying import copy_log
from gateway.ledger.errors import EntryRefused, TilesDisagree
from gateway.ledger.hashing import perfect_root
from gateway.ledger.log_keys import LogKeys, announce_key
from gateway.ledger.receipt import parse_receipt, verify_receipt
from gateway.ledger.sequencer import Deposed
from gateway.ledger.startup import LogCheck
from gateway.ledger.stored_receipts import receipts_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verify import verify_directory
from gateway.store.errors import AppendOnly, UniqueViolated
from gateway.store.statement import Command
from tests.ledger.live import MOST, live, made
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY, publish_all
from tests.ledger.test_receipt import NOBODY


async def test_committed_entries_get_places_and_a_signed_checkpoint(store, tmp_path):
    log = live(store, tmp_path)
    await log.commit(made("txn_2", 1), made("txn_1", 1), made("txn_1", 2))
    assert await store.log.waiting(10) == 3
    await log.settle()
    assert await store.log.waiting(10) == 0
    assert [(one.trace, one.seq) for one in await store.log.placed(0, 10)] == [
        ("txn_1", 1),
        ("txn_1", 2),
        ("txn_2", 1),
    ]
    found = await log.verified()
    assert (found.ok, found.checkpoint.size, found.entries) == (True, 3, 3)
    held = log.held.read()
    assert held.checkpoint == found.checkpoint
    assert held.note == await log.files.note("checkpoint")


async def test_a_log_of_many_tiles_is_sound_and_is_published_as_files_that_grow(store, tmp_path):
    log, directory = live(store, tmp_path), DirectoryTiles(tmp_path / "log")
    for size in (1, 255, 256, 700):
        await log.grow(size)
        signed = await asyncio.to_thread(copy_log, await log.tiles(), directory, LOG)
        assert signed.checkpoint.size == size
        found = await asyncio.to_thread(verify_directory, tmp_path / "log", [KEY.key], tmp_path / "seen.json")
        assert found.ok, found.wrong
    assert not (tmp_path / "log/tile/0/000.p").exists()
    assert (await log.verified()).ok


async def test_partial_tiles_stay_readable_when_they_are_full_and_nothing_above_the_checkpoint_is(store, tmp_path):
    log = live(store, tmp_path)
    await log.grow(600)
    leaves = [leaf_hash(made("txn_1", seq).body) for seq in range(1, 601)]
    assert await log.files.read("tile/0/000") == b"".join(leaves[:256])
    assert await log.files.read("tile/0/001.p/3") == b"".join(leaves[256:259])
    assert await log.files.read("tile/0/002.p/88") == b"".join(leaves[512:])
    assert await log.files.read("tile/0/002.p/89") is None
    assert await log.files.read("tile/1/000.p/2") == b"".join(
        [perfect_root(leaves[:256]), perfect_root(leaves[256:512])]
    )
    await log.commit(made("txn_2", 1))
    assert await log.files.read("tile/0/002.p/89") is None
    await log.settle()
    assert await log.files.read("tile/entries/002.p/89") is not None


async def test_an_entry_that_commits_late_gets_its_place(store, tmp_path):
    log = live(store, tmp_path)
    await log.commit(made("txn_9", 1))
    await log.settle()
    await log.commit(made("txn_1", 1))
    await log.settle()
    assert [one.trace for one in await store.log.placed(0, 10)] == ["txn_9", "txn_1"]


async def test_receipts_prove_every_entry_of_a_trace_offline(store, tmp_path):
    log = live(store, tmp_path)
    await log.grow(300)
    await log.commit(made("txn_2", 1), made("txn_2", 2))
    await log.settle()
    found = await receipts_of(store.log, ORIGIN, "txn_2")
    assert [one.seq for one in found] == [1, 2]
    for one in found:
        proven = verify_receipt(parse_receipt(bytes(one.receipt)), one.entry, LOG, NOBODY)
        assert proven.signed.checkpoint.size == 302
    assert [one.seq for one in await receipts_of(store.log, ORIGIN, "txn_2", 2)] == [2]
    assert await receipts_of(store.log, ORIGIN, "txn_3") == []


async def test_one_leads_and_another_follows_only_when_the_lease_has_ended(store, tmp_path):
    first, second = live(store, tmp_path), live(store, tmp_path / "b", process_id="prc_2")
    await first.grow(3)
    assert await second.sequencer.turn() > 0
    assert not second.sequencer.leads
    second.clock.at += 16_000_000
    await second.commit(made("txn_2", 1))
    await second.settle()
    assert second.sequencer.leads
    await first.commit(made("txn_3", 1))
    with pytest.raises(Deposed):
        await first.sequencer.turn()
    await second.settle()
    assert len(await store.log.placed(0, 10)) == 5
    assert (await second.verified()).checkpoint.size == 5


async def test_a_leader_that_ends_hands_over_at_once_and_leaves_nothing_unsigned(store, tmp_path):
    first = live(store, tmp_path)
    await first.grow(3)
    await first.commit(made("txn_2", 1))
    await first.sequencer.finish()
    assert (await first.verified()).checkpoint.size == 4
    second = live(store, tmp_path / "b", process_id="prc_2")
    await second.sequencer.turn()
    assert second.sequencer.leads


async def test_the_only_process_of_a_database_waits_for_no_lease(store, tmp_path):
    await live(store, tmp_path).grow(1)
    second = live(store, tmp_path, process_id="prc_2", alone=True)
    await second.sequencer.turn()
    assert second.sequencer.leads


async def test_what_was_placed_and_not_signed_is_signed_by_the_next_leader(store, tmp_path):
    first = live(store, tmp_path)
    await first.grow(3)
    await first.commit(made("txn_2", 1))
    await first.sequencer._place()
    second = live(store, tmp_path, process_id="prc_2", alone=True)
    await second.sequencer.turn()
    assert (await second.verified()).checkpoint.size == 4


async def test_a_changed_entry_is_never_signed(store, tmp_path):
    log = live(store, tmp_path)
    record = made("txn_1", 1)
    await log.commit(record.__class__(**{**_values(record), "body": b"{}"}))
    with pytest.raises(EntryRefused):
        await log.sequencer.turn()
    assert await log.files.note("checkpoint") is None
    await log.sequencer.run()  # ends by itself
    assert "entry 1 of txn_1 does not have the hash" in log.sequencer.halted


async def test_places_and_tiles_only_grow_and_are_given_once(store, tmp_path):
    await live(store, tmp_path).grow(256)
    for sql in ("UPDATE log_entries SET seq = seq + 1000", "DELETE FROM log_entries", "DELETE FROM log_tiles"):
        with pytest.raises(AppendOnly):
            await store.write(lambda unit, sql=sql: unit._unit.run(Command(text(sql))))
    again = Command(text("INSERT INTO log_entries (log_index, trace, seq) VALUES (999, 'txn_1', 1)"))
    with pytest.raises(UniqueViolated):
        await store.write(lambda unit: unit._unit.run(again))


async def test_a_directory_with_another_log_is_not_written_to(store, tmp_path):
    log, directory = live(store, tmp_path), DirectoryTiles(tmp_path / "log")
    await log.grow(5)
    publish_all(directory, [3])
    before = directory.read("checkpoint")
    with pytest.raises(TilesDisagree, match="not how this log begins"):
        await asyncio.to_thread(copy_log, await log.tiles(), directory, LOG)
    assert directory.read("checkpoint") == before


async def test_a_key_follows_another_and_who_knows_only_the_first_goes_on(store, tmp_path):
    log, directory = live(store, tmp_path), DirectoryTiles(tmp_path / "log")

    async def publish(*keys):
        await asyncio.to_thread(copy_log, await log.tiles(), directory, LogKeys.pinned(*(one.key for one in keys)))
        return await asyncio.to_thread(verify_directory, tmp_path / "log", [KEY.key], tmp_path / "seen.json")

    await log.grow(3)
    assert (await publish(KEY)).keys == (KEY.key,)
    note = bytes(announce_key(KEY, OTHER_KEY, 3))
    await store.write(lambda unit: unit.insert_announcement(ORIGIN, 1, note))
    log.keys = (KEY, OTHER_KEY)
    await log.sequencer.turn()  # without an entry: signed anew, by both
    assert (await log.verified()).checkpoint.size == 3
    assert len(LogKeys.pinned(OTHER_KEY.key).open_checkpoint(log.held.read().note).note.signatures) == 2
    log.keys = (OTHER_KEY,)
    await log.grow(5)
    assert (await publish(OTHER_KEY)).keys == (OTHER_KEY.key,)
    assert await log.check().at_start(MOST), "a process that knows the first key follows its announcement"
    assert await LogCheck(store.log, LogKeys.pinned(OTHER_KEY.key), log.held).at_start(MOST)


def _values(record):
    return {name: getattr(record, name) for name in record.__slots__}
