"""Tables as lines of text. A cell is never folded, so that an id can be copied and a line can be searched for.

What is wider than the terminal is told row by row, each column on a line of its own; where stdout is no terminal there
is no width, and every row is one line. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len

GAP: Final = "  "


def table_lines(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of a table with these headings, one of which may be empty. `width`: columns of the terminal; None: as
    wide as it gets."""
    told = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(cell_len(one) for one in column) for column in zip(columns, *told, strict=True)]
    if width is not None and told and sum(widths) + len(GAP) * (len(widths) - 1) > width and any(columns):
        yield from _one_by_one(columns, told)
        return
    if any(columns):
        yield _line(columns, widths)
    for row in told:
        yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(padded).rstrip()


def _one_by_one(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """What has no heading is a drawing beside another column and says nothing by itself; what is empty is left out."""
    label = max(cell_len(column) for column in columns)
    for number, row in enumerate(rows):
        if number:
            yield ""
        for column, cell in zip(columns, row, strict=True):
            if column and cell:
                yield f"{column}{' ' * (label - cell_len(column))}{GAP}{cell}"


def _plain(cell: str) -> str:
    """On one line, and without what would move the cursor of a terminal."""
    return "".join(one if one.isprintable() else " " for one in cell)
