"""Questions about the verifiable log: what its files, proofs and verifications are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, literal, literal_column, select

from gateway.domain.months import Month
from gateway.store import schema
from gateway.store.entries import of_entry
from gateway.store.errors import StoreFailure
from gateway.store.filters import padded
from gateway.store.kept_checkpoints import KeptCheckpointReads
from gateway.store.log import LOG
from gateway.store.log_schema import log_announcements, log_checkpoints, log_entries, log_leader, log_pending, log_tiles
from gateway.store.month_reads import MonthReads
from gateway.store.reader import Reader
from gateway.store.receipt_reads import ReceiptReads
from gateway.store.statement import Query

PART: Final = 2_048
"""Entries that are read at once: about a megabyte."""


class EntriesMissing(StoreFailure):
    """An entry has a place in the log, and the entry itself is not there. Nothing deletes one but taking its month out
    (`erp-gateway ledger partitions detach`), which is recorded."""


class EntriesArchived(EntriesMissing):
    """It is in the archive of its month, which was taken out; the message names the month. `months`: of all that is
    gone of what was asked for, each of which was taken out."""

    def __init__(self, message: str, months: Sequence[Month]) -> None:
        super().__init__(message)
        self.months = tuple(months)


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads, until when (µs since 1970), and the tree's frontier."""

    epoch: int
    process_id: str
    lease_until: int
    frontier: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the log."""

    log_index: int
    trace: str
    seq: int


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry by its own key."""

    trace: str
    seq: int
    body: bytes
    leaf_hash: bytes


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
_stored_body: Final = of_entry(_entry.body, _place.trace, _place.seq).label("body")
_stored_hash: Final = of_entry(_entry.leaf_hash, _place.trace, _place.seq).label("leaf_hash")
PLACED: Final = select(_place.log_index, _place.trace, _place.seq, _stored_body, _stored_hash)
"""For `PlacedEntry`; conditions on the place are to be added."""
_PLACED_BETWEEN: Final = Query(
    PLACED.where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end")).order_by(
        _place.log_index
    ),
    PlacedEntry,
)


_places: Final = select(_place.log_index, _place.trace, _place.seq)
_PLACES: Final = Query(_places, Place)
_PLACES_BETWEEN: Final = Query(
    _places.where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end")).order_by(
        _place.log_index
    ),
    Place,
)
_stored = select(_entry.trace, _entry.seq, _entry.body, _entry.leaf_hash)
_STORED: Final = Query(_stored, StoredEntry)


def _leaf_hash(leaf_hash: bytes | None) -> bytes:
    return leaf_hash or b""


_LEAVES_BETWEEN: Final = Query(
    select(_stored_hash)
    .where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end"))
    .order_by(_place.log_index),
    _leaf_hash,
)


def _body(log_index: int, body: bytes | None) -> tuple[int, bytes | None]:
    return log_index, body


_BODIES: Final = Query(
    select(_place.log_index, _stored_body)
    .where(_place.log_index >= bindparam("first"), _place.log_index < bindparam("end"))
    .order_by(_place.log_index),
    _body,
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


def _of_these(traces: Sequence[str], *, sqlite: bool) -> ColumnElement[bool]:
    """By traces; on PostgreSQL as one value, for hundreds of parameters take a millisecond to put together."""
    if sqlite:
        return _entry.trace.in_(padded(traces))
    return _entry.trace == any_(literal(list(traces), ARRAY(Text())))


async def placed_at(reader: Reader, places: Sequence[int]) -> list[PlacedEntry]:
    """The entries at these places of the log, as far as there are such places, in any order."""
    core = _places.where(_place.log_index.in_(padded(places)))
    return await with_entries(reader, await reader.find(_PLACES, core) if places else [])


async def with_entries(reader: Reader, places: Sequence[Place]) -> list[PlacedEntry]:
    """What stands there. In a read of its own, by traces: a planner that does not know them plans for all months."""
    if not places:
        return []
    traces, seqs = sorted({one.trace for one in places}), sorted({one.seq for one in places})
    core = _stored.where(_of_these(traces, sqlite=reader.is_sqlite), _entry.seq.in_(padded(seqs)))
    stored = {(one.trace, one.seq): one for one in await reader.find(_STORED, core)}
    found = [(one, stored.get((one.trace, one.seq))) for one in places]
    return [
        PlacedEntry(at.log_index, at.trace, at.seq, one.body if one else None, one.leaf_hash if one else None)
        for at, one in found
    ]


class LogReads(MonthReads, ReceiptReads, KeptCheckpointReads):
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

    async def leaf_hashes(self, first: int, end: int) -> list[bytes]:
        """Of the entries at the places [first, end), as far as there are places; empty where an entry is gone."""
        if self._reader.is_sqlite:  # which has no months
            return await self._reader.all(_LEAVES_BETWEEN, {"first": first, "end": end})
        places = await self._reader.all(_PLACES_BETWEEN, {"first": first, "end": end})
        return [one.leaf_hash or b"" for one in await with_entries(self._reader, places)]

    async def bodies(self, first: int, end: int) -> AsyncIterator[Sequence[bytes]]:
        """The bytes of the entries at the places [first, end), in order, in parts.

        Raises:
            EntriesArchived: some are gone, all of them with their months.
            EntriesMissing: one of them is gone otherwise.
        """
        for start in range(first, end, PART):
            until = min(start + PART, end)
            found = await self._reader.all(_BODIES, {"first": start, "end": until})
            bodies = []
            for index, (log_index, body) in enumerate(found, start):
                if log_index != index or body is None:
                    raise await self._missing(log_index, until)
                bodies.append(body)
            if len(found) != until - start:
                raise EntriesMissing(f"place {start + len(found)} of the log is gone")
            yield bodies

    async def _missing(self, log_index: int, until: int) -> EntriesMissing:
        """What is to be said of the entry there, which is gone, and of those up to `until` that are: one that was taken
        out does not excuse another that was not."""
        before = await self.archived_months()
        placed = await self.placed(log_index, until)
        # Read twice: a month may be taken out or put back in the meantime.
        archived = {record.month for record in (*before, *await self.archived_months())}
        months: dict[Month, str] = {}
        for one in placed:
            if one.body is not None:
                continue
            name, month = f"({one.seq} of {one.trace})", Month.of_trace(one.trace)
            if month is None or str(month) not in archived:
                return EntriesMissing(f"entry {one.log_index} of the log is gone {name}")
            months.setdefault(
                month,
                f"entry {one.log_index} of the log {name} is archived with {month}: attach the month from its archive "
                "(erp-gateway ledger partitions attach), or read it there",
            )
        if not months:
            return EntriesMissing(f"entry {log_index} of the log was gone, and is there again")
        return EntriesArchived(next(iter(months.values())), sorted(months))

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
