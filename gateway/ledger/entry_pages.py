"""Entries that a filter wants, page by page, in the order of the log.

Places in the log never change and new ones come at the end, so a page that was read once is the same for ever and the
next begins where it ended. A page looks at blocks of the log that can hold such entries, few at first, and ends when it
is full, when there are no more, or when its time is over: then it may be short, even empty, and says where the next
begins. So a question costs the same whatever it asks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.indexed_entries import BLOCK, IndexedEntry
from gateway.domain.queries import Visible
from gateway.store.entry_conditions import Ranges
from gateway.store.entry_reads import EntryReads

BUDGET_S: Final = 0.1
"""After so long a page is answered as it is."""
FIRST_WIDTH: Final = 4
"""Blocks that a page looks at first, and at least."""
MOST_WIDTH: Final = 16
"""Blocks that one read of many looks at: 16,384 entries."""
WIDEST: Final = 64
"""Blocks that one read of a page looks at where reads are quick."""
QUICK_S, SLOW_S = 0.012, 0.025
"""After a quicker read the next looks at twice as many blocks, after a slower one at half of them: a page ends after
the read in which its time is over, and shall not be late by more than this."""


@dataclass(slots=True)
class Width:
    """How many blocks the next read looks at."""

    blocks: int

    def took(self, seconds: float) -> None:
        """The last read."""
        if seconds < QUICK_S:
            self.blocks = min(self.blocks * 2, WIDEST)
        elif seconds > SLOW_S:
            self.blocks = max(self.blocks // 2, FIRST_WIDTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about entries. `end`: only what has a smaller place in the log; as of an instant, what was known
    then."""

    where: EntryFilter
    end: int
    visible: Visible = field(default_factory=Visible)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`next_after`: the place behind which the next page begins; None: there is none."""

    rows: Sequence[IndexedEntry]
    next_after: int | None


async def read_page(reads: EntryReads, asked: Asked, after: int, limit: int, budget_s: float = BUDGET_S) -> EntryPage:
    """Up to `limit` entries behind the place `after` (-1: from the first)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + budget_s
    rows: list[IndexedEntry] = []
    width, started = Width(FIRST_WIDTH), loop.time()
    async for ranges in windows(reads, asked, after + 1, width):
        rows += await reads.rows(asked.where, asked.visible, ranges, limit + 1 - len(rows))
        if len(rows) > limit:
            return EntryPage(rows[:limit], rows[limit - 1].log_index)
        now = loop.time()
        width.took(now - started)
        started = now
        if now >= until:
            reached = ranges[-1][1] - 1
            return EntryPage(rows, reached if reached + 1 < asked.end else None)
    return EntryPage(rows, None)


async def all_rows(reads: EntryReads, asked: Asked) -> AsyncIterator[Sequence[IndexedEntry]]:
    """All of them, in parts."""
    async for ranges in windows(reads, asked, 0, Width(MOST_WIDTH)):
        rows = await reads.rows(asked.where, asked.visible, ranges, MOST_WIDTH * BLOCK)
        if rows:
            yield rows


async def windows(reads: EntryReads, asked: Asked, first: int, width: Width) -> AsyncIterator[Ranges]:
    """The places that can hold such entries, from `first` on, as many blocks each time as `width` says by then."""
    where = asked.where
    if where.trace is not None:
        # Found by their own key: a few, wherever they are.
        if first < asked.end:
            yield [(first, asked.end)]
        return
    bounds = await reads.blocks_between(where.at_from, where.at_until)
    if bounds is None or first >= asked.end:
        return
    block, last = max(bounds[0], first // BLOCK), min(bounds[1], (asked.end - 1) // BLOCK)
    groups = where.term_groups()
    while block <= last:
        if groups:
            blocks = await reads.blocks_with(groups, block, last, width.blocks)
        else:
            blocks = list(range(block, min(block + width.blocks, last + 1)))
        if not blocks:
            return
        yield _ranges(blocks, first, asked.end)
        block = blocks[-1] + 1


def _ranges(blocks: Sequence[int], first: int, end: int) -> Ranges:
    """Neighbouring blocks as one range, cut to [first, end)."""
    found: list[tuple[int, int]] = []
    for block in blocks:
        start, stop = block * BLOCK, (block + 1) * BLOCK
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return [(max(start, first), min(stop, end)) for start, stop in found if max(start, first) < min(stop, end)]
