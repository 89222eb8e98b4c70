"""Inclusion of rows: which row is an exception to which, and which of several matching rows decide.

Rows are named by their numbers in a given order. Of the rows that match, those decide that strictly contain no other
of them. That depends on the set of matching rows alone, so it is worked out once per set and kept. Source:
docs/rules.md, 'Which row decides'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routing_rules.model import MATCH_COLUMNS, Row

MAX_KEPT: Final = 65_536
"""Answers kept of each kind, some 200 bytes each; then they are forgotten and worked out again."""


class Inclusion:
    """The inclusions among some rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._restricted = [restricted_columns(row) for row in rows]
        self._exceptions: dict[tuple[int, int], bool] = {}
        self._smallest: dict[tuple[int, ...], tuple[int, ...]] = {}

    def is_exception(self, one: int, *, to: int) -> bool:
        """Row ``to`` strictly contains row ``one``."""
        wide, narrow = self._restricted[to], self._restricted[one]
        if wide & ~narrow:
            return False  # it restricts a column in which the other holds everything
        known = self._exceptions.get((one, to))
        if known is None:
            known = self._rows[to].contains(self._rows[one])
            if known and wide == narrow:
                known = not self._rows[one].contains(self._rows[to])
            if len(self._exceptions) >= MAX_KEPT:
                self._exceptions.clear()
            self._exceptions[one, to] = known
        return known

    def smallest(self, matched: tuple[int, ...]) -> tuple[int, ...]:
        """The deciding ones of the matching rows, in their order."""
        if len(matched) < 2:
            return matched
        known = self._smallest.get(matched)
        if known is None:
            known = tuple(
                one
                for one in matched
                if not any(other != one and self.is_exception(other, to=one) for other in matched)
            )
            if len(self._smallest) >= MAX_KEPT:
                self._smallest.clear()
            self._smallest[matched] = known
        return known


def restricted_columns(row: Row) -> int:
    """The columns in which the row does not hold everything, as bits."""
    return sum(1 << bit for bit, column in enumerate(MATCH_COLUMNS) if not getattr(row, column).is_all)
