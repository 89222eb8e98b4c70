"""What receipts are made of, in two reads: what is to be proven and what is signed, then the hashes in between.

On a warm database a round trip costs more than what is read by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, literal_column, select, union_all

from gateway.store import schema
from gateway.store.filters import padded
from gateway.store.log import LOG
from gateway.store.log_schema import log_checkpoints, log_entries, log_leader, log_tiles
from gateway.store.reader import Reader
from gateway.store.statement import Query

AT_ONCE: Final = 128
"""Full tiles of a level that are read at once: a megabyte."""
_NONE: Final = -1
"""No tile has this number."""


@dataclass(frozen=True, slots=True)
class ProvableEntry:
    """An entry with its place; `body` is None where it is gone."""

    log_index: int
    trace: str
    seq: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Provable:
    """One moment of the log: the newest signed checkpoint, the frontier of all that has a place, which may be more, and
    entries in order, also those that no checkpoint covers yet. None: there is none."""

    note: bytes | None
    frontier: bytes | None
    entries: Sequence[ProvableEntry]


@dataclass(frozen=True, slots=True)
class HashRun:
    """Neighbouring hashes on a level of tiles, one after the other; the first stands at the place `first`."""

    level: int
    first: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class _Row:
    note: bytes | None
    frontier: bytes | None
    log_index: int | None
    trace: str | None
    seq: int | None
    body: bytes | None


_entry: Final = schema.ledger_entries.c
_place: Final = log_entries.c
_tile: Final = log_tiles.c
_checkpoint: Final = log_checkpoints.c


def _provable(*, one: bool) -> Query[_Row]:
    """Of a trace, or of one entry of it."""
    newest = (
        select(_checkpoint.note)
        .where(_checkpoint.origin == bindparam("origin"))
        .order_by(_checkpoint.size.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    frontier = select(log_leader.c.frontier).where(log_leader.c.log == LOG).scalar_subquery()
    signed = select(newest.label("note"), frontier.label("frontier")).subquery("signed")
    # the trace is said of both, so that the planner knows the month
    placed = _place.trace == bindparam("trace")
    stored = (_entry.trace == bindparam("trace")) & (_entry.seq == _place.seq)
    if one:
        placed &= _place.seq == bindparam("seq")
    core = (
        select(signed.c.note, signed.c.frontier, _place.log_index, _place.trace, _place.seq, _entry.body)
        .select_from(signed.outerjoin(log_entries, placed).outerjoin(schema.ledger_entries, stored))
        .order_by(_place.seq)
    )
    return Query(core, _Row)


_PROVABLE: Final = _provable(one=False)
_PROVABLE_ONE: Final = _provable(one=True)


@cache
def _runs(levels: int, tiles: int) -> Query[HashRun]:
    """Up to `tiles` full tiles of each of so many levels, and of each level above the first a range of its hashes by
    themselves: each is the root of a full tile below."""
    parts: list[Select[int, int, bytes]] = []
    for level in range(levels):
        wanted = [bindparam(f"tile_{level}_{number}", type_=_tile.tile_index.type) for number in range(tiles)]
        first = (_tile.tile_index * literal_column("256")).label("first")
        parts.append(
            select(literal_column(f"{level}").label("level"), first, _tile.hashes.label("hashes")).where(
                _tile.tile_level == literal_column(f"{level}"), _tile.tile_index.in_(wanted)
            )
        )
        if level:
            parts.append(
                select(literal_column(f"{level}"), _tile.tile_index, _tile.root).where(
                    _tile.tile_level == literal_column(f"{level - 1}"),
                    _tile.tile_index >= bindparam(f"first_{level}"),
                    _tile.tile_index < bindparam(f"end_{level}"),
                )
            )
    return Query(union_all(*parts), HashRun)


class ReceiptReads:
    """Questions that receipts are made of."""

    _reader: Reader

    async def provable(self, origin: str, trace: str, seq: int | None = None) -> Provable:
        """What there is to prove the entries of a trace with, or one of them."""
        if seq is None:
            rows = await self._reader.all(_PROVABLE, {"origin": origin, "trace": trace})
        else:
            rows = await self._reader.all(_PROVABLE_ONE, {"origin": origin, "trace": trace, "seq": seq})
        entries = [
            ProvableEntry(one.log_index, one.trace, one.seq, one.body)
            for one in rows
            if one.log_index is not None and one.trace is not None and one.seq is not None
        ]
        return Provable(rows[0].note, rows[0].frontier, entries)

    async def hash_runs(
        self, tiles: Collection[tuple[int, int]], ranges: Mapping[int, tuple[int, int]]
    ) -> Sequence[HashRun]:
        """Hashes of the tree, as far as they are stored, in any order.

        Args:
            tiles: full tiles, by level and number.
            ranges: by level, from 1 on: the places [first, end) of hashes that are read by themselves.
        """
        levels = 1 + max([*ranges, *(level for level, _ in tiles)], default=-1)
        by_level = [sorted(index for at, index in tiles if at == level) for level in range(levels)]
        most = max(map(len, by_level), default=0)
        found: list[HashRun] = []
        for start in range(0, max(most, 1) if levels else 0, AT_ONCE):
            named: dict[str, int] = {}
            width = len(padded(range(min(max(most - start, 1), AT_ONCE))))
            for level, wanted in enumerate(by_level):
                part = [*wanted[start : start + AT_ONCE], *[_NONE] * width][:width]
                named |= {f"tile_{level}_{number}": index for number, index in enumerate(part)}
                first, end = ranges.get(level, (0, 0)) if start == 0 else (0, 0)
                if level:
                    named |= {f"first_{level}": first, f"end_{level}": end}
            found += await self._reader.all(_runs(levels, width), named)
        return found
