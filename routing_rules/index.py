"""A rule table compiled for lookup: the rows that match given facts, and those of them that decide.

Rows are bits, in the order of their ids. For each dimension a value maps to the bits of the rows that match it, so
the rows that match all of them are one AND per dimension. Which of several matching rows decide depends on the set
of matching rows alone, so it is worked out once per set. ``decide`` knows only ``matching`` and ``resolve``; another
index with the same two answers can take this one's place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from routing_rules.dimensions import Choice, NodeSet, Tree
from routing_rules.facts import Facts
from routing_rules.model import OPERATIONS, Row, RuleTable

MAX_RESOLUTIONS: Final = 65_536
"""Sets of matching rows kept per table: some 200 bytes each for small tables."""


class UnknownNode(LookupError):
    """A fact names a node, or an operation, that the rulebook does not have. Nothing was decided.

    ``field`` is the fact, ``value`` what it named. Answered as problem ``unknown-node``.
    """

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"{field} '{value}' is not in the rulebook")
        self.field = field
        self.value = value


@dataclass(frozen=True, slots=True)
class Resolution:
    """What follows from one set of matching rows. ``deciding`` is empty for a gap; lowest row id first."""

    matched: tuple[Row, ...]
    deciding: tuple[Row, ...]
    agreed: bool


class _Names:
    """Bits of rows by name; a name that no row lists gets the rows that match all."""

    __slots__ = ("by_name", "read", "rest")

    def __init__(self, read: Callable[[Facts], str | None], cells: list[Choice]) -> None:
        self.read = read
        self.rest = sum(1 << bit for bit, cell in enumerate(cells) if cell.values is None)
        self.by_name: dict[str, int] = {}
        for bit, cell in enumerate(cells):
            for name in cell.values or ():
                self.by_name[name] = self.by_name.get(name, self.rest) | 1 << bit


class TableIndex:
    """The index of one table under one pair of trees."""

    def __init__(self, table: RuleTable, business_units: Tree, geographies: Tree, table_version: str) -> None:
        self.table = table
        self.table_version = table_version
        self.business_units = business_units
        self.geographies = geographies
        self.rows = tuple(sorted(table.rows, key=lambda row: row.id))
        self._units = _bits_by_node(business_units, [row.business_unit for row in self.rows])
        self._places = _bits_by_node(geographies, [row.geography for row in self.rows])
        names = (
            _Names(lambda facts: facts.operation, [row.operation for row in self.rows]),
            _Names(lambda facts: facts.company_code, [row.company_code for row in self.rows]),
            _Names(lambda facts: facts.document_type, [row.document_type for row in self.rows]),
            _Names(lambda facts: facts.customer_segment, [row.customer_segment for row in self.rows]),
        )
        # A dimension that no row restricts costs nothing.
        self._names = tuple(one for one in names if one.by_name)
        self._ranged = sum(
            1 << bit for bit, row in enumerate(self.rows) if not (row.amount.is_all and row.valid.is_all)
        )
        self._resolutions: dict[int, Resolution] = {}
        self._exceptions: dict[tuple[int, int], bool] = {}

    def matching(self, facts: Facts) -> int:
        """The rows that match, as bits. Raises UnknownNode."""
        if facts.operation not in OPERATIONS:
            raise UnknownNode("operation", facts.operation)
        unit, place = facts.business_unit, facts.geography
        try:
            bits = self._units[self.business_units.root if unit is None else unit]
        except KeyError:
            raise UnknownNode("business_unit", str(unit)) from None
        try:
            bits &= self._places[self.geographies.root if place is None else place]
        except KeyError:
            raise UnknownNode("geography", str(place)) from None
        for names in self._names:
            value = names.read(facts)
            bits &= names.rest if value is None else names.by_name.get(value, names.rest)
        ranged = bits & self._ranged
        if ranged:
            for bit in set_bits(ranged):
                row = self.rows[bit]
                if not (row.valid.matches(facts.posting_date) and row.amount.matches(facts.amount, facts.currency)):
                    bits ^= 1 << bit
        return bits

    def resolve(self, bits: int) -> Resolution:
        """Which of the matching rows decide, and whether they agree."""
        known = self._resolutions.get(bits)
        if known is None:
            known = self._resolve(bits)
            if len(self._resolutions) >= MAX_RESOLUTIONS:
                self._resolutions.clear()
            self._resolutions[bits] = known
        return known

    def _resolve(self, bits: int) -> Resolution:
        matched = tuple(set_bits(bits))
        deciding = tuple(
            self.rows[one]
            for one in matched
            if not any(other != one and self._is_exception(other, to=one) for other in matched)
        )
        agreed = all(row.outcome == deciding[0].outcome for row in deciding)
        return Resolution(tuple(self.rows[one] for one in matched), deciding, agreed)

    def _is_exception(self, one: int, *, to: int) -> bool:
        known = self._exceptions.get((one, to))
        if known is None:
            if len(self._exceptions) >= MAX_RESOLUTIONS:
                self._exceptions.clear()
            known = self._exceptions[one, to] = self.rows[to].strictly_contains(self.rows[one])
        return known


def set_bits(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _bits_by_node(tree: Tree, cells: list[NodeSet]) -> dict[str, int]:
    """For every node of the tree, also those that no row names: an unknown node is then a missing key."""
    everywhere = 0
    bits = dict.fromkeys(tree.parents, 0)
    for bit, cell in enumerate(cells):
        if cell.is_all:
            everywhere |= 1 << bit
            continue
        for node in cell.nodes:
            bits[node] |= 1 << bit
    return {node: found | everywhere for node, found in bits.items()}
