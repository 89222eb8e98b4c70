import random
from dataclasses import replace

import pytest

from gateway.domain.entries import EntryKind, leaf_hash, ledger_entry
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import EntryRefused
from gateway.ledger.frontier import Frontier
from gateway.ledger.ports import SequencerStore
from gateway.ledger.publish import Publisher
from gateway.ledger.receipt import receipt_for, verify_receipt
from gateway.ledger.sequencing import IndexRow, sequence
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.verify import verify_log
from tests.ledger.logs import KEY, LOG, ORIGIN
from tests.ledger.memory_store import MemoryStore
from tests.ledger.memory_tiles import MemoryTiles
from tests.ledger.test_receipt import NOBODY


def _entry(trace, seq):
    return ledger_entry(EntryKind.ROUTED, trace=trace, seq=seq, at=1_700_000_000_000_000 + seq, actor="a")


BATCH = [_entry("txn_1", 1), _entry("txn_2", 4), _entry("txn_1", 2), _entry("txn_2", 5)]


def test_entries_get_the_next_indices_and_the_tree_grows_by_them():
    before = Frontier().appended([bytes(32)] * 3)
    done = sequence(ORIGIN, before, BATCH, {"txn_2": 3})
    assert done.rows == (
        IndexRow(3, "txn_1", 1),
        IndexRow(4, "txn_2", 4),
        IndexRow(5, "txn_1", 2),
        IndexRow(6, "txn_2", 5),
    )
    assert done.frontier == before.appended(leaf_hash(entry.body) for entry in BATCH)
    assert done.checkpoint == Checkpoint(ORIGIN, 7, done.frontier.root)
    assert done.bodies == tuple(entry.body for entry in BATCH)


def test_no_entries_change_nothing():
    before = Frontier().appended([bytes(32)] * 3)
    done = sequence(ORIGIN, before, [], {})
    assert (done.rows, done.frontier, done.bodies) == ((), before, ())


@pytest.mark.parametrize(
    ("batch", "indexed", "why"),
    [
        ([_entry("t", 2)], {}, "entry 2 of t would follow 0"),
        ([_entry("t", 1)], {"t": 1}, "entry 1 of t would follow 1"),
        ([_entry("t", 1), _entry("t", 1)], {}, "entry 1 of t would follow 1"),
        ([_entry("t", 2), _entry("t", 1)], {"t": 0}, "entry 2 of t would follow 0"),
        ([_entry("t", 1), _entry("t", 3)], {}, "entry 3 of t would follow 1"),
        ([replace(_entry("t", 1), body=b"{}")], {}, "not have the hash"),
        ([replace(_entry("t", 1), leaf_hash=bytes(32))], {}, "not have the hash"),
        ([replace(_entry("t", 1), body=b"x" * 65_536)], {}, "65536 bytes"),
    ],
)
def test_what_must_not_enter_the_tree(batch, indexed, why):
    with pytest.raises(EntryRefused, match=why):
        sequence(ORIGIN, Frontier(), batch, indexed)


# --- a whole sequencer on fakes: the ports are enough to build one


class Deposed(Exception):
    """Another leader has a newer epoch."""


async def _give_places(store: SequencerStore, epoch: int, limit: int) -> Checkpoint:
    async def unit(unit):
        if not await unit.lock_epoch(epoch):
            raise Deposed
        batch = await unit.unindexed(limit)
        done = sequence(ORIGIN, await unit.frontier(), batch.entries, batch.indexed)
        await unit.insert_index_rows(done.rows)
        await unit.replace_frontier(done.frontier)
        return done.checkpoint

    return await store.write(unit)


async def _publish(store: SequencerStore, publisher: Publisher, size: int) -> None:
    bodies = [body async for part in store.bodies(publisher.size, size) for body in part]
    signed = publisher.publish(bodies, [KEY])
    await store.insert_checkpoint(signed.checkpoint.size, bytes(signed.note))


