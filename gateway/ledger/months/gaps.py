"""The leaves of bundles some of whose entries were taken out of the database with their month.

Whoever recomputes the log takes the hashes of these out of the tiles, and of all others out of their bytes. The root
over both must be the signed one, so a hash cannot be altered unnoticed; only what an archived entry says is not looked
at here: its archive says it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.domain.months import Month
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.months.records import GoneMonths
from gateway.ledger.tiles import TILE_WIDTH, Tile
from gateway.store.log_reads import LogReads, PlacedEntry

READ_S: Final = 60.0
"""Longest wait of a thread for the rows of one bundle."""


class StoredGaps:
    """Implements `gateway.ledger.recomputation.Gaps` for a thread beside the loop."""

    def __init__(self, log: LogReads, gone: GoneMonths, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._gone = gone
        self._loop = loop

    def leaves(self, bundle: Tile, told: Sequence[bytes]) -> list[bytes] | None:
        """See `Gaps`."""
        first = bundle.index * TILE_WIDTH
        end = first + bundle.width
        if not any(one.first < end and first <= one.last for one in self._gone.values()):
            return None
        asked = asyncio.run_coroutine_threadsafe(self._log.placed(first, end), self._loop)
        return filled(asked.result(READ_S), first, told, self._gone)


def filled(rows: Sequence[PlacedEntry], first: int, told: Sequence[bytes], gone: GoneMonths) -> list[bytes] | None:
    """The leaves of these rows, which stand at the places from `first` on; `told`: their hashes as the tile says.

    None: nothing of them was taken out, or something else is missing; then the entries themselves are to be read.
    """
    if len(rows) != len(told) or all(one.body is not None for one in rows):
        return None
    leaves = []
    for place, (row, hash_told) in enumerate(zip(rows, told, strict=True), first):
        if row.log_index != place:
            return None
        if row.body is None and not is_gone(row.trace, gone):
            return None
        leaves.append(hash_told if row.body is None else leaf_hash(row.body))
    return leaves


def is_gone(trace: str, gone: GoneMonths) -> bool:
    """Whether the trace is of a month that was taken out."""
    month: Month | None = Month.of_trace(trace)
    return month is not None and month in gone
