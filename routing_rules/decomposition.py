"""A table cut into cells: sets of facts that all its rows treat alike.

Column by column, the rows that may still match are split over the atoms of that column. A column that none of them
restricts is passed over, and what was seen for the same rows at the same column is not looked at again: so a table of
many rows that each concern few facts falls into about as many cells as it has rows, although the product of all
atoms of all columns would be beyond counting. What is found holds for every fact, because one fact of an atom stands
for all of it (atoms.py).

The number of cells is bounded. A table that would need more is refused with the columns that multiply, never passed
unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import Enum
from itertools import chain
from typing import Any, Final, NamedTuple

from routing_rules.atoms import Atom, Column

MAX_CELLS: Final = 2_000_000
"""Cells of one decomposition, each counted once for every row that may match in it: a few seconds of work."""

_FACTS_PER_CELL: Final = 16  # looking at so many facts one by one takes about as long as one cell
_MULTIPLIES: Final = 1.5
_MOST_NAMED: Final = 3

Rows = tuple[int, ...]
Path = tuple[tuple[str, Atom], ...]
"""The atoms chosen on the way down, by the names of their columns; a column that is not there is not restricted."""


class Step(Enum):
    """What to do with the rows that may still match: split them further, take them as they are, or leave them out."""

    SPLIT = "split"
    TAKE = "take"
    SKIP = "skip"


class Cell(NamedTuple):
    """A cell: the rows that match every fact of it, the atoms that make it, and the rows before its last split."""

    rows: Rows
    path: Path
    above: Rows


class TooManyCells(Exception):
    """The table falls into more than ``limit`` cells; ``columns`` are those that multiply, the worst first."""

    def __init__(self, limit: int, columns: tuple[str, ...]) -> None:
        super().__init__(f"more than {limit} cells, because of {', '.join(columns)}")
        self.limit = limit
        self.columns = columns


class Decomposition:
    """Rows, each a sequence of cells in the order of the columns, ready to be cut."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Any]], limit: int = MAX_CELLS) -> None:
        self._columns = columns
        self._limit = limit
        self._cells: list[list[Any]] = []
        self._ids: list[list[int]] = []
        self._restricted = [0] * len(rows)
        for place, column in enumerate(columns):
            numbers: dict[Hashable, int] = {}
            cells: list[Any] = []
            restricts: list[bool] = []
            ids: list[int] = []
            for row, found in enumerate(rows):
                cell = found[place]
                number = numbers.get(cell)
                if number is None:
                    number = numbers[cell] = len(cells)
                    cells.append(cell)
                    restricts.append(not column.is_universal(cell))
                ids.append(number)
                if restricts[number]:
                    self._restricted[row] |= 1 << place
            self._cells.append(cells)
            self._ids.append(ids)
        self._atoms: dict[tuple[int, Rows], tuple[Atom, ...]] = {}
        self._entered = [0] * len(columns)
        self._left = [0] * len(columns)
        self.spent = 0

    def cells(self, judge: Callable[[Rows], Step]) -> Iterator[Cell]:
        """The cells of all rows, one of those that differ only in facts that no row tells apart.

        ``judge`` is asked for every set of rows on the way. Raises TooManyCells.
        """
        rows = tuple(range(len(self._restricted)))
        yield from self._cut(rows, (), rows, 0, judge, set())

    def _cut(
        self, rows: Rows, path: Path, above: Rows, column: int, judge: Callable[[Rows], Step], seen: set[Any]
    ) -> Iterator[Cell]:
        step = judge(rows)
        if step is Step.SKIP:
            return
        if step is Step.TAKE:
            yield Cell(rows, path, above)
            return
        column = self.next_column(rows, column)
        if (column, rows) in seen:
            return
        seen.add((column, rows))
        if column == len(self._columns):
            yield Cell(rows, path, above)
            return
        name = self._columns[column].name
        for atom, found in self.split(rows, column):
            yield from self._cut(found, (*path, (name, atom)), rows, column + 1, judge, seen)

    def next_column(self, rows: Rows, column: int) -> int:
        """The first column from this one on that some of the rows restrict; the number of columns if there is none."""
        restricted = 0
        for row in rows:
            restricted |= self._restricted[row]
        restricted >>= column
        if not restricted:
            return len(self._columns)
        return column + (restricted & -restricted).bit_length() - 1

    def split(self, rows: Rows, column: int) -> Iterator[tuple[Atom, Rows]]:
        """The atoms of a column under these rows, each with the rows that hold it. Raises TooManyCells."""
        ids = self._ids[column]
        by_cell: dict[int, list[int]] = {}
        for row in rows:
            by_cell.setdefault(ids[row], []).append(row)
        numbers = tuple(sorted(by_cell))
        held = [by_cell[number] for number in numbers]
        atoms = self._atoms_of(column, numbers)
        sizes = [len(one) for one in held]
        placed = len(atoms) + sum(sizes[place] for atom in atoms for place in atom.cells)
        self._entered[column] += len(rows) + 1
        self._left[column] += placed
        self._spend(placed, column)
        for atom in atoms:
            places = atom.cells
            if len(places) == 1:
                yield atom, tuple(held[places[0]])
            else:
                yield atom, tuple(sorted(chain.from_iterable(held[place] for place in places)))

    def _atoms_of(self, column: int, numbers: Rows) -> tuple[Atom, ...]:
        known = self._atoms.get((column, numbers))
        if known is None:
            cells = [self._cells[column][number] for number in numbers]
            self._spend(self._columns[column].effort(cells) // _FACTS_PER_CELL, column)
            found: list[Atom] = []
            for atom in self._columns[column].split(cells):
                self._spend(1 + len(atom.cells) // _FACTS_PER_CELL, column)
                found.append(atom)
            known = self._atoms[column, numbers] = tuple(found)
        return known

    def _spend(self, cells: int, column: int) -> None:
        self.spent += cells
        if self.spent > self._limit:
            raise TooManyCells(self._limit, self._multiplying() or (self._columns[column].name,))

    def _multiplying(self) -> tuple[str, ...]:
        """The columns by how many times more there is after their splits than before, the most first."""
        growth = {
            column.name: left / entered
            for column, entered, left in zip(self._columns, self._entered, self._left, strict=True)
            if entered
        }
        ordered = sorted(growth, key=lambda name: -growth[name])
        return tuple(name for name in ordered[:_MOST_NAMED] if growth[name] > _MULTIPLIES)
