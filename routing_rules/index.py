"""A rule table compiled for lookup: which rows match given facts, and which of those decide.

A business unit and a geography together leave few rows, found by the pairs of tree cells that hold them; what those
rows ask beyond that is compiled per such group (row_group.py). Which of several matching rows decide depends on the
set of matching rows alone, so it is worked out once per set. ``decide`` knows only ``resolve``; another index with the
same answers can take this one's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routing_rules.dimensions import NodeSet, Tree
from routing_rules.facts import Facts
from routing_rules.inclusion import Inclusion
from routing_rules.model import OPERATIONS, RuleTable
from routing_rules.resolution import Resolution
from routing_rules.row_group import RowGroup

MAX_PAIRS: Final = 262_144
"""Pairs of business unit and geography whose rows are kept, some 200 bytes each; then they are looked up again."""

_OPERATIONS: Final = frozenset(OPERATIONS)


class UnknownNode(LookupError):
    """A fact names a node, or an operation, that the rulebook does not have. Nothing was decided.

    ``field`` is the fact, ``value`` what it named. Answered as problem ``unknown-node``.
    """

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"{field} '{value}' is not in the rulebook")
        self.field = field
        self.value = value


class TableIndex:
    """The index of one table under one pair of trees. ``owners``: who answers for the domain."""

    def __init__(
        self,
        table: RuleTable,
        business_units: Tree,
        geographies: Tree,
        table_version: str,
        owners: tuple[str, ...] = (),
    ) -> None:
        self.table = table
        self.table_version = table_version
        self.business_units = business_units
        self.geographies = geographies
        self.owners = owners
        self.rows = tuple(sorted(table.rows, key=lambda row: row.id))
        self.inclusion = Inclusion(self.rows)
        self._units = _Cells(business_units, [row.business_unit for row in self.rows])
        self._places = _Cells(geographies, [row.geography for row in self.rows])
        # By cell of the business unit, by cell of the geography: the rows that have both.
        self._buckets: list[dict[int, list[int]]] = [{} for _ in range(self._units.count)]
        for number, (unit, place) in enumerate(zip(self._units.of_row, self._places.of_row, strict=True)):
            self._buckets[unit].setdefault(place, []).append(number)
        self._groups: dict[tuple[int, ...], RowGroup | Resolution] = {}
        self._pairs: dict[tuple[str | None, str | None], RowGroup | Resolution] = {}

    def resolve(self, facts: Facts) -> Resolution:
        """The rows that match, and which of them decide. Raises UnknownNode."""
        if facts.operation not in _OPERATIONS:
            raise UnknownNode("operation", facts.operation)
        pair = (facts.business_unit, facts.geography)
        found = self._pairs.get(pair)
        if found is None:
            found = self._pair(*pair)
        return found if isinstance(found, Resolution) else found.resolve(facts)

    def beside(self, unit: str | None, place: str | None) -> list[int]:
        """The rows that hold the business unit or the geography, or both, in their order."""
        units = set(self._units.holding(unit))
        places = set(self._places.holding(place))
        of_row = zip(self._units.of_row, self._places.of_row, strict=True)
        return [number for number, (one, other) in enumerate(of_row) if one in units or other in places]

    def _pair(self, unit: str | None, place: str | None) -> RowGroup | Resolution:
        units, places = self._units.holding(unit), self._places.holding(place)
        rows: list[int] = []
        for one in units:
            bucket = self._buckets[one]
            if len(bucket) < len(places):
                rows += [row for other, found in bucket.items() if other in places for row in found]
            else:
                for other in places:
                    rows += bucket.get(other, ())
        rows.sort()
        numbers = tuple(rows)
        found = self._groups.get(numbers)
        if found is None:
            group = RowGroup(self.rows, numbers, self.inclusion)
            found = self._groups[numbers] = group.only or group
        if len(self._pairs) >= MAX_PAIRS:
            self._pairs.clear()
            self._groups.clear()
        self._pairs[unit, place] = found
        return found


class _Cells:
    """The different cells of a tree column, by number, and which of them hold a node."""

    def __init__(self, tree: Tree, cells: Sequence[NodeSet]) -> None:
        self._tree = tree
        numbers: dict[str, int] = {}
        self.of_row = [numbers.setdefault(cell.text, len(numbers)) for cell in cells]
        self.count = len(numbers)
        holding: dict[str, list[int]] = {node: [] for node in tree.parents}
        everywhere: list[int] = []
        seen = set[int]()
        for number, cell in zip(self.of_row, cells, strict=True):
            if number in seen:
                continue
            seen.add(number)
            if cell.is_all:
                everywhere.append(number)
                continue
            for node in cell.nodes:
                holding[node].append(number)
        self._holding = {node: dict.fromkeys((*found, *everywhere)) for node, found in holding.items()}

    def holding(self, node: str | None) -> dict[int, None]:
        """The numbers of the cells that hold the node, in a fixed order. Raises UnknownNode."""
        try:
            return self._holding[self._tree.root if node is None else node]
        except KeyError:
            raise UnknownNode(self._tree.name, str(node)) from None
