"""What a sequencer needs from the store and around it. Interfaces only; wiring hands them in.

A round of the leader, in this order and no other:

1. In one write unit: `lock_epoch`, `frontier`, `unindexed`, then `sequencing.sequence`, `insert_index_rows`,
   `insert_tiles`, `replace_frontier`. Commit. Two leaders cannot interleave: one of them waits for the row, or finds a
   newer epoch.
2. Outside of any unit: sign. The signature comes after the commit, so no checkpoint is ever above what is durable.
3. The witnesses, each with the consistency proof from the size that it has; then the checkpoint held outside of the
   database; then `insert_checkpoint`, which is what readers are given.

A crash between 1 and 3 leaves entries that have a place and no checkpoint; the next leader signs at once. Before
anything is served, and before a leader's first round, `startup.LogCheck` compares the database with what is held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gateway.ledger.frontier import Frontier
from gateway.ledger.sequencing import IndexRow, Unplaced
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import Tile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """Committed entries without an index. `indexed`: of each trace in it, the `seq` of its last entry with an index."""

    entries: Sequence[Unplaced]
    indexed: Mapping[str, int]


class SequencerUnit(Protocol):
    """One write unit of the sequencer. All of it commits, or none; it may be run again, so it does no other I/O."""

    async def lock_epoch(self, epoch: int) -> bool:
        """Lock the one row that holds the leader's epoch until the end of the unit; whether it is still ours.

        MUST be the first statement of every unit that gives out indices. MUST NOT return true for two holders.
        """
        ...

    async def frontier(self) -> Frontier:
        """The tree of all entries that have an index, as `replace_frontier` left it; empty at first."""
        ...

    async def replace_frontier(self, frontier: Frontier) -> None:
        """Put the new frontier (`bytes()` of it) in place of the former."""
        ...

    async def unindexed(self, limit: int) -> Batch:
        """Up to `limit` committed entries that have no index row.

        MUST be found by anti-join with the index table: an entry whose transaction committed late has a smaller id
        than others that were sequenced already, and 'id greater than the last' would lose it for ever. MUST give of
        each trace a part without gap, in order of `seq`. MUST see only what is committed.
        """
        ...

    async def insert_tiles(self, tiles: Sequence[tuple[Tile, Sequence[bytes]]]) -> None:
        """Keep tiles that this batch made full, with their hashes; they never change."""
        ...

    async def insert_index_rows(self, rows: Sequence[IndexRow]) -> None:
        """Insert into the index table, whose rows are never changed or deleted.

        MUST be unique by index and by (trace, seq), so that no entry has two places, whatever the sequencer does.
        """
        ...


class SequencerStore(Protocol):
    """The store, as the sequencer sees it."""

    async def lead(self) -> int | None:
        """Begin a new epoch and hold it for a while; None while somebody else's lease runs."""
        ...

    async def resign(self, epoch: int) -> None:
        """Let others lead at once."""
        ...

    async def waiting(self, most: int) -> int:
        """Committed entries without an index, counted up to `most`."""
        ...

    async def edge(self) -> TileEdge:
        """The open tiles of the tree of all entries that have an index. Raises `TilesDisagree`, `Malformed`."""
        ...

    async def write(self, unit: Callable[[SequencerUnit], Awaitable[T]]) -> T:
        """Run a unit and commit it; durable when this returns. The function may be run more than once."""
        ...

    async def insert_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint for readers; of the same size the newer note counts.

        MUST NOT be what the start-up check relies on: the copy that counts is outside of the database.
        """
        ...

    async def newest_checkpoint(self) -> bytes | None:
        """The kept checkpoint of the most entries."""
        ...


class Witnesses(Protocol):
    """The witnesses of a log, over whatever carries requests to them."""

    async def add_checkpoint(self, name: str, body: bytes) -> tuple[int, str, bytes]:
        """Send the body of an `add-checkpoint` to one of them; status, media type and body of its answer.

        MUST raise if there was no answer: the checkpoint stands without that cosignature, and nobody waits for it.
        """
        ...
