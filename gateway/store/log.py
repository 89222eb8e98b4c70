"""The verifiable log's rows: what one round of its leader writes, and what its files are made of.

Hashes, frontiers and notes are bytes here; what they mean is the ledger's business (`gateway.ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.store import schema
from gateway.store.entries import of_entry
from gateway.store.kept import Kept
from gateway.store.log_schema import (
    log_announcements,
    log_checkpoints,
    log_entries,
    log_leader,
    log_pending,
    log_tiles,
)
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

LOG: Final = "ledger"
"""The key of the leader's one row."""


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """The place of an entry in the tree."""

    log_index: int
    trace: str
    seq: int


@dataclass(frozen=True, slots=True)
class UnplacedEntry:
    """What is needed of an entry to give it a place."""

    trace: str
    seq: int
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class TileRecord:
    """A full tile: its 256 hashes one after the other, and the root over them."""

    tile_level: int
    tile_index: int
    root: bytes
    hashes: bytes


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    origin: str
    size: int
    note: bytes
    kept_at: int | None


@dataclass(frozen=True, slots=True)
class _Announcement:
    origin: str
    key_number: int
    note: bytes


_PLACES: Final = Kept(log_entries, PlaceRecord)
_TILES: Final = Kept(log_tiles, TileRecord)
_CHECKPOINTS: Final = Kept(log_checkpoints, _Checkpoint)
_ANNOUNCEMENTS: Final = Kept(log_announcements, _Announcement)


def _value(column: bytes) -> bytes:
    return column


def _count(column: int) -> int:
    return column


_leader: Final = log_leader.c
_entry: Final = schema.ledger_entries.c
_place: Final = log_entries.c
_pending: Final = log_pending.c
_tile: Final = log_tiles.c
_checkpoint: Final = log_checkpoints.c

_FIRST_LEADER: Final = Command(
    insert(log_leader)
    .values(log=LOG, epoch=0, process_id="", lease_until=0, frontier=bindparam("frontier"))
    .on_conflict_do_nothing()
)
_LEAD: Final = Query(
    update(log_leader)
    .where(
        _leader.log == LOG,
        (_leader.lease_until <= bindparam("now")) | (_leader.process_id == bindparam("process")),
    )
    .values(epoch=_leader.epoch + literal_column("1"), process_id=bindparam("process"), lease_until=bindparam("until"))
    .returning(_leader.epoch),
    _count,
)
_RESIGN: Final = Command(
    update(log_leader)
    .where(_leader.log == LOG, _leader.epoch == bindparam("mine"))
    .values(lease_until=literal_column("0"))
)
# An update that changes nothing else: it holds the row until the unit ends, on both databases.
_HOLD: Final = Query(
    update(log_leader)
    .where(_leader.log == LOG, _leader.epoch == bindparam("mine"))
    .values(lease_until=bindparam("until"))
    .returning(_leader.frontier),
    _value,
)
_FRONTIER: Final = Command(update(log_leader).where(_leader.log == LOG).values(frontier=bindparam("grown")))
_first_pending = (
    select(_pending.trace, _pending.seq).order_by(_pending.trace, _pending.seq).limit(bindparam("most")).subquery()
)
_of_pending: Final = (_first_pending.c.trace, _first_pending.c.seq)
_BATCH: Final = Query(
    select(
        *_of_pending,
        of_entry(_entry.body, *_of_pending).label("body"),
        of_entry(_entry.leaf_hash, *_of_pending).label("leaf_hash"),
    ).order_by(*_of_pending),
    UnplacedEntry,
)


@dataclass(frozen=True, slots=True)
class _Last:
    trace: str
    seq: int


_LAST_PLACED: Final = Query(
    select(_place.trace, func.max(_place.seq).label("seq"))
    .where(_place.trace.in_(select(_first_pending.c.trace)))
    .group_by(_place.trace),
    _Last,
)
_PLACED: Final = Command(
    delete(log_pending).where(_pending.trace == bindparam("trace"), _pending.seq == bindparam("seq"))
)
_keep_checkpoint = insert(log_checkpoints).values({name: bindparam(name) for name in _CHECKPOINTS.names})
_KEEP_CHECKPOINT: Final = Command(
    _keep_checkpoint.on_conflict_do_update(
        index_elements=["origin", "size"], set_={"note": _keep_checkpoint.excluded.note}
    )
)


class LogWrites:
    """The log's rows in a unit."""

    __slots__ = ()
    _unit: Unit

    async def lead_log(self, process_id: str, now: int, until: int, empty: bytes) -> int | None:
        """Begin a new epoch, unless somebody else's lease runs; `empty`: the frontier of a log that has no entry."""
        await self._unit.run(_FIRST_LEADER, {"frontier": empty})
        return await self._unit.one(_LEAD, {"process": process_id, "now": now, "until": until})

    async def hold_log(self, epoch: int, until: int) -> bytes | None:
        """Lock the leader's row until the unit ends, and give the frontier; None if the epoch is not the newest."""
        return await self._unit.one(_HOLD, {"mine": epoch, "until": until})

    async def resign_log(self, epoch: int) -> None:
        """End the lease, so that the next leader need not wait for it."""
        await self._unit.run(_RESIGN, {"mine": epoch})

    async def unplaced(self, limit: int) -> tuple[list[UnplacedEntry], dict[str, int]]:
        """Committed entries without a place, in order of (trace, seq); of their traces the last `seq` with one."""
        entries = await self._unit.all(_BATCH, {"most": limit})
        last = await self._unit.all(_LAST_PLACED, {"most": limit})
        return entries, {one.trace: one.seq for one in last}

    async def place_entries(self, places: Sequence[PlaceRecord], frontier: bytes) -> None:
        """Give entries their places, which none of them has, and put the grown frontier in place of the former."""
        if places:
            await self._unit.run_many(_PLACES.insert, [_PLACES.params(place) for place in places])
            # by key: whoever commits meanwhile is not among them
            await self._unit.run_many(_PLACED, [(place.trace, place.seq) for place in places])
        await self._unit.run(_FRONTIER, {"grown": frontier})

    async def insert_log_tiles(self, tiles: Sequence[TileRecord]) -> None:
        """Keep tiles that have become full."""
        if tiles:
            await self._unit.run_many(_TILES.insert, [_TILES.params(tile) for tile in tiles])

    async def keep_checkpoint(self, origin: str, size: int, note: bytes, kept_at: int) -> None:
        """Keep a signed checkpoint; of one size the newest note, which may have more signatures, and the first time
        (µs) that it was kept at."""
        checkpoint = _Checkpoint(origin, size, note, kept_at)
        await self._unit.run(_KEEP_CHECKPOINT, _CHECKPOINTS.params(checkpoint))

    async def insert_announcement(self, origin: str, number: int, note: bytes) -> None:
        """Keep the announcement of the log's `number`-th new key."""
        await self._unit.run(_ANNOUNCEMENTS.insert, _ANNOUNCEMENTS.params(_Announcement(origin, number, note)))
