"""The sets that the cells of a row stand for, and the exact algebra on them.

A row is the set of facts that it matches: the product of one set per dimension. Everything that is proven about a
table (which row is an exception to which, where two rows cross) rests on the three questions that each set answers
here, each exactly and not by approximation:

* ``matches(value)``: is this fact in the set?
* ``contains(other)``: is every fact of the other set in this one?
* ``overlaps(other)``: is there a fact in both?

A fact that a document does not have is ``None`` (for a tree: its root). Only a cell that matches everything, or a
tree cell whose node is the root, holds it. No set is empty: the loader refuses cells that could match nothing, so
that a product of sets contains another exactly when each factor does.

Source: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

ALL: Final = "*"
_DAY_AFTER_LAST: Final = date.max.toordinal() + 1


class Tree:
    """A tree of nodes with ids: the business units (group, division, unit) or the geographies.

    ``name`` is the column and fact it belongs to. A node stands for itself and all below it.
    """

    __slots__ = ("_below", "_children", "labels", "name", "parents", "root")

    def __init__(self, name: str, root: str, parents: Mapping[str, str | None], labels: Mapping[str, str]) -> None:
        """Build from child -> parent; the root's parent is ``None``. The loader has checked that it is a tree."""
        self.name = name
        self.root = root
        self.parents = dict(parents)
        self.labels = dict(labels)
        children: dict[str, list[str]] = {node: [] for node in self.parents}
        for node, parent in self.parents.items():
            if parent is not None:
                children[parent].append(node)
        self._children = {node: tuple(sorted(found)) for node, found in children.items()}
        self._below: dict[str, frozenset[str]] = {}

    def __contains__(self, node: object) -> bool:
        return node in self.parents

    def __len__(self) -> int:
        return len(self.parents)

    @property
    def nodes(self) -> frozenset[str]:
        return self.below(self.root)

    def children(self, node: str) -> tuple[str, ...]:
        return self._children[node]

    def below(self, node: str) -> frozenset[str]:
        """The node and all below it."""
        known = self._below.get(node)
        if known is None:
            found: list[str] = []
            pending = [node]
            while pending:
                one = pending.pop()
                found.append(one)
                pending.extend(self._children[one])
            known = self._below[node] = frozenset(found)
        return known

    def path(self, node: str) -> tuple[str, ...]:
        """From the root down to the node."""
        steps = [node]
        while (parent := self.parents[steps[-1]]) is not None:
            steps.append(parent)
        return tuple(reversed(steps))


@dataclass(frozen=True, slots=True)
class NodeSet:
    """A tree cell: some nodes and all below them, less the excluded ones and all below those.

    A fact is a node. ``EMEA except FR`` holds the node EMEA itself (a document of which no more is known) and not
    FR; ``* except FR`` holds the root, for its node is the root. ``DE|AT`` holds neither EMEA nor the root.
    """

    text: str
    nodes: frozenset[str] = field(repr=False)
    root: str = field(repr=False)

    @classmethod
    def of(cls, tree: Tree, included: Iterable[str], excluded: Iterable[str] = ()) -> NodeSet:
        kept, dropped = sorted(set(included)), sorted(set(excluded))
        nodes = frozenset().union(*(tree.below(node) for node in kept))
        nodes = nodes.difference(*(tree.below(node) for node in dropped))
        text = ALL if kept == [tree.root] else "|".join(kept)
        return cls(f"{text} except {'|'.join(dropped)}" if dropped else text, nodes, tree.root)

    @property
    def is_all(self) -> bool:
        return self.text == ALL

    def matches(self, value: str | None) -> bool:
        return (self.root if value is None else value) in self.nodes

    def contains(self, other: NodeSet) -> bool:
        return self.nodes >= other.nodes

    def overlaps(self, other: NodeSet) -> bool:
        return not self.nodes.isdisjoint(other.nodes)


@dataclass(frozen=True, slots=True)
class Choice:
    """A cell of names (operation, company code, document type, customer segment): some of them, or all.

    ``None`` is all, also names that nobody has listed and the absent fact; so a list never equals it.
    """

    values: frozenset[str] | None = None

    @property
    def is_all(self) -> bool:
        return self.values is None

    @property
    def text(self) -> str:
        return ALL if self.values is None else "|".join(sorted(self.values))

    def matches(self, value: str | None) -> bool:
        return self.values is None or value in self.values

    def contains(self, other: Choice) -> bool:
        return self.values is None or (other.values is not None and self.values >= other.values)

    def overlaps(self, other: Choice) -> bool:
        return self.values is None or other.values is None or not self.values.isdisjoint(other.values)


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Amounts of one currency from ``lower`` up to, not including, ``upper``; without currency: all amounts.

    Amounts are compared within their currency only, never converted: a rate would make a decision depend on the
    day's market. A document without amount is held only by the cell that matches all.
    """

    currency: str | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def is_all(self) -> bool:
        return self.currency is None

    @property
    def text(self) -> str:
        if self.currency is None:
            return ALL
        if self.lower is None:
            return f"<{plain(self.upper)} {self.currency}"
        if self.upper is None:
            return f">={plain(self.lower)} {self.currency}"
        return f"{plain(self.lower)}..{plain(self.upper)} {self.currency}"

    def matches(self, amount: Decimal | None, currency: str | None) -> bool:
        if self.currency is None:
            return True
        if amount is None or currency != self.currency:
            return False
        return (self.lower is None or amount >= self.lower) and (self.upper is None or amount < self.upper)

    def contains(self, other: AmountRange) -> bool:
        if self.currency is None:
            return True
        if other.currency != self.currency:
            return False
        from_below = self.lower is None or (other.lower is not None and other.lower >= self.lower)
        return from_below and (self.upper is None or (other.upper is not None and other.upper <= self.upper))

    def overlaps(self, other: AmountRange) -> bool:
        if self.currency is None or other.currency is None:
            return True
        if self.currency != other.currency:
            return False
        return _below(self.lower, other.upper) and _below(other.lower, self.upper)


@dataclass(frozen=True, slots=True)
class DateRange:
    """Posting dates from ``start`` up to, not including, ``end``; with neither, all, also a document without one."""

    start: date | None = None
    end: date | None = None

    @property
    def is_all(self) -> bool:
        return self.start is None and self.end is None

    @property
    def text(self) -> str:
        if self.is_all:
            return ALL
        return f"{self.start or ''}..{self.end or ''}"

    def matches(self, value: date | None) -> bool:
        if self.start is None and self.end is None:
            return True
        if value is None:
            return False
        return (self.start is None or value >= self.start) and (self.end is None or value < self.end)

    def contains(self, other: DateRange) -> bool:
        if self.is_all:
            return True
        if other.is_all:
            return False
        (low, high), (other_low, other_high) = self._days(), other._days()
        return low <= other_low and other_high <= high

    def overlaps(self, other: DateRange) -> bool:
        (low, high), (other_low, other_high) = self._days(), other._days()
        return low < other_high and other_low < high

    def _days(self) -> tuple[int, int]:
        """As day numbers: the calendar ends, so 'from the first day on' and 'no start' are the same days."""
        low = 1 if self.start is None else self.start.toordinal()
        return low, _DAY_AFTER_LAST if self.end is None else self.end.toordinal()


def plain(value: Decimal | None) -> str:
    """A decimal in the one spelling that the versions rest on: no exponent, no trailing zeros."""
    if value is None:
        return ""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _below(lower: Decimal | None, upper: Decimal | None) -> bool:
    return lower is None or upper is None or lower < upper
