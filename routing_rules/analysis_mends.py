"""How a finding can be mended, in the words of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from routing_rules.analysis_findings import row_ids
from routing_rules.dimensions import DateRange
from routing_rules.model import MATCH_COLUMNS, Row

_MOST_NEAR = 3


def mend_gap(where: Mapping[str, str], near: Sequence[Row]) -> str:
    """Add a row, or widen one that matches but for the last column of the gap."""
    spelled = ", ".join(f"{column} {text}" for column, text in where.items()) or "* in every column"
    add = f"add a row that matches {spelled}"
    if not where or not 0 < len(near) <= _MOST_NEAR:
        return add
    return f"{add}, or widen {list(where)[-1]} in {row_ids(near)}"


def mend_conflict(rows: Sequence[Row]) -> str:
    """A third row settles where two cross; of two that are the same set one must go."""
    if all(row.contains(rows[0]) and rows[0].contains(row) for row in rows[1:]):
        return f"keep one of {row_ids(rows)}: they match the same facts"
    shared = common_cells(rows)
    spelled = ", ".join(f"{column} {text}" for column, text in shared.items())
    return f"add a row with {spelled} that says what holds there, or limit one of the rows"


def common_cells(rows: Sequence[Row]) -> dict[str, str]:
    """The cells of a row that matches exactly what all of the rows match, by the columns of the file, without ``*``.

    The rows must have a fact in common.
    """
    found: dict[str, str] = {}
    for column in MATCH_COLUMNS:
        cell: Any = getattr(rows[0], column)
        for row in rows[1:]:
            both = cell.intersection(getattr(row, column))
            if both is None:
                raise ValueError(f"rows {row_ids(rows)} have no {column} in common")
            cell = both
        if isinstance(cell, DateRange):
            ends = {"valid_from": cell.start, "valid_to": cell.end}
            found |= {name: end.isoformat() for name, end in ends.items() if end is not None}
        elif not cell.is_all:
            found[column] = cell.text
    return found
