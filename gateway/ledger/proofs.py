"""Merkle proofs of an RFC 6962 tree: making them, and checking them with no more than the proof and the roots.

Making reads the hashes of perfect subtrees, which never change once they are full. Checking follows RFC 9162
sections 2.1.3.2 and 2.1.4.2, which say the same as RFC 6962 without recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.ledger.errors import ProofInvalid
from gateway.ledger.hashing import node_hash, root_of_peaks
from gateway.ledger.lines import HASH_BYTES, MAX_PROOF_LINES


class NodeSource(Protocol):
    """Where the hashes of perfect subtrees are read."""

    def node(self, level: int, index: int) -> bytes:
        """The root over the leaves `index · 2^level` up to `(index + 1) · 2^level`, which must all be there."""
        ...


def root_at(nodes: NodeSource, size: int) -> bytes:
    """The root of the tree as it was with `size` leaves."""
    return _root_between(nodes, 0, size)


def inclusion_proof(nodes: NodeSource, index: int, size: int) -> tuple[bytes, ...]:
    """That the leaf `index` is in the tree of `size` leaves (RFC 6962 section 2.1.1); the leaf's sibling comes first.

    Raises `ProofInvalid` if there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    start, end, aside = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            aside.append((middle, end))
            end = middle
        else:
            aside.append((start, middle))
            start = middle
    return tuple(_root_between(nodes, *part) for part in reversed(aside))


def consistency_proof(nodes: NodeSource, old: int, new: int) -> tuple[bytes, ...]:
    """That the tree of `new` leaves begins with that of `old` (RFC 6962 section 2.1.2).

    Raises `ProofInvalid` unless 1 ≤ old ≤ new.
    """
    _check_sizes(old, new)
    start, end, aside = 0, new, []
    while end > old:
        middle = start + _split(end - start)
        if old <= middle:
            aside.append((middle, end))
            end = middle
        else:
            aside.append((start, middle))
            start = middle
    if start > 0:  # otherwise this part is the old tree itself, whose root the reader knows
        aside.append((start, end))
    return tuple(_root_between(nodes, *part) for part in reversed(aside))


def check_inclusion(proof: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes) -> None:
    """Return if the proof shows that the leaf hash stands at `index` in the tree; raise `ProofInvalid` if not."""
    _check_shape(proof)
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofInvalid("the inclusion proof is too short")
    if found != root:
        raise ProofInvalid("the inclusion proof does not lead to the root")


def check_consistency(proof: Sequence[bytes], *, old: int, new: int, old_root: bytes, new_root: bytes) -> None:
    """Return if the proof shows that the new tree begins with the old one; raise `ProofInvalid` if not.

    An old size of 0 is refused: every tree is consistent with the empty one, so that would prove nothing.
    """
    _check_shape(proof)
    _check_sizes(old, new)
    if old == new:
        if proof or old_root != new_root:
            raise ProofInvalid("two trees of one size have different roots, or a proof where none is needed")
        return
    if not proof:
        raise ProofInvalid("the consistency proof is empty")
    # A perfect old tree is a subtree of the new one: its root is the first hash, and the proof leaves it out.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    was = becomes = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if at & 1 or at == last:
            was, becomes = node_hash(sibling, was), node_hash(sibling, becomes)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            becomes = node_hash(becomes, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofInvalid("the consistency proof is too short")
    if was != old_root or becomes != new_root:
        raise ProofInvalid("the consistency proof does not lead to both roots")


def _split(count: int) -> int:
    """The largest power of two strictly below the count (RFC 6962 section 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _root_between(nodes: NodeSource, start: int, end: int) -> bytes:
    """The root over leaves [start, end), where `start` is a multiple of every subtree's size in it."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(nodes.node(level, start >> level))
        start += 1 << level
    return root_of_peaks(peaks)


def _check_sizes(old: int, new: int) -> None:
    if old < 1:
        raise ProofInvalid("a tree without leaves is consistent with every tree: that proves nothing")
    if old > new:
        raise ProofInvalid(f"a tree of {new} leaves cannot begin with one of {old}")


def _check_shape(proof: Sequence[bytes]) -> None:
    if len(proof) > MAX_PROOF_LINES:
        raise ProofInvalid(f"{len(proof)} hashes: a proof has at most {MAX_PROOF_LINES}")
    if any(len(one) != HASH_BYTES for one in proof):
        raise ProofInvalid("a proof holds something that is no SHA-256 hash")
