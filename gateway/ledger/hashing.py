"""Hashes of an RFC 6962 section 2.1 tree: SHA-256, leaves and nodes set apart by their first byte."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from gateway.domain.entries import leaf_hash

__all__ = ["EMPTY_ROOT", "leaf_hash", "node_hash", "perfect_root", "root_of_peaks"]

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 01 and both children."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2^k neighbouring hashes of one level, k ≥ 0."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, the largest and leftmost first. Odd nodes are never doubled."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
