"""Questions about the verifiable log: what its files, proofs and verifications are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, literal_column, select

from gateway.store import schema
from gateway.store.errors import StoreFailure
from gateway.store.log import LOG
from gateway.store.log_schema import log_announcements, log_checkpoints, log_entries, log_leader, log_pending, log_tiles
from gateway.store.reader import Reader
from gateway.store.statement import Query

PART: Final = 2_048
"""Entries that are read at once: about a megabyte."""


class EntriesMissing(StoreFailure):
    """An entry has a place in the log, and the entry itself is gone. Nothing in this program deletes one."""


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads, until when (µs since 1970), and the tree's frontier."""

    epoch: int
    process_id: str
    lease_until: int
    frontier: bytes


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An entry with its place; `body` and `leaf_hash` are None where the entry is gone."""

    log_index: int
    trace: str
    seq: int
    body: bytes | None
    leaf_hash: bytes | None


def _value(column: bytes) -> bytes:
    return column


def _count(column: int) -> int:
    return column


_leader: Final = log_leader.c
_entry: Final = schema.ledger_entries.c
_place: Final = log_entries.c
_tile: Final = log_tiles.c
_checkpoint: Final = log_checkpoints.c

_LEADER: Final = Query(
    select(_leader.epoch, _leader.process_id, _leader.lease_until, _leader.frontier).where(_leader.log == LOG), Leader
)
_waiting = select(literal_column("1").label("one")).select_from(log_pending).limit(bindparam("most")).subquery()
_WAITING: Final = Query(select(func.count()).select_from(_waiting), _count)
_PLACED_BETWEEN: Final = Query(
    select(_place.log_index, _place.trace, _place.seq, _entry.body, _entry.leaf_hash)
    .select_from(
        log_entries.outerjoin(schema.ledger_entries, (_entry.trace == _place.trace) & (_entry.seq == _place.seq))
    )
    .where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end"))
    .order_by(_place.log_index),
    PlacedEntry,
)


def _body(log_index: int, body: bytes | None) -> tuple[int, bytes | None]:
    return log_index, body


_BODIES: Final = Query(
    select(_place.log_index, _entry.body)
    .select_from(
        log_entries.outerjoin(schema.ledger_entries, (_entry.trace == _place.trace) & (_entry.seq == _place.seq))
    )
    .where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end"))
    .order_by(_place.log_index),
    _body,
)
_PLACED_OF_TRACE: Final = Query(
    select(_place.log_index, _place.trace, _place.seq, _entry.body, _entry.leaf_hash)
    .select_from(
        log_entries.outerjoin(schema.ledger_entries, (_entry.trace == _place.trace) & (_entry.seq == _place.seq))
    )
    .where(_place.trace == bindparam("trace"))
    .order_by(_place.seq),
    PlacedEntry,
)
_TILE_HASHES: Final = Query(
    select(_tile.hashes).where(_tile.tile_level == bindparam("level"), _tile.tile_index == bindparam("index")), _value
)
_TILE_ROOTS: Final = Query(
    select(_tile.root)
    .where(
        _tile.tile_level == bindparam("level"),
        _tile.tile_index >= bindparam("first"),
        _tile.tile_index < bindparam("end"),
    )
    .order_by(_tile.tile_index),
    _value,
)
_NEWEST_CHECKPOINT: Final = Query(
    select(_checkpoint.note)
    .where(_checkpoint.origin == bindparam("origin"))
    .order_by(_checkpoint.size.desc())
    .limit(1),
    _value,
)
_COVERING_CHECKPOINT: Final = Query(
    select(_checkpoint.note)
    .where(_checkpoint.origin == bindparam("origin"), _checkpoint.size >= bindparam("size"))
    .order_by(_checkpoint.size)
    .limit(1),
    _value,
)
_ANNOUNCED: Final = Query(
    select(log_announcements.c.note)
    .where(log_announcements.c.origin == bindparam("origin"))
    .order_by(log_announcements.c.key_number),
    _value,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one moment: `entries` is the sum of `placed` and `waiting`, and `frontier` is of a tree of `placed`."""

    entries: int
    placed: int
    waiting: int
    frontier: bytes | None


_TALLY: Final = Query(
    select(
        select(func.count()).select_from(schema.ledger_entries).scalar_subquery().label("entries"),
        select(func.count()).select_from(log_entries).scalar_subquery().label("placed"),
        select(func.count()).select_from(log_pending).scalar_subquery().label("waiting"),
        select(_leader.frontier).where(_leader.log == LOG).scalar_subquery().label("frontier"),
    ),
    Tally,
)


class LogReads:
    """Questions about the log."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def leader(self) -> Leader | None:
        """Who leads; None where nobody ever did."""
        return await self._reader.one(_LEADER)

    async def waiting(self, most: int) -> int:
        """Entries without a place, counted up to `most`."""
        return await self._reader.one(_WAITING, {"most": most}) or 0

    async def tally(self) -> Tally:
        """Entries, places, entries that wait for one, and the tree's frontier, all at one moment."""
        return (await self._reader.all(_TALLY))[0]

    async def placed(self, first: int, end: int) -> list[PlacedEntry]:
        """The entries at the places [first, end), as far as there are places."""
        return await self._reader.all(_PLACED_BETWEEN, {"first": first, "end": end})

    async def placed_of(self, trace: str) -> list[PlacedEntry]:
        """The entries of a trace that have a place, in order."""
        return await self._reader.all(_PLACED_OF_TRACE, {"trace": trace})

    async def bodies(self, first: int, end: int) -> AsyncIterator[Sequence[bytes]]:
        """The bytes of the entries at the places [first, end), in order, in parts.

        Raises:
            EntriesMissing: one of them is gone.
        """
        for start in range(first, end, PART):
            until = min(start + PART, end)
            found = await self._reader.all(_BODIES, {"first": start, "end": until})
            bodies = []
            for index, (log_index, body) in enumerate(found, start):
                if log_index != index or body is None:
                    raise EntriesMissing(await self._missing(log_index))
                bodies.append(body)
            if len(found) != until - start:
                raise EntriesMissing(f"place {start + len(found)} of the log is gone")
            yield bodies

    async def _missing(self, log_index: int) -> str:
        (one,) = await self.placed(log_index, log_index + 1)
        return f"entry {log_index} of the log is gone ({one.seq} of {one.trace})"

    async def tile_hashes(self, level: int, index: int) -> bytes | None:
        """The hashes of a full tile, None where it is not full."""
        return await self._reader.one(_TILE_HASHES, {"level": level, "index": index})

    async def tile_roots(self, level: int, first: int, end: int) -> list[bytes]:
        """The roots of the full tiles [first, end) of a level, as far as there are any."""
        return await self._reader.all(_TILE_ROOTS, {"level": level, "first": first, "end": end})

    async def newest_checkpoint(self, origin: str) -> bytes | None:
        """The signed checkpoint of the most entries."""
        return await self._reader.one(_NEWEST_CHECKPOINT, {"origin": origin})

    async def checkpoint_at_least(self, origin: str, size: int) -> bytes | None:
        """The smallest kept checkpoint of at least that size: the first that covers the entry `size` - 1."""
        return await self._reader.one(_COVERING_CHECKPOINT, {"origin": origin, "size": size})

    async def announcements(self, origin: str) -> list[bytes]:
        """The announcements of the log's new keys, the oldest first."""
        return await self._reader.all(_ANNOUNCED, {"origin": origin})
