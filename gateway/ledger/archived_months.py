"""Which months that were taken out of the database a question about entries reaches."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.months import Month
from gateway.ledger.entry_pages import MOST_WIDTH, Asked, Width, windows
from gateway.store.archived_reads import ArchivedReads, PlacedMonth


async def archived_months_of(reads: ArchivedReads, asked: Asked) -> list[Month]:
    """The months in whose archives entries may be that the question finds, the first first.

    Counts and sums are whole all the same: the index of archived entries stays. May be: what is looked at is blocks of
    the log that can hold such entries, and the places between which the entries of a month stand.
    """
    gone = await reads.months_placed()
    if not gone:
        return []
    if asked.where.trace is not None:
        named = {Month.of_trace(str(trace)) for trace in asked.where.trace}
        return sorted(one.month for one in gone if one.month in named)
    reached: set[Month] = set()
    async for ranges in windows(reads, asked, 0, Width(MOST_WIDTH)):
        reached |= _between(gone, ranges)
        if len(reached) == len(gone):
            break
    return sorted(reached)


def _between(gone: Sequence[PlacedMonth], ranges: Sequence[tuple[int, int]]) -> set[Month]:
    return {one.month for one in gone if any(first <= one.last and one.first < end for first, end in ranges)}
