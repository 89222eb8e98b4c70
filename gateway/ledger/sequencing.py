"""Sequencing: committed entries get their index in the tree, in batches.

Pure: from the frontier and a batch to the rows to insert, the new frontier, and the checkpoint to sign once the rows
are committed. What is read and written around it is in `ports`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.entries import MAX_ENTRY_BYTES
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import EntryRefused
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The place of an entry in the tree: a row of a table that only grows, unique by index and by (trace, seq)."""

    index: int
    trace: str
    seq: int


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a batch becomes. `bodies` are the entries in the order of their rows, for publishing after the commit."""

    rows: tuple[IndexRow, ...]
    frontier: Frontier
    checkpoint: Checkpoint
    bodies: tuple[bytes, ...]


class Unplaced(Protocol):
    """A committed entry without a place; an `EntryRecord` is one."""

    @property
    def trace(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def leaf_hash(self) -> bytes: ...


def sequence(origin: str, frontier: Frontier, batch: Sequence[Unplaced], indexed: Mapping[str, int]) -> Sequenced:
    """Give the entries of a batch the next indices, in their order.

    Args:
        origin: the log's.
        frontier: the tree so far.
        batch: committed entries without an index; of each trace without a gap, in order of `seq`, which starts at 1.
        indexed: the `seq` of the last entry that has an index, of each trace in the batch that has one.

    Raises:
        EntryRefused: an entry's stored hash is not that of its bytes (somebody changed the row), an entry is longer
            than a bundle can tell, or a trace would have a gap or an entry twice. Nothing may be sequenced then.
    """
    last = dict(indexed)
    rows, leaves = [], []
    for index, entry in enumerate(batch, frontier.size):
        where = f"entry {entry.seq} of {entry.trace}"
        if entry.seq != last.get(entry.trace, 0) + 1:
            raise EntryRefused(f"{where} would follow {last.get(entry.trace, 0)}")
        if len(entry.body) > MAX_ENTRY_BYTES:
            raise EntryRefused(f"{where} has {len(entry.body)} bytes, at most {MAX_ENTRY_BYTES}")
        leaf = leaf_hash(entry.body)
        if leaf != entry.leaf_hash:
            raise EntryRefused(f"{where} does not have the hash that was stored with it")
        last[entry.trace] = entry.seq
        rows.append(IndexRow(index, entry.trace, entry.seq))
        leaves.append(leaf)
    grown = frontier.appended(leaves)
    return Sequenced(tuple(rows), grown, Checkpoint.of(origin, grown), tuple(entry.body for entry in batch))
