"""What a caller may see and submit: the nodes of its data scope with all below them in the rulebook in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adapters.canonical import CanonicalDocument
from gateway.domain.caller import Caller, DataScope
from gateway.errors import FieldError, Problem
from gateway.transactions.queries import Visible
from routing_rules import Rulebook, Tree

MAX_REMEMBERED: Final = 1_024

_OUT_OF_SCOPE: Final = "is not within the data scope of the token"


class Visibility:
    """Expands data scopes over the trees. `rulebook` answers the one in force."""

    def __init__(self, rulebook: Callable[[], Rulebook]) -> None:
        self._rulebook = rulebook
        self._expanded: dict[DataScope, Visible] = {}
        self._expanded_over: Rulebook | None = None

    def of(self, caller: Caller) -> Visible:
        """The nodes whose documents the caller may see."""
        rulebook = self._rulebook()
        if rulebook is not self._expanded_over or len(self._expanded) >= MAX_REMEMBERED:
            self._expanded, self._expanded_over = {}, rulebook
        scope = caller.data_scope
        visible = self._expanded.get(scope)
        if visible is None:
            visible = Visible(
                _with_all_below(rulebook.business_units, scope.business_units),
                _with_all_below(rulebook.geographies, scope.geographies),
            )
            self._expanded[scope] = visible
        return visible

    def check(self, caller: Caller, document: CanonicalDocument) -> None:
        """Raise `out-of-scope` unless the caller may submit this document.

        A master without a unit or a geography is at the tree's root, as it is for the rules.
        """
        self.check_nodes(caller, getattr(document, "business_unit", None), getattr(document, "geography", None))

    def check_nodes(self, caller: Caller, business_unit: str | None, geography: str | None) -> None:
        """Raise `out-of-scope` unless both nodes (None: the root) are the caller's."""
        visible, rulebook = self.of(caller), self._rulebook()
        outside = [
            FieldError(field, f"{node or tree.root!r} {_OUT_OF_SCOPE}")
            for field, node, tree, allowed in (
                ("businessUnit", business_unit, rulebook.business_units, visible.business_units),
                ("geography", geography, rulebook.geographies, visible.geographies),
            )
            if allowed is not None and (node or tree.root) not in allowed
        ]
        if outside:
            listed = "; ".join(f"{one.field} {one.message}" for one in outside)
            raise Problem("out-of-scope", f"{listed}.", errors=tuple(outside))

    def filtered(self, field: str, query: Mapping[str, str]) -> frozenset[str] | None:
        """The node that a filter names with all below it, None if it names none. Raises `unknown-node`."""
        node = query.get(field)
        if node is None:
            return None
        rulebook = self._rulebook()
        tree = rulebook.business_units if field == "businessUnit" else rulebook.geographies
        if node not in tree:
            message = f"{node!r} is not in the rulebook"
            raise Problem("unknown-node", f"{field}: {message}", errors=(FieldError(field, message),))
        return tree.below(node)


def _with_all_below(tree: Tree, nodes: frozenset[str] | None) -> frozenset[str] | None:
    """A node that the trees no longer have stands for itself: ids are never reused, and its documents remain."""
    if nodes is None:
        return None
    return frozenset().union(*(tree.below(node) if node in tree else (node,) for node in nodes))
