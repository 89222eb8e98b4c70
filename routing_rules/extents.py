"""Sets of facts of one column that need not be one cell: what is left, or what changes, in words that people read.

An extent is a union of the column's atoms (atoms.py). A cell of a table is always an extent; an extent such as 'EMEA
itself, without anything below it' is no cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol, Self

from routing_rules.ranges import DAY_AFTER_LAST, FIRST_DAY, AmountRange, DateRange, Money
from routing_rules.trees import ALL, Tree


class Extent(Protocol):
    """What the extents of all columns can do; only extents of the same column are joined."""

    @property
    def text(self) -> str: ...

    def holds(self, fact: Any) -> bool: ...

    def union(self, other: Self) -> Self: ...


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes of a tree. ``None`` among them is the absent fact, where two trees name their root differently."""

    nodes: frozenset[str | None]
    tree: Tree
    universe: frozenset[str | None]

    def holds(self, fact: str | None) -> bool:
        return (self.tree.root if fact is None and None not in self.universe else fact) in self.nodes

    @property
    def text(self) -> str:
        if self.nodes == self.universe:
            return ALL
        known = frozenset(node for node in self.nodes if node is not None and node in self.tree)
        words = [word for top in self.tree.tops(known) for word in self._below(top, known)]
        strange = sorted(node for node in self.nodes - known if node is not None)
        words += [f"{node} (of the tree in force)" for node in strange]
        return " | ".join(words + (["none at all"] if None in self.nodes else []))

    def _below(self, top: str, known: frozenset[str]) -> list[str]:
        missing = self.tree.below(top) - known
        if not missing:
            return [top]
        children = self.tree.children(top)
        if not known & (self.tree.below(top) - {top}):
            return [f"{top} itself"]
        left = self.tree.tops(missing)
        if len(left) == len(children) and set(left) == set(children):
            # Every child is out and something below one is in again: that something has a top of its own.
            return [f"{top} itself"]
        return [f"{ALL if top == self.tree.root else top} except {'|'.join(left)}"]

    def union(self, other: Self) -> Self:
        return type(self)(self.nodes | other.nodes, self.tree, self.universe)


@dataclass(frozen=True, slots=True)
class Names:
    """Some names; or, as ``all_but``, all other names there can be and the absent fact."""

    names: frozenset[str]
    all_but: bool = False

    def holds(self, fact: str | None) -> bool:
        return (fact in self.names) != self.all_but

    @property
    def text(self) -> str:
        spelled = "|".join(sorted(self.names))
        if not self.all_but:
            return spelled
        return f"any but {spelled}" if spelled else ALL

    def union(self, other: Self) -> Self:
        if self.all_but and other.all_but:
            return type(self)(self.names & other.names, True)
        if self.all_but:
            return type(self)(self.names - other.names, True)
        if other.all_but:
            return type(self)(other.names - self.names, True)
        return type(self)(self.names | other.names)


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations, of which there are no others than these."""

    names: frozenset[str]
    everything: frozenset[str]

    def holds(self, fact: str) -> bool:
        return fact in self.names

    @property
    def text(self) -> str:
        return ALL if self.names == self.everything else "|".join(sorted(self.names))

    def union(self, other: Self) -> Self:
        return type(self)(self.names | other.names, self.everything)


Interval = tuple[Decimal | None, Decimal | None]
_WHOLE: Final[tuple[Interval, ...]] = ((None, None),)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Half-open ranges by currency; with ``rest`` also every currency that is not named and documents without amount.

    Each named currency is sorted in with its ranges in order; with ``rest`` one may be named that has none.
    """

    ranges: tuple[tuple[str, tuple[Interval, ...]], ...]
    rest: bool = False

    @classmethod
    def of(cls, found: Mapping[str, Sequence[Interval]], rest: bool) -> Self:
        """With ranges that touch joined, and without currencies that need not be named."""
        joined = {currency: join_intervals(intervals) for currency, intervals in sorted(found.items())}
        needless = _WHOLE if rest else ()
        return cls(tuple((currency, one) for currency, one in joined.items() if one != needless), rest)

    def holds(self, fact: Money) -> bool:
        amount, currency = fact
        named = dict(self.ranges)
        if amount is None or currency is None or currency not in named:
            return self.rest
        return any((low is None or low <= amount) and (high is None or amount < high) for low, high in named[currency])

    @property
    def text(self) -> str:
        words: list[str] = []
        for currency, intervals in self.ranges:
            if intervals == _WHOLE:
                words.append(f"all {currency}")
            else:
                words += [AmountRange(currency, low, high).text for low, high in intervals]
        if self.rest and not self.ranges:
            return ALL
        if self.rest and not words:
            words.append(f"any currency but {'|'.join(currency for currency, _ in self.ranges)}")
        elif self.rest:
            words.append("any other currency")
        return " | ".join(words)

    def union(self, other: Self) -> Self:
        mine, theirs = dict(self.ranges), dict(other.ranges)
        unnamed: tuple[tuple[Interval, ...], ...] = (
            _WHOLE if self.rest else (),
            _WHOLE if other.rest else (),
        )
        joined = {
            currency: (*mine.get(currency, unnamed[0]), *theirs.get(currency, unnamed[1]))
            for currency in {*mine, *theirs}
        }
        return type(self).of(joined, self.rest or other.rest)


def join_intervals(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """The ranges in order, those that touch or overlap made one."""
    lowest = Decimal("-Infinity")
    found: list[Interval] = []
    for low, high in sorted(intervals, key=lambda one: lowest if one[0] is None else one[0]):
        start, end = found[-1] if found else (None, lowest)
        if found and (end is None or low is None or low <= end):
            found[-1] = (start, None if end is None or high is None else max(end, high))
        else:
            found.append((low, high))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Days:
    """Half-open ranges of day numbers, and with ``absent`` a document without posting date."""

    ranges: tuple[tuple[int, int], ...]
    absent: bool

    def holds(self, fact: date | None) -> bool:
        if fact is None:
            return self.absent
        return any(low <= fact.toordinal() < high for low, high in self.ranges)

    @property
    def text(self) -> str:
        every_day = self.ranges == ((FIRST_DAY, DAY_AFTER_LAST),)
        if every_day and self.absent:
            return ALL
        words = ["every posting date"] if every_day else [_days(low, high) for low, high in self.ranges]
        return " | ".join(words + (["no posting date"] if self.absent else []))

    def union(self, other: Self) -> Self:
        found: list[tuple[int, int]] = []
        for low, high in sorted((*self.ranges, *other.ranges)):
            if found and low <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], high))
            else:
                found.append((low, high))
        return type(self)(tuple(found), self.absent or other.absent)


def _days(low: int, high: int) -> str:
    start = None if low == FIRST_DAY else date.fromordinal(low)
    end = None if high == DAY_AFTER_LAST else date.fromordinal(high)
    return DateRange(start, end).text
