"""Rule tables as a workbook that a spreadsheet cannot spoil: every cell is text, one sheet per domain.

Drop-downs offer what a cell may hold. Those of stages, overlays and systems refuse anything else; those of tree nodes
and operations only help, because such a cell may hold a list or an exclusion. Source: ECMA-376 (Office Open XML).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from routing_rules.model import OPERATIONS, Overlay, Side, Stage
from routing_rules.rulebook import Rulebook
from routing_rules.table_reader import COLUMNS
from routing_rules.xlsx_records import LISTS_SHEET

TEXT_FORMAT: Final = "@"
_SPARE_ROWS: Final = 1_000
"""Rows below the last one that have drop-downs too."""
_WIDTHS: Final = {"row": 24, "business_unit": 24, "geography": 28, "note": 60}
_USUAL_WIDTH: Final = 16
_LOOKS_ESCAPED: Final = re.compile("_x(?=[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of one drop-down; ``only``: anything else is refused."""

    words: tuple[str, ...]
    only: bool


def write_workbook(tables: Mapping[str, Sequence[Sequence[str]]], rulebook: Rulebook) -> bytes:
    """The workbook. ``tables``: by domain the rows, each the texts of COLUMNS; the rulebook gives the drop-downs."""
    workbook = Workbook(write_only=True)
    offered = _offered(rulebook)
    for domain, rows in tables.items():
        sheet = workbook.create_sheet(domain)
        sheet.freeze_panes = "B2"
        for number, column in enumerate(COLUMNS, 1):
            dimension = sheet.column_dimensions[get_column_letter(number)]
            dimension.width = _WIDTHS.get(column, _USUAL_WIDTH)
            dimension.number_format = TEXT_FORMAT  # for the rows that somebody adds
        for place, column in enumerate(offered, 1):
            sheet.data_validations.append(_drop_down(column, offered[column], place, len(rows) + 1 + _SPARE_ROWS))
        sheet.append([_cell(sheet, column, bold=True) for column in COLUMNS])
        for row in rows:
            sheet.append([_cell(sheet, text) for text in row])
    _write_lists(workbook, offered)
    stream = BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def escaped(text: str) -> str:
    """A string as the format keeps it: what looks like one of its escapes is escaped itself."""
    return _LOOKS_ESCAPED.sub("_x005F_x", text)


def _offered(rulebook: Rulebook) -> dict[str, _Words]:
    sides = {
        side: tuple(sorted(system.id for system in rulebook.systems.values() if system.side is side)) for side in Side
    }
    return {
        "operation": _Words(("*", *OPERATIONS), only=False),
        "business_unit": _Words(("*", *sorted(rulebook.business_units.nodes)), only=False),
        "geography": _Words(("*", *sorted(rulebook.geographies.nodes)), only=False),
        "company_code": _Words(("*", *sorted(rulebook.company_codes)), only=False),
        "stage": _Words(tuple(Stage), only=True),
        "legacy_system": _Words(sides[Side.LEGACY], only=True),
        "cloud_system": _Words(sides[Side.CLOUD], only=True),
        "overlay": _Words(tuple(Overlay), only=True),
    }


def _drop_down(column: str, offered: _Words, place: int, last_row: int) -> DataValidation:
    letter, target = get_column_letter(place), get_column_letter(COLUMNS.index(column) + 1)
    last_word = max(len(offered.words), 1) + 1
    validation = DataValidation(
        type="list",
        formula1=f"{LISTS_SHEET}!${letter}$2:${letter}${last_word}",
        allow_blank=True,
        showErrorMessage=offered.only,
        errorTitle=column,
        error=f"Choose one of the list in column {column}",
    )
    validation.add(f"{target}2:{target}{last_row}")
    return validation


def _write_lists(workbook: Any, offered: Mapping[str, _Words]) -> None:
    sheet = workbook.create_sheet(LISTS_SHEET)
    sheet.sheet_state = "hidden"
    sheet.append([_cell(sheet, column) for column in offered])
    for place in range(max(len(one.words) for one in offered.values())):
        words = [one.words[place] if place < len(one.words) else "" for one in offered.values()]
        sheet.append([_cell(sheet, word) for word in words])


def _cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text; without a value where there is none, for an empty text takes room and means the same."""
    cell = WriteOnlyCell(sheet, value=escaped(text) or None)
    if text:
        cell.data_type = "s"  # else a text that begins with = is taken for a formula
    cell.number_format = TEXT_FORMAT
    if bold:
        cell.font = Font(bold=True)
    return cell
