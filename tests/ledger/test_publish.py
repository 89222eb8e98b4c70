import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.errors import KeyMisused, Malformed, SignatureInvalid, TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.proofs import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_at
from gateway.ledger.publish import Publisher
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.tiles import tiles_of
from gateway.ledger.verify import verify_log
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY, entries, publish_all
from tests.ledger.memory_tiles import MemoryTiles
from tests.ledger.naive import NaiveTree, entry


def test_a_log_of_no_entries_has_a_checkpoint_and_no_tiles(tiles):
    signed = Publisher.open_published(tiles, LOG).publish([], [KEY])
    assert signed.checkpoint.text == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert verify_log(tiles, LOG, None).ok


def test_what_is_published_is_what_the_size_needs():
    tiles = MemoryTiles()
    publish_all(tiles, [70_000])
    assert set(tiles.files) == {tile.path for tile in tiles_of(70_000)} | {"checkpoint"}
    assert (
        LOG.open_checkpoint(tiles.files["checkpoint"]).checkpoint.root
        == Frontier().appended(map(leaf_hash, entries(0, 70_000))).root
    )


@settings(max_examples=40)
@given(grows=st.lists(st.integers(0, 600), min_size=1, max_size=6))
def test_growing_in_any_steps_gives_the_same_tree_and_keeps_every_signed_size_readable(grows):
    tiles, size, seen, signed = MemoryTiles(), 0, None, []
    tree = NaiveTree(sum(grows))
    for grow in grows:
        size += grow
        signed.append(size)
        publish_all(tiles, [size])
        found = verify_log(tiles, LOG, seen)
        assert found.ok, found.wrong
        assert found.checkpoint.root == tree.root(size)
        seen = found.seen or seen
        # whoever still holds an older checkpoint finds its tiles, or the full ones that replaced them
        for older in signed:
            assert root_at(TileNodes(tiles, older), older) == tree.root(older)


def test_partial_files_stay_until_the_full_one_is_there(tiles):
    publish_all(tiles, [10, 20, 250])
    assert tiles.read("tile/0/000.p/10") is not None
    assert tiles.read("tile/entries/000.p/20") is not None
    publish_all(tiles, [260])
    for path in ("tile/0/000.p/10", "tile/0/000.p/250", "tile/entries/000.p/20"):
        assert tiles.read(path) is None, path
    assert tiles.read("tile/0/000") is not None
    assert tiles.read("tile/0/001.p/4") is not None


def test_proofs_from_tiles_are_the_naive_ones(tiles):
    size = 66_000
    publish_all(tiles, [300, size])
    tree, nodes, chance = NaiveTree(size), TileNodes(tiles, size), random.Random(2)
    root = tree.root(size)
    for index in [0, 255, 256, 65_535, 65_536, size - 1, *(chance.randrange(size) for _ in range(30))]:
        proof = inclusion_proof(nodes, index, size)
        assert proof == tree.inclusion(index, size)
        check_inclusion(proof, index=index, size=size, leaf=leaf_hash(entry(index)), root=root)
    for old in [1, 256, 300, 65_536, size, *(chance.randrange(1, size) for _ in range(30))]:
        proof = consistency_proof(nodes, old, size)
        assert proof == tree.consistency(old, size)
        check_consistency(proof, old=old, new=size, old_root=tree.root(old), new_root=root)


def test_a_node_beyond_the_tree_is_refused(tiles):
    publish_all(tiles, [300])
    nodes = TileNodes(tiles, 300)
    for level, index in [(0, 300), (8, 1), (3, 37), (9, 0)]:
        with pytest.raises(Malformed, match="has no hash"):
            nodes.node(level, index)


class Cut(Exception):
    """The power went."""


class CutTiles(MemoryTiles):
    """Writes file after file, and stops after so many."""

    def __init__(self, files, writes):
        super().__init__(files)
        self.left = writes

    def _spend(self):
        if self.left == 0:
            raise Cut
        self.left -= 1

    def write(self, files):
        for path, data in files.items():
            self._spend()
            super().write({path: data})

    def replace(self, path, data):
        self._spend()
        super().replace(path, data)

    def remove_partials(self, tile):
        self._spend()
        super().remove_partials(tile)


