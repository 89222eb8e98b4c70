"""CSV (RFC 4180) with the place of every cell.

The csv module of Python knows the line at which a record ended, not where a cell began, and forgives what should be
refused (text after a closing quote, a quote that is never closed). Here a record knows its cells' lines and columns,
also behind a quoted cell with line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from routing_rules.complaints import ComplaintBook

# Line breaks other than LF and CRLF, and whatever else no spreadsheet shows.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)")


_NEEDS_QUOTES: Final = re.compile('[,"\r\n]')


class CsvFault(Exception):
    """The text is not CSV at this place. Reading goes on in the next line, unless a quote never closes."""

    def __init__(self, line: int, column: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message, self.remedy = line, column, message, remedy


class Record:
    """The texts of one record's cells, and where they begin (an opening quote counts as the begin)."""

    __slots__ = ("_places", "line", "texts")

    def __init__(self, line: int, texts: list[str], places: list[tuple[int, int]] | None = None) -> None:
        self.line = line
        self.texts = texts
        self._places = places

    @property
    def is_blank(self) -> bool:
        """An empty line, or the row of bare commas that spreadsheets leave behind."""
        return not any(text and not text.isspace() for text in self.texts)

    def place(self, cell: int) -> tuple[int, int]:
        """Line and column of a cell."""
        if self._places is not None:
            return self._places[cell]
        return self.line, 1 + sum(len(text) + 1 for text in self.texts[:cell])


def control_characters(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and code point of every control character that no cell may hold."""
    for match in _CONTROL.finditer(text):
        start = match.start()
        yield (
            text.count("\n", 0, start) + 1,
            start - text.rfind("\n", 0, start),
            f"U+{ord(match[0]):04X}",
        )


def read_records(text: str) -> Iterator[Record | CsvFault]:
    """The records of the text in order; a fault stands in place of a record that could not be read."""
    position, line = 0, 1
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if text.find('"', position, end) < 0:
            yield Record(line, text[position:end].removesuffix("\r").split(","))
            position, line = end + 1, line + 1
            continue
        reader = _Quoted(text, position, line)
        try:
            record = reader.record()
        except CsvFault as fault:
            yield fault
            end = text.find("\n", reader.position)
            position = len(text) if end < 0 else end + 1
            line = reader.line + 1
        else:
            yield record
            position, line = reader.position, reader.line


def read_csv(file: str, text: str, complaints: ComplaintBook) -> Iterator[Record | CsvFault]:
    """The records of a CSV file; control characters become complaints first, and nothing is read if they are many."""
    for line, column, code in control_characters(text):
        complaints.add(file, line, column, f"the control character {code} stands in the file", "Remove it")
        if complaints.is_full:
            return iter(())
    return read_records(text)


class _Quoted:
    """Reads one record in which some cell is quoted, cell by cell."""

    def __init__(self, text: str, position: int, line: int) -> None:
        self.text = text
        self.position = position
        self.line = line
        self._line_start = position

    def record(self) -> Record:
        first, texts, places = self.line, list[str](), list[tuple[int, int]]()
        while True:
            places.append(self._place(self.position))
            texts.append(self._quoted_cell() if self.text.startswith('"', self.position) else self._plain_cell())
            if not self.text.startswith(",", self.position):
                break
            self.position += 1
        self.position += 2 if self.text.startswith("\r\n", self.position) else 1
        self.line += 1
        return Record(first, texts, places)

    def _plain_cell(self) -> str:
        begin = self.position
        ends = (self.text.find(mark, begin) for mark in (",", "\n"))
        end = min((found for found in ends if found >= 0), default=len(self.text))
        cell = self.text[begin:end]
        quote = cell.find('"')
        if quote >= 0:
            raise CsvFault(
                *self._place(begin + quote),
                "a quote stands inside an unquoted cell",
                "Put the whole cell in quotes and double the quotes inside",
            )
        if cell.endswith("\r"):
            cell, end = cell[:-1], end - 1
        self.position = end
        return cell

    def _quoted_cell(self) -> str:
        begin = self.position
        place = self._place(begin)
        end = begin + 1
        while True:
            end = self.text.find('"', end)
            if end < 0:
                self.position = len(self.text)
                raise CsvFault(*place, "the quote that opens this cell is never closed", "Close it")
            if not self.text.startswith('"', end + 1):
                break
            end += 2
        cell = self.text[begin + 1 : end]
        breaks = cell.count("\n")
        if breaks:
            self.line += breaks
            self._line_start = begin + 1 + cell.rfind("\n") + 1
        self.position = end + 1
        if self.position < len(self.text) and not self.text.startswith((",", "\n", "\r\n"), self.position):
            raise CsvFault(
                *self._place(self.position),
                "text follows the closing quote of a cell",
                "Put the whole cell in quotes and double the quotes inside",
            )
        return cell.replace('""', '"')

    def _place(self, position: int) -> tuple[int, int]:
        return self.line, position - self._line_start + 1


def write_records(rows: Iterable[Sequence[str]]) -> str:
    """CSV that ``read_records`` reads back as it is given; lines end with LF, cells are quoted where they must be."""
    return "".join(",".join(map(_quoted, row)) + "\n" for row in rows)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