async def test_rounds_of_a_leader_give_every_committed_entry_one_place_and_one_proof():
    store, tiles, chance = MemoryStore(), MemoryTiles(), random.Random(3)
    publisher, held, lengths = Publisher.open_published(tiles, LOG), None, {}
    for _ in range(40):
        for _ in range(chance.randrange(30)):
            trace = f"txn_{chance.randrange(50)}"
            lengths[trace] = lengths.get(trace, 0) + 1
            store.commit_entries([_entry(trace, lengths[trace])])
        expected = await _give_places(store, 1, limit=25)
        await _publish(store, publisher, expected.size)
        found = verify_log(tiles, LOG, held)
        assert found.ok, found.wrong
        assert found.checkpoint == expected
        held = found.seen or held
    while len(store.tables.index) < len(store.tables.entries):
        await _publish(store, publisher, (await _give_places(store, 1, limit=25)).size)
    size = len(store.tables.entries)
    nodes, signed = TileNodes(tiles, size), LOG.open_checkpoint(tiles.files["checkpoint"])
    places = {}
    for (trace, seq), record in store.tables.entries.items():
        place = places[trace, seq] = await store.place_of(trace, seq)
        verify_receipt(receipt_for(nodes, place, record.body, signed), record.body, LOG, NOBODY)
    assert sorted(places.values()) == list(range(size))
    for trace, length in lengths.items():  # per trace in order
        assert sorted(places[trace, seq] for seq in range(1, length + 1)) == [
            places[trace, seq] for seq in range(1, length + 1)
        ]


async def test_an_entry_that_commits_late_is_not_lost():
    store = MemoryStore()
    store.commit_entries([_entry("txn_9", 1)])
    await _give_places(store, 1, 10)
    store.commit_entries([_entry("txn_1", 1)])  # its id is smaller than what is sequenced already
    assert (await _give_places(store, 1, 10)).size == 2
    assert store.tables.index == [("txn_9", 1), ("txn_1", 1)]


async def test_a_deposed_leader_gives_no_place():
    store = MemoryStore()
    store.commit_entries([_entry("txn_1", 1)])
    store.tables.epoch = 2
    with pytest.raises(Deposed):
        await _give_places(store, 1, 10)
    assert store.tables.index == []
    assert (await _give_places(store, 2, 10)).size == 1


async def test_a_crash_between_commit_and_publication_is_made_good_by_the_next_leader():
    store, tiles = MemoryStore(), MemoryTiles()
    store.commit_entries([_entry("txn_1", seq) for seq in range(1, 301)])
    await _publish(store, Publisher.open_published(tiles, LOG), (await _give_places(store, 1, 100)).size)
    await _give_places(store, 1, 100)  # and then the process ends
    store.tables.epoch = 2
    publisher = Publisher.open_published(tiles, LOG)
    assert publisher.size == 100
    checkpoint = await _give_places(store, 2, 100)
    await _publish(store, publisher, checkpoint.size)
    assert publisher.frontier == Frontier.from_bytes(store.tables.frontier)
    assert verify_log(tiles, LOG, None).checkpoint.size == 300


async def test_a_row_that_somebody_changed_stops_the_sequencer():
    store = MemoryStore()
    store.commit_entries([_entry("txn_1", 1), _entry("txn_1", 2)])
    store.tables.entries["txn_1", 2] = replace(_entry("txn_1", 2), body=_entry("txn_1", 9).body)
    with pytest.raises(EntryRefused, match="entry 2 of txn_1 does not have the hash"):
        await _give_places(store, 1, 10)
    assert store.tables.index == []


async def test_the_checkpoint_that_first_covers_an_entry_is_kept():
    store, tiles = MemoryStore(), MemoryTiles()
    publisher = Publisher.open_published(tiles, LOG)
    store.commit_entries([_entry("txn_1", seq) for seq in range(1, 8)])
    for size in (3, 7):
        await _give_places(store, 1, 4 if size == 7 else 3)
        await _publish(store, publisher, size)
    for size, covering in ((1, 3), (3, 3), (4, 7), (7, 7)):
        assert LOG.open_checkpoint(await store.checkpoint_at_least(size)).checkpoint.size == covering
    assert await store.checkpoint_at_least(8) is None
