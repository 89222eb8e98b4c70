"""Back, for one slice: the table in force with the cells of the slice as they were in an earlier version.

A slice is everything at or below a business unit and a geography. The derived table is put together of rows of both
versions and then proven, by ``differences``, to be exactly that: nothing outside of the slice is decided differently
from what is in force, nothing inside from what was. What cannot be put together so is refused.

Three ways are tried, from the one that leaves most of a table as people wrote it:

1. *The old rows of the slice.* Rows in force stay as they are, those inside the slice go, and the old rows that lay
   inside come back. It is enough where the slice has rows of its own.
2. *The old cells as exceptions.* All old rows are added, cut to the slice: a row within another is an exception to it.
   It fails where a row that crosses the slice is no wider than an old row in some other column.
3. *Every row cut.* Rows in force are cut to what lies beside the slice, in two parts (other business units; of these
   business units other geographies), the old ones to the slice. Within each part a row that lay within another still
   does; where the cut makes two equal, the one that was smaller decides, so the other goes. So every part decides as
   it did, if both versions are without conflicts, as the proof demands of every version.

Rows that decide nowhere after that are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Final

from routing_rules.analysis_tables import TableProof
from routing_rules.cutting import cells_of
from routing_rules.decomposition import MAX_CELLS, TooManyCells
from routing_rules.difference import Change, differences
from routing_rules.dimensions import NodeSet, Tree
from routing_rules.extents import Nodes
from routing_rules.model import Row, RuleTable
from routing_rules.rulebook import Rulebook

LONGEST_ROW_ID: Final = 64


class ReversionRefused(ValueError):
    """The slice cannot be taken back; the text says why."""


class Slice:
    """A domain, and a node of each tree of a rulebook: everything at or below both."""

    def __init__(self, rulebook: Rulebook, domain: str, business_unit: str, geography: str) -> None:
        """Raises ReversionRefused for a node that the rulebook does not have."""
        self.domain = domain
        self.units = _below(rulebook.business_units, business_unit)
        self.places = _below(rulebook.geographies, geography)

    def contains(self, row: Row) -> bool:
        """Whether all that the row matches lies in the slice."""
        return self.units.contains(row.business_unit) and self.places.contains(row.geography)

    def changed(self, before: Rulebook, after: Rulebook, limit: int = MAX_CELLS) -> bool:
        """Whether anything in the slice is decided differently. Raises TooManyCells."""
        return any(self.touches(one) for one in _of_domain(before, after, self.domain, limit))

    def holds(self, change: Change) -> bool:
        """Whether all of the change lies in the slice; a column that its box does not name holds everything."""
        units, places = _nodes(change, "business_unit"), _nodes(change, "geography")
        return (
            change.domain == self.domain
            and (self.units.is_all if units is None else units <= self.units.nodes)
            and (self.places.is_all if places is None else places <= self.places.nodes)
        )

    def touches(self, change: Change) -> bool:
        """Whether some of the change lies in the slice."""
        units, places = _nodes(change, "business_unit"), _nodes(change, "geography")
        return (
            change.domain == self.domain
            and (units is None or not units.isdisjoint(self.units.nodes))
            and (places is None or not places.isdisjoint(self.places.nodes))
        )


def reverted(
    in_force: Rulebook, earlier: Rulebook, domain: str, business_unit: str, geography: str, *, limit: int = MAX_CELLS
) -> Rulebook:
    """What is in force, with the slice as it was in ``earlier``. Trees, systems and governance stay.

    Raises ReversionRefused: the earlier version has no such table, trees or systems that are gone since, another way
    of splitting shares, or the table cannot be put together exactly. Whether the result may run is for the proof.
    """
    part = Slice(in_force, domain, business_unit, geography)
    if domain not in in_force.tables or domain not in earlier.tables:
        raise ReversionRefused(f"there was no table of {domain} to go back to; withdraw the domain by a draft")
    table, old = in_force.tables[domain], earlier.tables[domain]
    if table.share_by != old.share_by:
        raise ReversionRefused(f"shares of {domain} were split by {old.share_by} then, and are by {table.share_by} now")
    moved = [_moved(row, in_force) for row in old.rows]
    old_rows = _cut_all(moved, part.units, part.places)
    unknown = sorted({system for row in old_rows for system in _systems(row) if system not in in_force.systems})
    if unknown:
        raise ReversionRefused(f"the systems {', '.join(unknown)} are gone since")
    complaint = ""
    within = [row for row in moved if part.contains(row)]
    for kept, added in (
        (_beside(table.rows, part), within),
        (_beside(table.rows, part), old_rows),
        (_cut_beside(table.rows, part, in_force), old_rows),
    ):
        try:
            made = _deciding(_joined(in_force, table, kept, added), domain, limit)
            complaint = _complaint(in_force, earlier, made, part, limit)
        except TooManyCells as error:
            raise ReversionRefused(f"the table falls into {error}") from error
        if not complaint:
            return made
    raise ReversionRefused(complaint)


def _complaint(in_force: Rulebook, earlier: Rulebook, made: Rulebook, part: Slice, limit: int) -> str:
    """What is not as it should be; nothing: it is exact."""
    for change in _of_domain(in_force, made, part.domain, limit):
        if not part.holds(change):
            return f"it would change what lies outside of the slice: {change}"
    for change in _of_domain(earlier, made, part.domain, limit):
        if part.touches(change):
            return f"it would not be as it was: {change}"
    return ""


def _of_domain(before: Rulebook, after: Rulebook, domain: str, limit: int) -> Iterator[Change]:
    one, other = (replace(book, tables=_only(book, domain)) for book in (before, after))
    return differences(one, other, limit)


def _only(rulebook: Rulebook, domain: str) -> Mapping[str, RuleTable]:
    return {name: table for name, table in rulebook.tables.items() if name == domain}


def _beside(rows: Iterable[Row], part: Slice) -> list[Row]:
    """The rows that do not lie within the slice, as they are."""
    return [row for row in rows if not (part.units.contains(row.business_unit) and part.places.contains(row.geography))]


def _cut_beside(rows: tuple[Row, ...], part: Slice, rulebook: Rulebook) -> list[Row]:
    """The rows cut to other business units, and those cut to the slice's business units in other geographies."""
    units, places = rulebook.business_units, rulebook.geographies
    other_units = _without(NodeSet.of(units, [units.root]), part.units)
    other_places = _without(NodeSet.of(places, [places.root]), part.places)
    found: list[Row] = []
    if other_units is not None:
        found += _cut_all(rows, other_units, NodeSet.of(places, [places.root]))
    if other_places is not None:
        found += _cut_all(rows, part.units, other_places)
    return found


