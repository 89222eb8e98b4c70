"""What is still known of entries whose month was taken out of the database: their index, their places, their hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from gateway.domain.months import Month
from gateway.store.entry_reads import EntryReads, PlacedStep
from gateway.store.filters import padded
from gateway.store.log_schema import log_entries, log_tiles
from gateway.store.schema_months import archived_months
from gateway.store.schema_queries import indexed_entries
from gateway.store.statement import Query

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
"""Of C2SP tlog-tiles: hashes in a full tile, and entries below it."""
_EVERYWHERE: Final = 2**62
_TRACES: Final = 500
"""Traces that are read at once."""
_TILES: Final = 64
"""Tiles that are read at once: half a megabyte."""
_place: Final = log_entries.c
_entry: Final = indexed_entries.c
_tile: Final = log_tiles.c


@dataclass(frozen=True, slots=True)
class PlacedMonth:
    """A month that was taken out: its entries stand at the places [first, last] of the log, others between them."""

    month: Month
    first: int
    last: int


def _month(month: str) -> Month:
    return Month.parse(month)


def _placed(month: str, told: bytes) -> PlacedMonth:
    try:
        said = json.loads(told)
        return PlacedMonth(Month.parse(month), int(said["firstIndex"]), int(said["lastIndex"]))
    except (ValueError, KeyError, TypeError):  # no record of ours: the background check halts for it
        return PlacedMonth(Month.parse(month), 0, _EVERYWHERE)


def _hashes(tile_index: int, hashes: bytes) -> tuple[int, bytes]:
    return tile_index, hashes


_MONTHS: Final = Query(select(archived_months.c.month), _month)
_PLACED_MONTHS: Final = Query(select(archived_months.c.month, archived_months.c.told), _placed)
_tiles = select(_tile.tile_index, _tile.hashes).where(_tile.tile_level == 0)
_HASHES: Final = Query(_tiles, _hashes)
_steps = select(_place.trace, _place.seq, _entry.kind, _entry.at, _place.log_index).select_from(
    log_entries.join(indexed_entries, _entry.log_index == _place.log_index)
)
_STEPS: Final = Query(_steps, PlacedStep)


class ArchivedReads(EntryReads):
    """Entries, whether their bytes are in the database or in the archive of their month."""

    async def months_taken_out(self) -> frozenset[Month]:
        """As they are recorded; whether that is true is the business of the background check."""
        return frozenset(await self._reader.all(_MONTHS))

    async def months_placed(self) -> list[PlacedMonth]:
        """The same, with their places."""
        return list(await self._reader.all(_PLACED_MONTHS))

    async def leaf_hashes_at(self, places: Sequence[int]) -> Mapping[int, bytes]:
        """The hashes of the entries at these places, as far as they stand in full tiles of the log."""
        numbers, found = sorted({place // TILE_WIDTH for place in places}), dict[int, bytes]()
        for start in range(0, len(numbers), _TILES):
            core = _tiles.where(_tile.tile_index.in_(padded(numbers[start : start + _TILES])))
            found |= dict(await self._reader.find(_HASHES, core))
        hashes = {}
        for place in places:
            if place // TILE_WIDTH in found:
                at = place % TILE_WIDTH * HASH_BYTES
                hashes[place] = found[place // TILE_WIDTH][at : at + HASH_BYTES]
        return hashes

    async def steps_of(self, traces: Sequence[str]) -> Mapping[str, Sequence[PlacedStep]]:
        """As `EntryReads.steps_of`; of traces whose entries are archived, as the index tells."""
        found = dict(await super().steps_of(traces))
        gone = [trace for trace in traces if not found.get(trace) or found[trace][0].seq != 1]
        taken_out = await self.months_taken_out() if gone else frozenset()
        gone = [trace for trace in gone if Month.of_trace(trace) in taken_out]
        for start in range(0, len(gone), _TRACES):
            known: dict[str, dict[int, PlacedStep]] = {}
            core = _steps.where(_place.trace.in_(padded(gone[start : start + _TRACES])))
            for one in await self._reader.find(_STEPS, core.order_by(_place.trace, _place.seq)):
                known.setdefault(one.trace, {})[one.seq] = one
            for trace, steps in known.items():
                # what came to the month since it was taken out may not be in the index yet
                every = steps | {one.seq: one for one in found.get(trace, ())}
                found[trace] = [every[seq] for seq in sorted(every)]
        return found
