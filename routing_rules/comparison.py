"""Two versions of a table cut into common cells, so that each cell can be decided before and after.

Facts are judged under both pairs of trees: a node that only one of them has is matched by no row of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from routing_rules.cutting import cells_of, columns_of
from routing_rules.decomposition import MAX_CELLS, Cell, Decomposition, Rows, Step
from routing_rules.inclusion import Inclusion
from routing_rules.model import Outcome, Row, Stage
from routing_rules.rulebook import Rulebook

WHOLE: Final = 100
"""Percent."""


class Compared(NamedTuple):
    """A cell with the rows that decide it before and after; none: a gap, or the domain has no table."""

    cell: Cell
    before: tuple[Row, ...]
    after: tuple[Row, ...]


class Comparison:
    """The cells of a domain in which two rulebooks may differ.

    ``both``: also facts whose nodes only the earlier trees have; without it, what can still happen afterwards.
    """

    def __init__(
        self, before: Rulebook, after: Rulebook, domain: str, *, both: bool = False, limit: int = MAX_CELLS
    ) -> None:
        self.domain = domain
        self.columns = columns_of(
            (after.business_units, before.business_units), (after.geographies, before.geographies), both=both
        )
        self._rows = [*_rows(before, domain), *_rows(after, domain)]
        self._first = len(_rows(before, domain))
        self._inclusion = Inclusion(self._rows)
        # Rows with the same cells and outcome have the same number, whatever they are called in their tables.
        numbers: dict[object, int] = {}
        self.share_by = (_share_by(before, domain), _share_by(after, domain))
        sides = [self.share_by[at >= self._first] for at in range(len(self._rows))]
        self._alike = [
            numbers.setdefault((cells_of(row), row.outcome, side if splits(row.outcome) else None), len(numbers))
            for row, side in zip(self._rows, sides, strict=True)
        ]
        self.decomposition = Decomposition(self.columns, [cells_of(row) for row in self._rows], limit)

    def cells(self) -> Iterator[Compared]:
        """Cells that may be decided differently; those with the same rows on both sides are left out.

        Of cells with the same rows one is given. Raises TooManyCells.
        """
        for cell in self.decomposition.cells(self.judge):
            before, after = self.deciding(cell.rows)
            yield Compared(cell, before, after)

    @property
    def all_rows(self) -> Rows:
        """The rows of both tables, those of the earlier one first."""
        return tuple(range(len(self._rows)))

    def judge(self, rows: Rows) -> Step:
        """Leaves out what is the same before and after, also where no row is on either side."""
        parted = self._parted(rows)
        before, after = rows[:parted], rows[parted:]
        alike = {self._alike[row] for row in before} == {self._alike[row] for row in after}
        return Step.SKIP if alike else Step.SPLIT

    def deciding(self, rows: Rows) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """The deciding rows before and after, of all that match."""
        parted = self._parted(rows)
        before, after = (self._inclusion.smallest(part) for part in (rows[:parted], rows[parted:]))
        return tuple(self._rows[row] for row in before), tuple(self._rows[row] for row in after)

    def _parted(self, rows: Rows) -> int:
        """How many of the rows, which are in order, belong to the earlier table."""
        return sum(1 for row in rows if row < self._first)


def agreed(rows: Sequence[Row]) -> Outcome | None:
    """What the deciding rows yield; None for a gap or a conflict."""
    if not rows or any(row.outcome != rows[0].outcome for row in rows):
        return None
    return rows[0].outcome


def splits(outcome: Outcome) -> bool:
    """Whether the outcome sends a part of what it matches to each side: then it matters by what shares are split."""
    return outcome.stage is Stage.PILOT and outcome.share is not None and 0 < outcome.share < WHOLE


def _share_by(rulebook: Rulebook, domain: str) -> str | None:
    table = rulebook.tables.get(domain)
    return None if table is None else table.share_by


def _rows(rulebook: Rulebook, domain: str) -> list[Row]:
    table = rulebook.tables.get(domain)
    return [] if table is None else sorted(table.rows, key=lambda row: row.id)
