"""A store in memory that implements what the sequencer needs: commits, epochs, late commits, crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.domain.records import EntryRecord
from gateway.ledger.frontier import Frontier
from gateway.ledger.ports import Batch, SequencerUnit
from gateway.ledger.sequencing import IndexRow

T = TypeVar("T")


@dataclass
class Tables:
    """What is committed."""

    entries: dict[tuple[str, int], EntryRecord] = field(default_factory=dict)
    index: list[tuple[str, int]] = field(default_factory=list)
    frontier: bytes = bytes(8)
    epoch: int = 1
    checkpoints: dict[int, bytes] = field(default_factory=dict)


class MemoryUnit:
    """One write unit on a copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    async def lock_epoch(self, epoch: int) -> bool:
        return self.tables.epoch == epoch

    async def frontier(self) -> Frontier:
        return Frontier.from_bytes(self.tables.frontier)

    async def replace_frontier(self, frontier: Frontier) -> None:
        self.tables.frontier = bytes(frontier)

    async def unindexed(self, limit: int) -> Batch:
        placed = set(self.tables.index)
        last: dict[str, int] = {}
        for trace, seq in placed:
            last[trace] = max(seq, last.get(trace, 0))
        free = sorted(key for key in self.tables.entries if key not in placed)[:limit]
        return Batch(
            [self.tables.entries[key] for key in free], {trace: last[trace] for trace, _ in free if trace in last}
        )

    async def insert_index_rows(self, rows: Sequence[IndexRow]) -> None:
        for row in rows:
            assert row.index == len(self.tables.index), "an index twice, or a gap"
            assert (row.trace, row.seq) not in self.tables.index, "an entry twice"
            self.tables.index.append((row.trace, row.seq))


class MemoryStore:
    """The committed tables, and one unit at a time."""

    def __init__(self) -> None:
        self.tables = Tables()
        self._alone = asyncio.Lock()

    def commit_entries(self, records: Sequence[EntryRecord]) -> None:
        """What the line commits, at any time."""
        self.tables.entries |= {(record.trace, record.seq): record for record in records}

    async def write(self, unit: Callable[[SequencerUnit], Awaitable[T]]) -> T:
        async with self._alone:
            draft = deepcopy(self.tables)
            result = await unit(MemoryUnit(draft))
            draft.entries |= self.tables.entries
            self.tables = draft
            return result

    async def bodies(self, first: int, end: int) -> AsyncIterator[Sequence[bytes]]:
        for at in range(first, end, 100):
            yield [self.tables.entries[key].body for key in self.tables.index[at : min(at + 100, end)]]

    async def place_of(self, trace: str, seq: int) -> int | None:
        key = (trace, seq)
        return self.tables.index.index(key) if key in self.tables.index else None

    async def insert_checkpoint(self, size: int, note: bytes) -> None:
        self.tables.checkpoints.setdefault(size, note)

    async def checkpoint_at_least(self, size: int) -> bytes | None:
        found = min((one for one in self.tables.checkpoints if one >= size), default=None)
        return None if found is None else self.tables.checkpoints[found]
