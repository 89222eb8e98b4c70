"""The sequencer's ports on the store: hashes and frontiers in, bytes and rows out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

from gateway.ledger.errors import TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import perfect_root
from gateway.ledger.ports import Batch, SequencerUnit
from gateway.ledger.sequencing import IndexRow
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, hashes_on
from gateway.store.log import LogWrites, PlaceRecord, TileRecord
from gateway.store.log_reads import LogReads
from gateway.store.store import Store

T = TypeVar("T")

LEASE_S: Final = 15
"""How long a leader that is silent keeps others from leading; the epoch makes it safe, this only keeps the peace."""
_US: Final = 1_000_000
_FOR_EVER: Final = 2**62


class Now(Protocol):
    """Time in µs since 1970 UTC."""

    def now(self) -> int: ...


class StoredLog:
    """Implements `SequencerStore`.

    `alone`: no other process can write this database (the embedded default), so the lease of one that ended is not
    waited for.
    """

    def __init__(self, store: Store, origin: str, process_id: str, clock: Now, *, alone: bool) -> None:
        self._store = store
        self._origin = origin
        self._process_id = process_id
        self._clock = clock
        self._alone = alone

    async def lead(self) -> int | None:
        """See `SequencerStore`."""
        now = self._clock.now()
        expired = _FOR_EVER if self._alone else now
        return await self._store.write(
            lambda unit: unit.lead_log(self._process_id, expired, now + LEASE_S * _US, bytes(Frontier()))
        )

    async def resign(self, epoch: int) -> None:
        """See `SequencerStore`."""
        await self._store.write(lambda unit: unit.resign_log(epoch))

    async def waiting(self, most: int) -> int:
        """See `SequencerStore`."""
        return await self._store.log.waiting(most)

    async def edge(self) -> TileEdge:
        """See `SequencerStore`."""
        return await stored_edge(self._store.log)

    async def write(self, unit: Callable[[SequencerUnit], Awaitable[T]]) -> T:
        """See `SequencerStore`."""
        until = self._clock.now() + LEASE_S * _US

        async def run(writes: LogWrites) -> T:
            return await unit(_Unit(writes, until))

        return await self._store.write(run)

    async def insert_checkpoint(self, size: int, note: bytes) -> None:
        """See `SequencerStore`."""
        now = self._clock.now()
        await self._store.write(lambda unit: unit.keep_checkpoint(self._origin, size, note, now))

    async def newest_checkpoint(self) -> bytes | None:
        """See `SequencerStore`."""
        return await self._store.log.newest_checkpoint(self._origin)


class _Unit:
    """Implements `SequencerUnit`; the lease is prolonged with the lock."""

    def __init__(self, writes: LogWrites, until: int) -> None:
        self._writes = writes
        self._until = until
        self._frontier = b""
        self._places: list[PlaceRecord] = []

    async def lock_epoch(self, epoch: int) -> bool:
        frontier = await self._writes.hold_log(epoch, self._until)
        if frontier is None:
            return False
        self._frontier = frontier
        return True

    async def frontier(self) -> Frontier:
        return Frontier.from_bytes(self._frontier)

    async def replace_frontier(self, frontier: Frontier) -> None:
        await self._writes.place_entries(self._places, bytes(frontier))

    async def unindexed(self, limit: int) -> Batch:
        return Batch(*await self._writes.unplaced(limit))

    async def insert_tiles(self, tiles: Sequence[tuple[Tile, Sequence[bytes]]]) -> None:
        await self._writes.insert_log_tiles(
            [TileRecord(tile.level, tile.index, perfect_root(hashes), b"".join(hashes)) for tile, hashes in tiles]
        )

    async def insert_index_rows(self, rows: Sequence[IndexRow]) -> None:
        self._places += [PlaceRecord(row.index, row.trace, row.seq) for row in rows]


async def stored_frontier(log: LogReads) -> Frontier:
    """The tree of all entries that have a place, as it is stored. Raises `Malformed`."""
    leader = await log.leader()
    return Frontier() if leader is None else Frontier.from_bytes(leader.frontier)


async def stored_edge(log: LogReads) -> TileEdge:
    """The open tiles of that tree, out of what lies below them.

    Raises:
        TilesDisagree: they do not give the stored frontier; somebody changed rows.
    """
    frontier = await stored_frontier(log)
    levels: list[list[bytes]] = []
    for level in range(-(-frontier.size.bit_length() // TILE_HEIGHT)):
        count = hashes_on(level, frontier.size)
        first = count - count % TILE_WIDTH
        if level == 0:
            levels.append([one.leaf_hash or b"" for one in await log.placed(first, count)])
        else:
            levels.append(await log.tile_roots(level - 1, first, count))
    edge = TileEdge(frontier.size, levels)
    if edge.frontier() != frontier:
        raise TilesDisagree(f"the open tiles in the database do not give the stored tree of {frontier.size} entries")
    return edge