def _cut_all(rows: Iterable[Row], units: NodeSet, places: NodeSet) -> list[Row]:
    """The rows as far as they hold these nodes. Of those that become equal, the ones that were smaller remain."""
    cut: dict[object, list[tuple[Row, Row]]] = {}
    for row in rows:
        unit, place = row.business_unit.intersection(units), row.geography.intersection(places)
        if unit is not None and place is not None:
            made = replace(row, business_unit=unit, geography=place)
            cut.setdefault(_key(made), []).append((row, made))
    found: list[Row] = []
    for alike in cut.values():
        smallest = [(row, made) for row, made in alike if not any(row.strictly_contains(other) for other, _ in alike)]
        outcomes = {made.outcome: made for _, made in reversed(smallest)}
        found += outcomes.values()
    return found


def _key(row: Row) -> object:
    return tuple(frozenset(cell.nodes) if isinstance(cell, NodeSet) else cell for cell in cells_of(row))


def _joined(in_force: Rulebook, table: RuleTable, kept: list[Row], old: list[Row]) -> Rulebook:
    """One table of both, each row with an id of its own."""
    taken: set[str] = set()
    rows = [_named(row, taken) for row in (*kept, *old)]
    made = RuleTable(table.domain, tuple(sorted(rows, key=lambda row: row.id)), table.share_by)
    return replace(in_force, tables={**in_force.tables, table.domain: made})


def _named(row: Row, taken: set[str]) -> Row:
    """Its id, with a number behind it where another row has that already."""
    for number in count(1):
        end = "" if number == 1 else f".{number}"
        row_id = f"{row.id[: LONGEST_ROW_ID - len(end)]}{end}"
        if row_id not in taken:
            taken.add(row_id)
            return replace(row, id=row_id)
    raise AssertionError("numbers do not end")


def _deciding(rulebook: Rulebook, domain: str, limit: int) -> Rulebook:
    """Without the rows that decide nowhere. Raises TooManyCells."""
    table = rulebook.tables[domain]
    proof = TableProof(rulebook, domain, limit)
    for _ in proof.findings_found():
        """Whatever is found: the rows that decide are known at the end."""
    deciding = {row.id for row, _ in proof.reachable()}
    rows = tuple(row for row in table.rows if row.id in deciding)
    return replace(rulebook, tables={**rulebook.tables, domain: replace(table, rows=rows)})


def _moved(row: Row, rulebook: Rulebook) -> Row:
    """The row over the trees in force. Raises ReversionRefused for a node that is gone."""
    return replace(
        row,
        business_unit=_over(row.business_unit, rulebook.business_units),
        geography=_over(row.geography, rulebook.geographies),
    )


def _over(cell: NodeSet, tree: Tree) -> NodeSet:
    """As it was written, over another tree; its root stands for the root."""
    written, _, excluded = cell.text.partition(" except ")
    included = [tree.root] if cell.text.startswith("*") else written.split("|")
    dropped = excluded.split("|") if excluded else []
    gone = sorted(node for node in (*included, *dropped) if node not in tree)
    if gone:
        raise ReversionRefused(f"the nodes {', '.join(gone)} are gone since")
    return NodeSet.of(tree, included, dropped)


def _without(cell: NodeSet, less: NodeSet) -> NodeSet | None:
    """The nodes of the first that are none of the second's, which is a whole subtree; None where there are none."""
    nodes = cell.nodes - less.nodes
    if not nodes:
        return None
    tree = cell.tree
    tops = tree.tops(nodes)
    missing = frozenset[str]().union(*(tree.below(top) for top in tops)) - nodes
    return NodeSet.of(tree, tops, tree.tops(missing))


def _below(tree: Tree, node: str) -> NodeSet:
    if node not in tree:
        raise ReversionRefused(f"'{node}' is no {tree.name} of the rules in force")
    return NodeSet.of(tree, [node])


def _nodes(change: Change, column: str) -> frozenset[str | None] | None:
    """The nodes of a box in that column; None: all."""
    extent = dict(change.box).get(column)
    return extent.nodes if isinstance(extent, Nodes) else None


def _systems(row: Row) -> list[str]:
    outcome = row.outcome
    return [one for one in (outcome.legacy_system, outcome.cloud_system) if one is not None]
