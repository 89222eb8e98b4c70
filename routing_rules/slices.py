"""Slices: the facts at or below one business unit and one geography, and what they are given.

A slice is shown by boxes of facts that are given the same outcome; where its stage differs inside, there are several.
Boxes of one slice have no fact in common; facts of it that lie in none of them are a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from routing_rules.cutting import CUTTING_ORDER
from routing_rules.difference import Change, differences
from routing_rules.extents import Extent, Nodes
from routing_rules.model import MATCH_COLUMNS, Outcome
from routing_rules.rulebook import Rulebook
from routing_rules.trees import ALL, Tree

_TREES = ("business_unit", "geography")


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceState:
    """A part of a slice and what it is given: an outcome, or `conflict`. `box`: as `Change.box`, cut to the slice."""

    state: Outcome | str
    box: tuple[tuple[str, Extent], ...]
    rows: tuple[str, ...]

    @property
    def where(self) -> dict[str, str]:
        """What restricts this part inside of its slice, in words; nothing: it is all of the slice."""
        extents = dict(self.box)
        return {
            column: extents[column].text
            for column in MATCH_COLUMNS
            if column in extents and extents[column].text != ALL
        }

    def as_change(self, domain: str, after: Outcome) -> Change:
        """The change of this part to that outcome."""
        return Change(
            domain=domain,
            box=self.box,
            before=self.state,
            after=after,
            rows_before=self.rows,
            rows_after=self.rows,
        )


class SliceMap:
    """All slices of one rulebook. Raises TooManyCells for a table that cannot be cut (its proof fails as well)."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self._boxes: dict[str, list[Change]] = {domain: [] for domain in rulebook.tables}
        for change in differences(replace(rulebook, tables={}), rulebook):
            self._boxes[change.domain].append(change)

    def named(self, domain: str) -> frozenset[tuple[str, str]]:
        """The pairs of business unit and geography that rows of the domain's table name."""
        return frozenset(
            (unit, place)
            for row in self.rulebook.table(domain).rows
            for unit in self.rulebook.business_units.tops(row.business_unit.nodes)
            for place in self.rulebook.geographies.tops(row.geography.nodes)
        )

    def states(self, domain: str, business_unit: str, geography: str) -> tuple[SliceState, ...]:
        """What the slice is given. Raises DomainNotServed; KeyError for a node that the trees do not have."""
        self.rulebook.table(domain)
        trees = (self.rulebook.business_units, self.rulebook.geographies)
        inside = {
            column: (tree, tree.below(node))
            for column, tree, node in zip(_TREES, trees, (business_unit, geography), strict=True)
        }
        return tuple(_states(self._boxes[domain], inside))


def _states(boxes: list[Change], inside: dict[str, tuple[Tree, frozenset[str]]]) -> Iterator[SliceState]:
    for change in boxes:
        extents = dict(change.box)
        empty = False
        for column, (tree, nodes) in inside.items():
            extent = extents.get(column)
            held = nodes if extent is None else frozenset(node for node in nodes if extent.holds(node))
            empty = empty or not held
            extents[column] = Nodes(frozenset[str | None](held), tree, frozenset[str | None](nodes))
        if not empty:
            box = tuple((column, extents[column]) for column in CUTTING_ORDER if column in extents)
            yield SliceState(state=change.after, box=box, rows=change.rows_after)
