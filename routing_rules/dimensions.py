"""The sets that the cells of a row stand for, and the exact algebra on them.

A row is the set of facts that it matches: the product of one set per dimension. Everything that is proven about a
table (which row is an exception to which, where two rows cross, what no row matches) rests on the questions that each
set answers here, each exactly and not by approximation:

* ``matches(value)``: is this fact in the set?
* ``contains(other)``: is every fact of the other set in this one?
* ``overlaps(other)``: is there a fact in both?
* ``intersection(other)``: the facts in both, as a cell of the same kind; None if there are none.
* ``witness(without)``: a fact of this set that lies in none of the others; None if they cover it. It is the
  difference asked for its meaning: a contains b exactly if b has no witness without a.

A fact that a document does not have is ``None`` (for a tree: its root). Only a cell that matches everything, or a
tree cell whose node is the root, holds it. No set is empty: the loader refuses cells that could match nothing, so
that a product of sets contains another exactly when each factor does.

Source: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from routing_rules.ranges import AmountRange, DateRange, Money, plain
from routing_rules.trees import ALL, NodeSet, Tree
from routing_rules.witness import Witness

__all__ = ["ALL", "AmountRange", "Choice", "DateRange", "Money", "NodeSet", "Tree", "Witness", "plain"]


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

    def intersection(self, other: Choice) -> Choice | None:
        """The names of both; None where there are none."""
        if self.values is None or other.values is None:
            return other if self.values is None else self
        values = self.values & other.values
        return Choice(values) if values else None

    def witness(
        self, without: Iterable[Choice] = (), everything: Collection[str] | None = None
    ) -> Witness[str | None] | None:
        """A name that none of the others holds; None if they cover this cell.

        ``everything``: all the names that there can be (the operations). Without it the witness of all names is the
        absent fact, which no list holds.
        """
        others = tuple(without)
        if any(one.values is None for one in others):
            return None
        values = self.values if everything is None or self.values is not None else frozenset(everything)
        if values is None:
            return Witness(None)
        left = values.difference(*(one.values or () for one in others))
        return Witness(min(left)) if left else None
