"""Whether the stored tree continues another one: proven out of a few stored hashes, however many entries lie between.

What the stored hashes say is believed only as far as they lead to both roots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import ProofInvalid
from gateway.ledger.frontier import Frontier
from gateway.ledger.proofs import NodeSource, check_consistency, consistency_proof
from gateway.ledger.stored_nodes import NO_PEAKS, StoredNodes, WantedHashes
from gateway.ledger.stored_receipts import wanted_hashes
from gateway.store.log_reads import LogReads


async def stored_extension(log: LogReads, stored: int, old: Checkpoint | None, new: Checkpoint) -> Frontier:
    """The peaks of the tree of `new`, which begins with that of `old` (None or empty: with nothing).

    Args:
        stored: entries of the stored tree, at least those of `new`.

    Raises:
        ProofInvalid, TilesDisagree, Malformed: what is stored does not show it.
    """
    if old is not None and old.size == 0:
        old = None
    wanted = WantedHashes(stored, NO_PEAKS)
    _proven(wanted, old, new)
    nodes = StoredNodes(NO_PEAKS, await wanted_hashes(log, wanted))
    return await asyncio.to_thread(_checked, nodes, old, new)


def _proven(nodes: NodeSource, old: Checkpoint | None, new: Checkpoint) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The peaks of the new tree, and the proof from the old one."""
    peaks = tuple(nodes.node(level, index) for level, index in _peaks(new.size))
    return peaks, () if old is None else consistency_proof(nodes, old.size, new.size)


def _checked(nodes: NodeSource, old: Checkpoint | None, new: Checkpoint) -> Frontier:
    peaks, proof = _proven(nodes, old, new)
    frontier = Frontier(new.size, peaks)
    if frontier.root != new.root:
        raise ProofInvalid(f"the stored hashes do not give the root of the tree of {new.size} entries")
    if old is not None:
        check_consistency(proof, old=old.size, new=new.size, old_root=old.root, new_root=new.root)
    return frontier


def _peaks(size: int) -> Iterator[tuple[int, int]]:
    """Level and number of each peak, from the left."""
    start = 0
    while start < size:
        level = (size - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level
