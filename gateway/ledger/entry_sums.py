"""Counts and sums of entries by group, exact, over as much of the log as is asked for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from gateway.domain.indexed_entries import decimal_of
from gateway.errors import Problem
from gateway.ledger.entry_pages import MOST_WIDTH, Asked, Width, windows
from gateway.store.entry_reads import EntryReads

MOST_GROUPS: Final = 10_000
"""Groups of one answer."""
LONGEST_S: Final = 60.0
"""A question that takes longer is refused; a narrower one is not."""

Key = tuple[str | int | None, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MoneySum:
    """What entries of one kind bear in one currency. `entries`: those that bear an amount."""

    kind: str
    currency_code: str
    entries: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """`key`: the values of what it was grouped by, in this order."""

    key: Key
    entries: int
    sums: Sequence[MoneySum]


async def sum_up(reads: EntryReads, asked: Asked, group_by: Sequence[str]) -> list[Group]:
    """`group_by`: fields of `IndexedEntry`, `day` or `month` (UTC, of the time that entries bear).

    Raises Problem `invalid-request`: too many groups, or too much to go through in time.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    columns = ["day" if name == "month" else name for name in group_by]
    counts: dict[Key, int] = defaultdict(int)
    sums: dict[Key, dict[tuple[str, str], list[int]]] = defaultdict(dict)
    async for ranges in windows(reads, asked, 0, Width(MOST_WIDTH)):
        for one in await reads.sums(asked.where, asked.visible, ranges, columns):
            key = tuple(_shown(name, value) for name, value in zip(group_by, one.key, strict=True))
            counts[key] += one.entries
            if one.currency_code is not None:
                total = sums[key].setdefault((one.kind, one.currency_code), [0, 0, 0])
                for place, value in enumerate((one.entries, one.units, one.millionths)):
                    total[place] += value
        if len(counts) > MOST_GROUPS:
            raise _too_much(f"there are more than {MOST_GROUPS} groups")
        if loop.time() > until:
            raise _too_much(f"it takes longer than {LONGEST_S:g} s")
    return [
        Group(
            key,
            counts[key],
            [
                MoneySum(kind, currency_code, entries, decimal_of(units, millionths))
                for (kind, currency_code), (entries, units, millionths) in sorted(sums[key].items())
            ],
        )
        for key in sorted(counts, key=lambda one: [(value is not None, str(value)) for value in one])
    ]


def _shown(name: str, value: str | int | None) -> str | int | None:
    """A day as `2026-11-23`, a month as `2026-11`."""
    if name in {"day", "month"} and value is not None:
        day = (_EPOCH + timedelta(days=int(value))).date().isoformat()
        return day if name == "day" else day[:7]
    return value


def _too_much(why: str) -> Problem:
    return Problem("invalid-request", f"The question is too large: {why}.", remedy="Narrow it, by time for example.")
