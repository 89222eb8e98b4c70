"""What a sequencer needs from the store and around it. Interfaces only; wiring hands them in.

A round of the leader, in this order and no other:

1. In one write unit: `lock_epoch`, `frontier`, `unindexed`, then `sequencing.sequence`, `insert_index_rows`,
   `replace_frontier`. Commit. Two leaders cannot interleave: one of them waits for the row, or finds a newer epoch.
2. Outside of any unit: `bodies` from the published size on, `Publisher.publish`. The signature comes after the commit,
   so no checkpoint is ever above what is durable.
3. `insert_checkpoint`, and to the witnesses, each with the consistency proof from the size that it has.

A crash between 1 and 2 leaves entries that have a place and are not published; the next round publishes them. At
start: `Publisher.open_published` checks the published files; then the bodies from there on must lead to the stored
frontier, and its size must not be below the published one (the database was put back to an older state: refuse).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gateway.domain.records import EntryRecord
from gateway.ledger.frontier import Frontier
from gateway.ledger.sequencing import IndexRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """Committed entries without an index. `indexed`: of each trace in it, the `seq` of its last entry with an index."""

    entries: Sequence[EntryRecord]
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

    async def insert_index_rows(self, rows: Sequence[IndexRow]) -> None:
        """Insert into the index table, whose rows are never changed or deleted.

        MUST be unique by index and by (trace, seq), so that no entry has two places, whatever the sequencer does.
        """
        ...


class SequencerStore(Protocol):
    """The store, as the sequencer sees it."""

    async def write(self, unit: Callable[[SequencerUnit], Awaitable[T]]) -> T:
        """Run a unit and commit it; durable when this returns. The function may be run more than once."""
        ...

    def bodies(self, first: int, end: int) -> AsyncIterator[Sequence[bytes]]:
        """The bytes of the entries with the indices [first, end), in order, in parts of any size.

        MUST raise rather than leave one out: the index is dense.
        """
        ...

    async def place_of(self, trace: str, seq: int) -> int | None:
        """The index of an entry, None while it has none. For receipts and queries."""
        ...

    async def insert_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint, for questions as of then. The same again changes nothing.

        MUST NOT be where a verifier looks: the copy that counts is outside of the database.
        """
        ...

    async def checkpoint_at_least(self, size: int) -> bytes | None:
        """The smallest kept checkpoint of at least that size: the first that covers the entry `size` - 1."""
        ...


class Witnesses(Protocol):
    """The witnesses of a log, over whatever carries requests to them."""

    async def add_checkpoint(self, name: str, body: bytes) -> tuple[int, str, bytes]:
        """Send the body of an `add-checkpoint` to one of them; status, media type and body of its answer.

        MUST raise if there was no answer: the checkpoint stands without that cosignature, and nobody waits for it.
        """
        ...
