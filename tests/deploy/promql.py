"""Reads a PromQL expression: which series it asks for, and which labels its result has.

The parser also checks types (a range where a range is needed, the number of arguments). What it cannot know is which
labels there are: a matcher or a `by` with a label that no series has is correct PromQL and never finds anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import promql_parser as ast

_RATES = frozenset({"rate", "increase", "irate", "resets"})
"""They mean something of a counter only."""
_OF_COUNTERS = ("_total", "_bucket", "_sum", "_count")


class Wrong(ValueError):
    """The expression asks for what there is not, or in a way that means nothing."""


@dataclass
class Reader:
    """`series`: labels by the name of a sample. `asked` collects the names that were asked for."""

    series: dict[str, frozenset[str]]
    asked: set[str] = field(default_factory=set)

    def labels(self, text: str) -> frozenset[str]:
        """The labels of the expression's result. Raises `Wrong`, and ValueError for what is no PromQL."""
        return self._of(ast.parse(text))

    def _of(self, node: object) -> frozenset[str]:
        match node:
            case ast.VectorSelector():
                return self._selected(node)
            case ast.MatrixSelector():
                return self._selected(node.vector_selector)
            case ast.ParenExpr() | ast.SubqueryExpr() | ast.UnaryExpr():
                return self._of(node.expr)
            case ast.NumberLiteral() | ast.StringLiteral():
                return frozenset()
            case ast.AggregateExpr():
                return self._aggregated(node)
            case ast.Call():
                return self._called(node)
            case ast.BinaryExpr():
                return self._of(node.lhs) | self._of(node.rhs)
        raise Wrong(f"this test does not read {type(node).__name__}")

    def _selected(self, node: ast.VectorSelector) -> frozenset[str]:
        name = node.name or ""
        if name not in self.series:
            raise Wrong(f"no series is called {name!r}")
        self.asked.add(name)
        labels = self.series[name]
        matched = {matcher.name for matcher in node.matchers.matchers}
        if strange := matched - labels:
            raise Wrong(f"{name} has no label {', '.join(sorted(strange))}")
        return labels

    def _aggregated(self, node: ast.AggregateExpr) -> frozenset[str]:
        inner = self._of(node.expr)
        if node.modifier is None:
            return frozenset()
        if node.modifier.type != ast.AggModifierType.By:
            raise Wrong("say what stays (by), not what goes: a new label would change the result")
        kept = frozenset(node.modifier.labels)
        if strange := kept - inner:
            raise Wrong(f"there is no label {', '.join(sorted(strange))} to group by")
        return kept

    def _called(self, node: ast.Call) -> frozenset[str]:
        before = set(self.asked)
        found = [self._of(argument) for argument in node.args]
        name = node.func.name
        inside = self.asked - before
        if name in _RATES and not all(one.endswith(_OF_COUNTERS) for one in inside):
            raise Wrong(f"{name} of a gauge means nothing")
        labels = frozenset().union(*found)
        if name == "histogram_quantile":
            if "le" not in labels:
                raise Wrong("histogram_quantile needs the label le")
            return labels - {"le"}
        return labels
