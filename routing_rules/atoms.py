"""The atoms of a column: the classes of its facts that some given cells cannot tell apart.

All cells treat every fact of an atom alike, so one fact of each atom stands for all: what holds for the witnesses
holds for every fact there can be. Atoms are exact: the root and the inner nodes of a tree, 'any other currency', the
names that no cell lists and the absent fact are atoms too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from routing_rules.dimensions import Choice, NodeSet, Tree
from routing_rules.extents import Extent, Names, Nodes, Operations
from routing_rules.model import OPERATIONS

_OPERATIONS: Final = frozenset(OPERATIONS)


class Atom(NamedTuple):
    """One class. ``fact`` is a fact of it, ``cells`` the numbers of the given cells that hold it, in order.

    ``extent`` gives all its facts when somebody asks: most atoms are never shown.
    """

    fact: Any
    cells: tuple[int, ...]
    extent: Callable[[], Extent]


class Column(Protocol):
    """How the facts of one column fall into atoms. ``default`` is the fact to show where no cell restricts it."""

    @property
    def name(self) -> str: ...

    @property
    def default(self) -> Any: ...

    def is_universal(self, cell: Any) -> bool:
        """The cell holds every fact of the column."""
        ...

    def split(self, cells: Sequence[Any]) -> Iterator[Atom]:
        """The atoms under these cells; together they are all facts of the column."""
        ...

    def effort(self, cells: Sequence[Any]) -> int:
        """How many facts ``split`` looks at one by one."""
        ...


class NodeColumn:
    """A tree column. ``before``: a second tree whose cells are judged together with those of the first.

    With two trees the facts are the nodes of ``tree``, with ``both`` the nodes of either; and the absent fact besides
    where their roots have different names.
    """

    def __init__(self, tree: Tree, before: Tree | None = None, *, both: bool = False) -> None:
        self.name = tree.name
        self._tree = tree
        order: list[str | None] = list(tree.typical)
        if before is not None:
            if both:
                order += [node for node in before.typical if node not in tree]
            if before.root != tree.root:
                order.append(None)
        self._rank = {node: rank for rank, node in enumerate(order)}
        self._universe = frozenset(order)
        # Cells of another tree may hold less than all, and nodes that are no facts here.
        self._two = before is not None and (before.root != tree.root or before.nodes != tree.nodes)
        # Where two trees are compared a node of both is the better example.
        shared = (node for node in order if before is None or (node is not None and node in before))
        self.default: str | None = next(shared, None)

    def is_universal(self, cell: NodeSet) -> bool:
        return len(self._facts(cell) if self._two else cell.nodes) == len(self._rank)

    def split(self, cells: Sequence[NodeSet]) -> Iterator[Atom]:
        rank, everywhere = self._rank, list[int]()
        found: dict[str | None, list[int]] = {}
        for number, cell in enumerate(cells):
            nodes = self._facts(cell) if self._two else cell.nodes
            if len(nodes) == len(rank):
                everywhere.append(number)
                continue
            for node in nodes:
                found.setdefault(node, []).append(number)
        groups: dict[tuple[int, ...], list[str | None]] = {}
        for node in sorted(found, key=rank.__getitem__):
            groups.setdefault(tuple(found[node]), []).append(node)
        for numbers, alike in groups.items():
            yield Atom(alike[0], merged(numbers, everywhere), partial(self._extent, alike))
        if len(found) < len(rank):
            rest = next(node for node in rank if node not in found)
            yield Atom(rest, tuple(everywhere), partial(self._all_but, found))

    def effort(self, cells: Sequence[NodeSet]) -> int:
        return sum(len(cell.nodes) for cell in cells)

    def _facts(self, cell: NodeSet) -> frozenset[str | None]:
        """Those of this column's facts that a cell holds, whichever tree it is of."""
        held: frozenset[str | None] = cell.nodes & self._universe
        return held | {None} if None in self._universe and cell.matches(None) else held

    def _extent(self, nodes: Iterable[str | None]) -> Nodes:
        return Nodes(frozenset(nodes), self._tree, self._universe)

    def _all_but(self, nodes: Collection[str | None]) -> Nodes:
        return self._extent(node for node in self._rank if node not in nodes)


class NameColumn:
    """A column of names, among them always the absent fact and names that nobody lists."""

    default = None

    def __init__(self, name: str) -> None:
        self.name = name

    def is_universal(self, cell: Choice) -> bool:
        return cell.values is None

    def split(self, cells: Sequence[Choice]) -> Iterator[Atom]:
        everywhere, groups, listed = _groups_of_names(cells, ())
        for numbers, names in groups.items():
            extent = partial(Names, frozenset(names))
            yield Atom(min(names), merged(numbers, everywhere), extent)
        yield Atom(None, tuple(everywhere), partial(Names, listed, True))

    def effort(self, cells: Sequence[Choice]) -> int:
        return _listed(cells)


class OperationColumn:
    """The operations: there are no others."""

    name = "operation"
    default = OPERATIONS[0]

    def is_universal(self, cell: Choice) -> bool:
        return cell.values is None or cell.values >= _OPERATIONS

    def split(self, cells: Sequence[Choice]) -> Iterator[Atom]:
        everywhere, groups, _ = _groups_of_names(cells, OPERATIONS)
        for numbers, names in groups.items():
            extent = partial(Operations, frozenset(names), _OPERATIONS)
            yield Atom(names[0], merged(numbers, everywhere), extent)

    def effort(self, cells: Sequence[Choice]) -> int:
        return _listed(cells)


def _listed(cells: Sequence[Choice]) -> int:
    return sum(len(cell.values or ()) for cell in cells)


def _groups_of_names(
    cells: Sequence[Choice], known: Sequence[str]
) -> tuple[list[int], Mapping[tuple[int, ...], list[str]], frozenset[str]]:
    """The cells of all names; the names by the cells that list them, known ones first; and all that are listed."""
    everywhere = [number for number, cell in enumerate(cells) if cell.values is None]
    found: dict[str, list[int]] = {name: [] for name in known}
    for number, cell in enumerate(cells):
        for name in sorted(cell.values or ()):
            found.setdefault(name, []).append(number)
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, numbers in found.items():
        groups.setdefault(tuple(numbers), []).append(name)
    return everywhere, groups, frozenset(found)


def merged(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    """Two runs of different numbers as one, in order."""
    if not other:
        return tuple(one)
    return tuple(sorted((*one, *other))) if one else tuple(other)
