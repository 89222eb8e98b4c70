"""A workbook as records with the place of every cell: one sheet per domain, read as text and nothing else.

A spreadsheet that holds 1-2 or 1E5 as anything but text has changed it already, so numbers, dates, truth values and
formulas are complained of where they stand, and so are merged cells, whose text belongs to one row only. Complaints
call a sheet ``rules.xlsx[orders]``, its rows lines, and its columns by number. Source: ECMA-376 (Office Open XML).
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import iterparse

from routing_rules.complaints import ComplaintBook
from routing_rules.csv_records import CsvFault, Record, control_characters
from routing_rules.table_reader import COLUMNS, MAX_ROWS

LISTS_SHEET: Final = "lists"
"""The sheet that the drop-downs of an export take their words from; it holds no rules."""
MAX_UNPACKED: Final = 256 * 1024 * 1024
"""Bytes of all parts of a workbook together: a few kilobytes of zip can unfold to gigabytes."""
MAX_COLUMN: Final = 64

_NOTE: Final = COLUMNS.index("note")
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_DOCTYPE: Final = b"<!DOCTYPE"
_OLD_FORMAT: Final = b"\xd0\xcf\x11\xe0"
_MERGED: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}mergeCell"
_AS_TEXT: Final = "Format the column as text, then write the value again"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The records of one sheet; ``file`` is what complaints call it."""

    domain: str
    file: str
    records: Iterator[Record | CsvFault]


def read_workbook(file: str, content: bytes, complaints: ComplaintBook) -> list[Sheet]:
    """The sheets of a workbook but the one of the drop-downs; none if it cannot be read, which is complained of."""
    fault = _unsafe(content)
    if fault is not None:
        complaints.add(file, 1, 1, *fault)
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of looks and drop-downs that it cannot keep
            workbook = load_workbook(BytesIO(content), read_only=True)
    except Exception as error:
        # The library raises whatever a damaged part makes it raise: a KeyError, a ValueError, an XML error.
        message = f"the workbook is damaged: {str(error)[:200] or type(error).__name__}"
        complaints.add(file, 1, 1, message, "Save it again as .xlsx")
        return []
    found: list[Sheet] = []
    for sheet in workbook.worksheets:
        if sheet.title != LISTS_SHEET:
            name = f"{file}[{sheet.title}]"
            found.append(Sheet(sheet.title, name, _records(name, sheet, complaints)))
    return found


def unescaped(text: str) -> str:
    """A string as the format keeps it, with its escapes such as _x000D_ undone."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _unsafe(content: bytes) -> tuple[str, str] | None:
    if content.startswith(_OLD_FORMAT):
        return "the workbook is encrypted or of the old .xls format", "Save it as .xlsx without a password"
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MAX_UNPACKED:
                limit = MAX_UNPACKED // (1024 * 1024)
                return f"the workbook unpacks to more than {limit} MiB", f"Keep each table below {MAX_ROWS} rows"
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        if _DOCTYPE in stream.read(1024).upper():
                            return f"{part.filename} declares a document type", "Save the workbook again as .xlsx"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        return f"this is no workbook: {str(error)[:200]}", "Save it as .xlsx"
    return None


def _records(file: str, sheet: Any, complaints: ComplaintBook) -> Iterator[Record | CsvFault]:
    """The rows of a sheet; faults of its cells are complained of on the way."""
    try:
        _complain_of_merged(file, sheet, complaints)
        sheet.reset_dimensions()  # what a file says of its own size is not to be trusted
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for line, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMN), 1):
                record = _record(file, line, cells, complaints)
                if record is not None:
                    yield record
    except Exception as error:
        # As above: whatever a damaged part makes the library raise.
        message = f"the sheet is damaged: {str(error)[:200] or type(error).__name__}"
        complaints.add(file, 1, 1, message, "Save the workbook again as .xlsx")


def _record(file: str, line: int, cells: Any, complaints: ComplaintBook) -> Record | None:
    texts = [_text(file, line, column, cell, complaints) for column, cell in enumerate(cells, 1)]
    while len(texts) > len(COLUMNS) and not texts[-1]:
        texts.pop()
    if not any(texts):
        return None
    texts += [""] * (len(COLUMNS) - len(texts))
    return Record(line, texts, [(line, column) for column in range(1, len(texts) + 1)])


def _text(file: str, line: int, column: int, cell: Any, complaints: ComplaintBook) -> str:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "s" and isinstance(value, str):
        text = unescaped(value).replace("\r\n", "\n")
        for _, _, code in control_characters(text):
            complaints.add(file, line, column, f"the control character {code} stands in the cell", "Remove it")
        return text
    if kind == "f":
        complaints.add(file, line, column, "a formula stands in the cell", "Write its result as text")
        return ""
    what, text = _strange(value, kind)
    complaints.add(file, line, column, f"{what} stands where text is meant", _AS_TEXT)
    return text


def _strange(value: Any, kind: str) -> tuple[str, str]:
    """What is no text in words, and the text that was probably meant, so that the rest of the row can be judged."""
    if isinstance(value, datetime):
        day = value.date().isoformat()
        return f"the date {day}", day
    if isinstance(value, date):
        return f"the date {value.isoformat()}", value.isoformat()
    if kind == "b":
        return f"the truth value {str(value).upper()}", str(value).upper()
    if kind == "e":
        return f"the error {value}", ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"the number {value}", str(value)


def _complain_of_merged(file: str, sheet: Any, complaints: ComplaintBook) -> None:
    """Streamed sheets do not tell of merged cells, so the part is read for them once more."""
    with sheet._get_source() as source:  # noqa: SLF001  # openpyxl names a sheet's part nowhere else
        for _, element in iterparse(source):
            if element.tag == _MERGED:
                column, line, _, _ = range_boundaries(element.get("ref", "A1"))
                message = f"the cells {element.get('ref')} are merged"
                complaints.add(file, int(line or 1), int(column or 1), message, "Unmerge them and fill every row")
            element.clear()
