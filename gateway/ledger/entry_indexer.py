"""Fills the index by which auditors' questions are answered: after the commit, out of what has a place in the log.

An accept pays nothing for it. The index follows the sequencer, so what was accepted is found by a question about
entries some seconds later (`lag`); a trace by a document's name reads the entries themselves and waits for nobody. Two
processes cannot interleave: a unit locks the index and gives up if it has grown since it looked.

An index that an earlier release made by another rule is mended block by block where it lies, when nothing waits for its
place: months whose entries are archived could not be put into an index that was emptied.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from gateway.domain.indexed_entries import BLOCK, IndexedEntry, PlacedBody, begins, ends, goes_on, indexed, terms_of
from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import GatewayError
from gateway.ledger.state.index import mended
from gateway.store.entry_index import ALL, BlockRecord, SpanRecord
from gateway.store.store import Store, StoreUnit

BATCH: Final = 256
"""Entries of one unit: some milliseconds, for which others wait on SQLite."""
POLL_S: Final = 0.5
"""How often it looks for entries that have a place now."""
RETRY_S: Final = 2.0
"""After a failure that time may mend."""
PAUSE_S: Final = 0.005
"""Between two batches while it catches up: the writer is there for others."""
SHARE: Final = 0.33
"""Of the time, while it catches up and callers wait."""

_log = structlog.get_logger(__name__)


class IndexIncomplete(GatewayError):
    """Entries that are to be put into the index are not in the database."""


class EntryIndexer:
    """`leads`: whether this process is the one that shall fill it; that others would too is only needless work."""

    def __init__(
        self, store: Store, leads: Callable[[], bool] = lambda: True, callers: WaitingCallers = NOBODY
    ) -> None:
        self._store = store
        self._leads = leads
        self._callers = callers
        self._kept: tuple[int, set[str]] = (-1, set())
        self._mended: int | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait = POLL_S
            begun = asyncio.get_running_loop().time()
            try:
                if self._leads() and (await self.turn() or await self.mend()):
                    worked_s = asyncio.get_running_loop().time() - begun
                    wait = PAUSE_S + self._callers.rest_s(worked_s, SHARE)
            except GatewayError as error:  # the database is away: what was committed is read again
                _log.warning("index_waits", error=str(error))
                wait = RETRY_S
            await asyncio.sleep(wait)

    async def finish(self) -> None:
        """Put all into the index that has a place, at the end of a process."""
        while await self.turn():
            pass

    async def mend(self) -> bool:
        """Make the next block again that an earlier rule made; whether there was one. Raises GatewayError.

        Entries that are archived stay in the index as they are: without their bytes nobody can tell.
        """
        ledger = self._store.ledger
        if self._mended is None:
            self._mended = await ledger.indexed_by_rule()
        first, size = self._mended - self._mended % BLOCK, await ledger.indexed_size()
        if self._mended >= ALL or not size:
            return False
        part = await self._store.reads.index_part(first // BLOCK)
        made = None if part is None else await asyncio.to_thread(mended, part)
        end = size if part is None else part.end
        by_rule = ALL if end >= size else end
        if made is not None and made.is_empty and by_rule != ALL:
            self._mended = by_rule
            return True

        async def unit(unit: StoreUnit) -> bool:
            if await unit.hold_entry_index() != size:
                return False
            await unit.mend_entry_index(made, by_rule)
            return True

        if await self._store.write(unit):
            self._mended = by_rule
            self._kept = (-1, set())
        if self._mended >= ALL:
            _log.info("index_mended", entries=size)
        return True

    async def turn(self) -> int:
        """Put the next batch into the index; how many entries it was. Raises GatewayError."""
        first = await self._store.ledger.indexed_size()
        end = min(first + BATCH, first - first % BLOCK + BLOCK, await self._store.ledger.log_size())
        if first >= end:
            return 0
        placed = await self._store.ledger.placed_bodies(first, end)
        if not placed:
            return 0
        if placed[-1].log_index - first + 1 != len(placed):
            raise IndexIncomplete(
                f"of the entries {first} to {placed[-1].log_index} of the log only {len(placed)} are stored: attach "
                "the months that were taken out before the index is made again (erp-gateway ledger partitions attach)"
            )
        entries = await asyncio.to_thread(_indexed, placed)
        times = [entry.at for entry in entries]
        block = BlockRecord(first // BLOCK, min(times), max(times))
        kept = self._kept[1] if self._kept[0] == first and first % BLOCK else set()
        terms = {term for entry in entries for term in terms_of(entry)}
        begun, ended = _spans(placed)

        async def unit(unit: StoreUnit) -> int:
            if await unit.hold_entry_index() != first:
                return 0
            await unit.index_entries(entries, sorted(terms - kept), block, first + len(entries))
            await unit.index_transactions(begun, ended)
            return len(entries)

        done = await self._store.write(unit)
        if done:  # what is committed need not be put there again
            self._kept = (first + done, kept | terms)
        return done


def _indexed(placed: Sequence[PlacedBody]) -> list[IndexedEntry]:
    return [indexed(one) for one in placed]


def _spans(placed: Sequence[PlacedBody]) -> tuple[list[SpanRecord], list[tuple[str, int | None]]]:
    """Transactions that begin here, with their end where that is here too, and the ends of others; None: under way
    again."""
    begun: dict[str, SpanRecord] = {}
    ended: list[tuple[str, int | None]] = []
    for one in placed:
        if begins(one):
            begun[one.trace] = SpanRecord(one.trace, one.log_index, None)
        elif ends(one) or goes_on(one):
            place = one.log_index if ends(one) else None
            if one.trace in begun:
                begun[one.trace] = SpanRecord(one.trace, begun[one.trace].first_index, place)
            else:
                ended.append((one.trace, place))
    return list(begun.values()), ended
