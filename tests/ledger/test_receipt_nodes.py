"""The hashes that a proof needs, out of a tree of three levels of tiles, with and without its frontier."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import Malformed, ProofInvalid, TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import perfect_root
from gateway.ledger.proofs import check_inclusion, inclusion_proof
from gateway.ledger.stored_nodes import NO_PEAKS, StoredNodes, WantedHashes, peaks_of
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import TILE_WIDTH
from gateway.store.receipt_reads import HashRun
from tests.ledger.naive import NaiveTree

SIZES = (1, 2, 255, 256, 257, 511, 70_000, 256 * 256, 256 * 257, 66_000, 131_072)
LEAVES = NaiveTree(max(SIZES)).leaves
TILES = {(tile.level, tile.index): hashes for tile, hashes in TileEdge().extend(LEAVES)}
FRONTIERS = {size: Frontier().appended(LEAVES[:size]) for size in SIZES}


def _read(wanted: WantedHashes) -> list[HashRun]:
    """As the store answers."""
    runs = [HashRun(level, tile * TILE_WIDTH, b"".join(TILES[level, tile])) for level, tile in wanted.tiles]
    for level, (first, end) in wanted.open.items():
        hashes = [perfect_root(TILES[level - 1, place]) for place in range(first, end)] if level else LEAVES[first:end]
        runs += (HashRun(level, place, one) for place, one in enumerate(hashes, first))
    return runs


@given(size=st.sampled_from(SIZES), where=st.floats(0, 1), ahead=st.booleans())
def test_a_proof_is_made_of_what_was_wanted_for_it(size: int, where: float, ahead: bool) -> None:
    index = min(int(where * size), size - 1)
    checkpoint = Checkpoint.of("log.example", FRONTIERS[size])
    peaks = peaks_of(bytes(FRONTIERS[131_072 if ahead else size]), checkpoint)
    wanted = WantedHashes(size, peaks)
    inclusion_proof(wanted, index, size)
    assert len(wanted.tiles) <= 2
    proof = inclusion_proof(StoredNodes(peaks, _read(wanted)), index, size)
    check_inclusion(proof, index=index, size=size, leaf=LEAVES[index], root=checkpoint.root)


def test_of_open_tiles_no_more_is_read_than_beside_the_entry() -> None:
    """256 · 257 + 208 leaves: 208 of them in the open tile, one hash in that above, 1 on the third level."""
    size = 66_000
    peaks = peaks_of(bytes(FRONTIERS[size]), Checkpoint.of("log.example", FRONTIERS[size]))
    wanted, without = WantedHashes(size, peaks), WantedHashes(size, NO_PEAKS)
    for nodes in (wanted, without):
        inclusion_proof(nodes, 5, size)
        assert nodes.tiles == {(0, 0), (1, 0)}
    assert wanted.open == {}
    assert without.open == {0: (65_792, 66_000), 1: (256, 257)}
    late = WantedHashes(size, peaks)
    inclusion_proof(late, size - 1, size)
    assert (late.tiles, late.open) == (set(), {0: (65_984, 65_999)})


def test_a_frontier_that_is_not_the_signed_tree_s_is_not_used() -> None:
    checkpoint = Checkpoint.of("log.example", FRONTIERS[511])
    assert len(peaks_of(bytes(FRONTIERS[511]), checkpoint)) == 9
    others = (Frontier(511, FRONTIERS[511].peaks[::-1]), FRONTIERS[257], FRONTIERS[70_000], Frontier())
    for frontier in (*map(bytes, others), b"", b"x" * 40, None):
        assert peaks_of(frontier, checkpoint) == {}


def test_what_is_changed_or_missing_proves_nothing() -> None:
    size, index = 70_000, 5
    root = FRONTIERS[size].root
    wanted = WantedHashes(size, NO_PEAKS)
    inclusion_proof(wanted, index, size)
    runs, chance = _read(wanted), random.Random(3)
    for changed in chance.sample(range(len(runs)), 20):
        run = runs[changed]
        # in the last hash of a run: no tile's last is the entry's own
        altered = run.hashes[:-1] + bytes([run.hashes[-1] ^ 1])
        others = runs[:changed] + runs[changed + 1 :]
        proof = inclusion_proof(StoredNodes(NO_PEAKS, [*others, HashRun(run.level, run.first, altered)]), index, size)
        with pytest.raises(ProofInvalid):
            check_inclusion(proof, index=index, size=size, leaf=LEAVES[index], root=root)
        with pytest.raises(TilesDisagree, match=f"on level {run.level}, "):
            inclusion_proof(StoredNodes(NO_PEAKS, others), index, size)
        with pytest.raises(Malformed, match="no full tile and no hash"):
            StoredNodes(NO_PEAKS, [HashRun(run.level, run.first, run.hashes[:-1])])
    with pytest.raises(Malformed, match="has no hash 70000 on level 0"):
        wanted.node(0, size)
