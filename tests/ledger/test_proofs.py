import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.errors import ProofInvalid
from gateway.ledger.proofs import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_at
from tests.ledger.memory_nodes import MemoryNodes
from tests.ledger.naive import NaiveTree

TREE = NaiveTree(1025)
NODES = MemoryNodes(TREE.leaves)


def _check_all(sizes):
    """Every proof of trees of these sizes is the naive one, and verifies."""
    for size in sizes:
        root = TREE.root(size)
        assert root_at(NODES, size) == root
        for index in range(size):
            proof = inclusion_proof(NODES, index, size)
            assert proof == TREE.inclusion(index, size), (index, size)
            check_inclusion(proof, index=index, size=size, leaf=TREE.leaves[index], root=root)
        for old in range(1, size + 1):
            proof = consistency_proof(NODES, old, size)
            assert proof == TREE.consistency(old, size), (old, size)
            check_consistency(proof, old=old, new=size, old_root=TREE.root(old), new_root=root)


def test_every_proof_of_every_tree_up_to_257():
    _check_all(range(258))


@pytest.mark.slow
def test_every_proof_of_every_tree_up_to_1025():
    _check_all(range(258, 1026))


@st.composite
def altered(draw, proof):
    """The proof with one thing changed."""
    proof, how = list(proof), draw(st.sampled_from(["flip", "drop", "add", "swap", "twice", "cut"]))
    if how == "add" or not proof:
        proof.insert(draw(st.integers(0, len(proof))), draw(st.binary(min_size=32, max_size=32)))
        return tuple(proof)
    at = draw(st.integers(0, len(proof) - 1))
    match how:
        case "flip":
            bit = draw(st.integers(0, 255))
            proof[at] = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        case "drop":
            del proof[at]
        case "twice":
            proof.insert(at, proof[at])
        case "cut":
            proof[at] = proof[at][:31]
        case "swap":
            other = draw(st.integers(0, len(proof) - 1))
            if other == at:
                del proof[at]
            else:
                proof[at], proof[other] = proof[other], proof[at]
    return tuple(proof)


@given(data=st.data())
def test_an_altered_inclusion_proof_is_refused(data):
    size = data.draw(st.integers(1, 1025))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(altered(inclusion_proof(NODES, index, size)))
    with pytest.raises(ProofInvalid):
        check_inclusion(proof, index=index, size=size, leaf=TREE.leaves[index], root=TREE.root(size))


@given(data=st.data())
def test_an_altered_consistency_proof_is_refused(data):
    new = data.draw(st.integers(1, 1025))
    old = data.draw(st.integers(1, new))
    proof = data.draw(altered(consistency_proof(NODES, old, new)))
    with pytest.raises(ProofInvalid):
        check_consistency(proof, old=old, new=new, old_root=TREE.root(old), new_root=TREE.root(new))


@given(data=st.data())
def test_a_consistency_proof_is_of_two_roots(data):
    new = data.draw(st.integers(2, 1025))
    old = data.draw(st.integers(1, new - 1))
    other = data.draw(st.integers(1, 1025).filter(lambda one: one not in (old, new)))
    proof = consistency_proof(NODES, old, new)
    for old_root, new_root in ((TREE.root(other), TREE.root(new)), (TREE.root(old), TREE.root(other))):
        with pytest.raises(ProofInvalid):
            check_consistency(proof, old=old, new=new, old_root=old_root, new_root=new_root)


@given(data=st.data())
def test_a_proof_proves_one_entry_at_one_place_only(data):
    size = data.draw(st.integers(2, 1025))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    proof, root = inclusion_proof(NODES, index, size), TREE.root(size)
    for wrong in (
        {"index": other, "leaf": TREE.leaves[index]},
        {"index": index, "leaf": TREE.leaves[other]},
        {"index": other, "leaf": TREE.leaves[other]},
    ):
        with pytest.raises(ProofInvalid):
            check_inclusion(proof, size=size, root=root, **wrong)


@given(data=st.data())
def test_a_node_never_passes_for_a_leaf(data):
    """The hashes of leaves and nodes are set apart (CVE-2022-36111 was a proof that two contents satisfied)."""
    half = data.draw(st.integers(1, 512))
    size = 2 * half
    at = data.draw(st.integers(0, half - 1))
    proof = inclusion_proof(NODES, 2 * at, size)
    node = NODES.node(1, at)
    with pytest.raises(ProofInvalid):
        check_inclusion(proof[1:], index=at, size=half, leaf=TREE.leaves[2 * at], root=TREE.root(size))
    # the same node as a leaf of a tree of half the size has that root: only the size in the checkpoint tells them
    # apart, which is why size and root are signed together
    check_inclusion(proof[1:], index=at, size=half, leaf=node, root=TREE.root(size))


def test_consistency_with_an_empty_tree_proves_nothing_and_is_refused():
    with pytest.raises(ProofInvalid, match="proves nothing"):
        check_consistency((), old=0, new=5, old_root=TREE.root(0), new_root=TREE.root(5))
    with pytest.raises(ProofInvalid, match="proves nothing"):
        check_consistency((), old=0, new=0, old_root=TREE.root(0), new_root=TREE.root(0))
    with pytest.raises(ProofInvalid, match="proves nothing"):
        consistency_proof(NODES, 0, 5)


def test_two_trees_of_one_size_need_one_root_and_no_proof():
    check_consistency((), old=5, new=5, old_root=TREE.root(5), new_root=TREE.root(5))
    with pytest.raises(ProofInvalid, match="one size"):
        check_consistency((), old=5, new=5, old_root=TREE.root(5), new_root=TREE.root(6))
    with pytest.raises(ProofInvalid, match="one size"):
        check_consistency((bytes(32),), old=5, new=5, old_root=TREE.root(5), new_root=TREE.root(5))


def test_a_tree_does_not_begin_with_a_larger_one():
    with pytest.raises(ProofInvalid, match="cannot begin"):
        check_consistency((), old=6, new=5, old_root=TREE.root(6), new_root=TREE.root(5))
    with pytest.raises(ProofInvalid, match="cannot begin"):
        consistency_proof(NODES, 6, 5)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (9, 5)])
def test_there_is_no_proof_for_an_entry_that_is_not_there(index, size):
    with pytest.raises(ProofInvalid, match="has no leaf"):
        inclusion_proof(NODES, index, size)
    with pytest.raises(ProofInvalid, match="has no leaf"):
        check_inclusion((), index=index, size=size, leaf=bytes(32), root=bytes(32))


def test_a_proof_has_at_most_63_hashes():
    with pytest.raises(ProofInvalid, match="63"):
        check_inclusion((bytes(32),) * 64, index=0, size=2, leaf=bytes(32), root=bytes(32))


def test_a_checker_takes_any_garbage_without_failing_otherwise():
    chance = random.Random(1)
    for _ in range(20_000):
        size, index = chance.randrange(1, 2**63), chance.randrange(2**63)
        proof = [chance.randbytes(32) for _ in range(chance.randrange(64))]
        with pytest.raises(ProofInvalid):
            check_inclusion(proof, index=index, size=size, leaf=bytes(32), root=bytes(32))
        with pytest.raises(ProofInvalid):
            check_consistency(proof, old=index, new=size, old_root=bytes(32), new_root=bytes(32))
