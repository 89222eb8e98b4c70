"""Trees of nodes, and the tree cells of a row: sets of nodes with their exact algebra.

A fact is one node, also an inner one (a document of which only the region is known) or the root (a document that has
no geography at all). Source: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from routing_rules.witness import Witness

ALL: Final = "*"


class Tree:
    """A tree of nodes with ids: the business units (group, division, unit) or the geographies.

    ``name`` is the column and fact it belongs to. A node stands for itself and all below it.
    """

    __slots__ = ("_below", "_children", "labels", "name", "parents", "root", "typical")

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
        # Leaves first, the root last: a document usually names a leaf, so a witness should.
        self.typical = tuple(
            sorted(self.parents, key=lambda node: (node == root, bool(self._children[node]), node)),
        )

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

    def tops(self, nodes: frozenset[str]) -> tuple[str, ...]:
        """Those of the nodes whose parent is none of them."""
        return tuple(sorted(node for node in nodes if self.parents[node] not in nodes))


@dataclass(frozen=True, slots=True)
class NodeSet:
    """A tree cell: some nodes and all below them, less the excluded ones and all below those.

    A fact is a node. ``EMEA except FR`` holds the node EMEA itself (a document of which no more is known) and not
    FR; ``* except FR`` holds the root, for its node is the root. ``DE|AT`` holds neither EMEA nor the root.
    """

    text: str
    nodes: frozenset[str] = field(repr=False)
    tree: Tree = field(repr=False, compare=False)

    @classmethod
    def of(cls, tree: Tree, included: Iterable[str], excluded: Iterable[str] = ()) -> NodeSet:
        kept, dropped = sorted(set(included)), sorted(set(excluded))
        nodes = frozenset().union(*(tree.below(node) for node in kept))
        nodes = nodes.difference(*(tree.below(node) for node in dropped))
        text = ALL if kept == [tree.root] else "|".join(kept)
        return cls(f"{text} except {'|'.join(dropped)}" if dropped else text, nodes, tree)

    @property
    def is_all(self) -> bool:
        return self.text == ALL

    def matches(self, value: str | None) -> bool:
        return (self.tree.root if value is None else value) in self.nodes

    def contains(self, other: NodeSet) -> bool:
        return self.nodes >= other.nodes

    def overlaps(self, other: NodeSet) -> bool:
        return not self.nodes.isdisjoint(other.nodes)

    def intersection(self, other: NodeSet) -> NodeSet | None:
        """The nodes of both, in the spelling of a cell; None where there are none."""
        if self.contains(other):
            return other
        if other.contains(self):
            return self
        nodes = self.nodes & other.nodes
        if not nodes:
            return None
        # Below a node of a cell everything belongs to it but excluded subtrees, so the nodes of both are subtrees
        # less subtrees again, and naming their tops and the tops of what is missing below those is exact.
        tops = self.tree.tops(nodes)
        missing = frozenset().union(*(self.tree.below(top) for top in tops)) - nodes
        return NodeSet.of(self.tree, tops, self.tree.tops(missing))

    def witness(self, without: Iterable[NodeSet] = ()) -> Witness[str] | None:
        """A node of this cell that none of the others holds, a leaf where there is one; None if they cover it."""
        left = self.nodes.difference(*(one.nodes for one in without))
        return next((Witness(node) for node in self.tree.typical if node in left), None) if left else None