@pytest.mark.parametrize(("before", "after"), [(0, 5), (250, 256), (250, 700), (255, 257), (65_530, 65_800)])
def test_a_crash_at_any_moment_of_a_publication_is_mended_by_publishing_again(before, after):
    base = MemoryTiles()
    publish_all(base, [before])
    held = verify_log(base, LOG, None).seen
    whole = MemoryTiles(base.files)
    publish_all(whole, [after])
    writes = 0
    while True:
        tiles = CutTiles(base.files, writes)
        try:
            publish_all(tiles, [after])
        except Cut:
            writes += 1
        else:
            break
        # readers in between see a whole log, the old one or the new one
        between = MemoryTiles(tiles.files)
        found = verify_log(between, LOG, held)
        assert found.ok, found.wrong
        assert found.checkpoint.size in (before, after)
        publish_all(between, [after])
        assert between.files.items() >= whole.files.items()
        assert verify_log(between, LOG, held).ok
        # by then more may have been committed: the next publication has other widths
        between = MemoryTiles(tiles.files)
        publish_all(between, [after + 3])
        assert verify_log(between, LOG, held).ok
    assert writes >= 3  # entries, hashes, checkpoint


def test_signing_again_needs_no_entries(tiles):
    publish_all(tiles, [5])
    publisher = Publisher.open_published(tiles, LOG)
    signed = publisher.publish([], [KEY, OTHER_KEY])
    assert signed.checkpoint.size == 5
    assert LogKeys.pinned(OTHER_KEY.key).open_checkpoint(tiles.read("checkpoint")).checkpoint == signed.checkpoint


def test_only_the_logs_own_keys_sign(tiles):
    publisher = Publisher.open_published(tiles, LOG)
    with pytest.raises(KeyMisused, match="evidence"):
        publisher.publish(entries(0, 1), [SigningKey.generate(f"{ORIGIN}/evidence")])
    assert tiles.read("checkpoint") is None
    with pytest.raises(KeyMisused, match="no key"):
        Publisher.open_published(tiles, LOG).publish(entries(0, 1), [])


def test_nothing_is_built_on_published_files_that_are_not_what_was_signed():
    base = MemoryTiles()
    publish_all(base, [300])
    for path in ("tile/0/001.p/44", "tile/1/000.p/1"):
        tiles = MemoryTiles(base.files | {path: sha256(b"").digest() + base.files[path][32:]})
        with pytest.raises(TilesDisagree, match="do not give the root"):
            Publisher.open_published(tiles, LOG)
    tiles = MemoryTiles(base.files)
    tiles.files["tile/entries/001.p/44"] = tiles.files["tile/entries/001.p/44"].replace(b"posted", b"listed", 1)
    with pytest.raises(TilesDisagree, match="do not have the hashes"):
        Publisher.open_published(tiles, LOG)
    tiles = MemoryTiles(base.files)
    tiles.files["checkpoint"] = tiles.files["checkpoint"].replace(b"300", b"299", 1)
    with pytest.raises(SignatureInvalid):
        Publisher.open_published(tiles, LOG)
    tiles = MemoryTiles(base.files)
    del tiles.files["tile/1/000.p/1"]
    with pytest.raises(TilesDisagree, match="missing"):
        Publisher.open_published(tiles, LOG)


def test_other_entries_at_published_places_are_refused(tiles):
    """As after a crash between tiles and checkpoint, if the database then lost what it had committed."""
    publish_all(tiles, [10])
    tiles.write({"tile/entries/000.p/12": b"something else"})
    with pytest.raises(TilesDisagree, match="other bytes"):
        publish_all(tiles, [12])


def test_an_entry_that_no_bundle_can_hold_is_refused(tiles):
    with pytest.raises(Malformed, match="65536"):
        Publisher.open_published(tiles, LOG).publish([b"x" * 65_536], [KEY])
