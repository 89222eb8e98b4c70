from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.errors import Malformed
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import EMPTY_ROOT, leaf_hash
from gateway.ledger.lines import MAX_SIZE
from tests.ledger.naive import NaiveTree, entry

VECTORS = {
    1: "H7W663YCp6kHDs3r6eUUSfWaAQ/ByNh+UwIzVAFoWBs=",
    7: "OaWoYFrhWplPR0GzUUyrSgHqEJ/iqAL4/tU+R/daqSo=",
    256: "xhxN4kRhGxp/kk2eH81HQ7cR2SwH7ETPQIUMGnB2A/M=",
    259: "2m5C7HqEqb0/hcmpF2qt5eHEKQ+Fj9iuFynhX2mUXuw=",
    70_000: "uxG7FNzKL2dE/kBN8YFZD0eBUqHdsnuwbonyNPnCYEA=",
}


@pytest.mark.parametrize(("size", "root"), VECTORS.items())
def test_roots_are_those_of_the_published_vectors(size, root):
    assert Frontier().appended(leaf_hash(entry(index)) for index in range(size)).root == b64decode(root)


def test_an_empty_tree_has_the_hash_of_nothing_as_its_root():
    assert Frontier().root == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_frontier_up_to_1025_has_the_naive_root():
    tree, frontier = NaiveTree(1025), Frontier()
    for size in range(1025):
        assert frontier.size == size
        assert frontier.root == tree.root(size)
        frontier = frontier.appended(tree.leaves[size : size + 1])


@given(parts=st.lists(st.integers(0, 300), max_size=8))
def test_how_entries_are_cut_into_batches_changes_nothing(parts):
    leaves = [leaf_hash(entry(index)) for index in range(sum(parts))]
    frontier, start = Frontier(), 0
    for part in parts:
        frontier = frontier.appended(leaves[start : start + part])
        start += part
    assert frontier == Frontier().appended(leaves)
    assert len(frontier.peaks) == sum(parts).bit_count()


@given(size=st.integers(0, 2_000))
def test_a_frontier_survives_its_row(size):
    frontier = Frontier().appended(leaf_hash(entry(index)) for index in range(size))
    assert Frontier.from_bytes(bytes(frontier)) == frontier
    assert len(bytes(frontier)) == 8 + 32 * size.bit_count()


def test_spans_are_the_perfect_subtrees_from_the_left():
    tree = NaiveTree(13)
    spans = list(Frontier().appended(tree.leaves).spans())
    assert [(start, end) for start, end, _ in spans] == [(0, 8), (8, 12), (12, 13)]
    assert [peak for _, _, peak in spans] == [tree.root_between(start, end) for start, end, _ in spans]


@pytest.mark.parametrize(
    ("size", "peaks"),
    [
        (-1, ()),
        (MAX_SIZE + 1, (bytes(32),)),
        (1, ()),
        (0, (bytes(32),)),
        (4, (bytes(32), bytes(32))),
        (2, (bytes(31),)),
    ],
)
def test_peaks_that_no_such_tree_has_are_refused(size, peaks):
    with pytest.raises(Malformed, match="frontier"):
        Frontier(size, peaks)


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, bytes(9), (1).to_bytes(8, "big"), bytes(8) + bytes(32)])
def test_a_damaged_row_is_refused(data):
    with pytest.raises(Malformed, match="frontier"):
        Frontier.from_bytes(data)
