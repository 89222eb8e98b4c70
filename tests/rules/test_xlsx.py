"""Workbooks: the same tables back and forth, and every way in which a spreadsheet spoils one."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

import routing_rules
from routing_rules import Rulebook, RulebookInvalid, parse_rulebook
from routing_rules.complaints import ComplaintBook
from routing_rules.csv_records import write_records
from routing_rules.rulebook_files import read_files, table_texts
from routing_rules.table_reader import COLUMNS, HEADER
from routing_rules.xlsx_records import LISTS_SHEET
from routing_rules.xlsx_writer import TEXT_FORMAT, write_workbook
from tests.rules.specs import GROUND

TABLES = Path(routing_rules.__file__).parent / "tables"
BASE = ["base", *[""] * 9, "legacy", "old", *[""] * 5]


def parse(workbook: bytes, **more: bytes) -> Rulebook:
    return parse_rulebook({"rulebook.yaml": GROUND.encode(), "t.xlsx": workbook, **more})


def csv_book(*rows: list[str]) -> Rulebook:
    files = {"rulebook.yaml": GROUND.encode(), "orders.csv": write_records([COLUMNS, *rows]).encode()}
    return parse_rulebook(files)


def test_the_sample_comes_back_byte_for_byte() -> None:
    files = {name: content for name, content in read_files(TABLES, ComplaintBook()).items() if content is not None}
    sample = parse_rulebook(files)
    workbook = write_workbook(table_texts(files), sample)
    back = {"rulebook.yaml": files["rulebook.yaml"], "rules.xlsx": workbook}
    assert parse_rulebook(back).version == sample.version
    for domain, rows in table_texts(back).items():
        assert write_records([COLUMNS, *rows]).encode() == files[f"{domain}.csv"]


SHORT = (
    "=1+1;1-2;1E5;007;+49;-1;@x;'quoted';a \"b\", c;a _x000D_ b;_x005F_x;TRUE;#N/A;2026-01-31; padded ;"
    "first\nsecond;tab\there;\u00e4\u20ac\U0001f600"
)
TRICKY = [*SHORT.split(";"), "x" * 5_000]
NOTES = st.sampled_from(TRICKY) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20
)
IDS = st.lists(st.sampled_from(["1-2", "1E5", "007", "10258", "TRUE", "=A1", "x y", "2026-01-31"]), unique=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NOTES, IDS), min_size=1, max_size=5))
def test_nothing_is_lost_on_the_way_to_a_workbook_and_back(rows: list[tuple[str, list[str]]]) -> None:
    texts = [BASE]
    for number, (note, ids) in enumerate(rows):
        cells = dict.fromkeys(COLUMNS, "") | {"row": f"1E{number}", "stage": "pilot", "legacy_system": "old"}
        cells |= {"cloud_system": "new", "share": "12.50", "allow": "|".join(ids), "note": note.strip()}
        cells |= {"amount": ">=1000 EUR", "valid_from": "2026-01-01", "geography": "EMEA except FR"}
        texts.append([cells[column] for column in COLUMNS])
    before = csv_book(*texts)
    after = parse(write_workbook({"orders": texts}, before))
    assert after.version == before.version
    back = csv_book(*table_texts({"t.xlsx": write_workbook({"orders": texts}, before)})["orders"])
    assert back.version == before.version


def test_no_note_is_taken_for_anything_else() -> None:
    rows = [[f"r{number}", *BASE[1:-1], note.strip()] for number, note in enumerate(TRICKY)]
    read = parse(write_workbook({"orders": rows}, csv_book(BASE))).table("orders").rows
    assert {row.id: row.note for row in read} == {row[0]: row[-1] for row in rows}
    assert [row[-1] for row in table_texts({"orders.csv": write_records([COLUMNS, *rows]).encode()})["orders"]] == [
        row[-1] for row in rows
    ]


def test_every_cell_is_text_and_a_new_row_too() -> None:
    sheet = load_workbook(io.BytesIO(write_workbook({"orders": [BASE]}, csv_book(BASE))))["orders"]
    assert sheet.freeze_panes == "B2"
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {TEXT_FORMAT}
    assert {sheet.column_dimensions[letter].number_format for letter in "ABCDEFGHIJKLMNOPQ"} == {TEXT_FORMAT}


def test_drop_downs_offer_what_a_cell_may_hold() -> None:
    workbook = load_workbook(io.BytesIO(write_workbook({"orders": [BASE]}, csv_book(BASE))))
    lists = workbook[LISTS_SHEET]
    assert lists.sheet_state == "hidden"
    found: dict[str, tuple[list[str], bool]] = {}
    for one in workbook["orders"].data_validations.dataValidation:
        ((first, last),) = [part.replace("$", "").split(":") for part in [one.formula1.partition("!")[2]]]
        words = [cell.value for (cell,) in lists[first:last]]
        column = COLUMNS[workbook["orders"][str(one.sqref).partition(":")[0]].column - 1]
        found[column] = (words, one.showErrorMessage)
    assert found["stage"] == (["legacy", "dark", "validate", "pilot", "live", "drain", "read_only", "retired"], True)
    assert found["overlay"] == (["hold", "freeze", "paused"], True)
    assert found["legacy_system"] == (["old"], True)
    assert found["cloud_system"] == (["eu", "new"], True)
    assert found["geography"][0][:4] == ["*", "AMER", "DE", "DE-BY"]
    assert found["business_unit"][1] is False  # a list or an exclusion is no word of the list


def spoiled(**cells: Any) -> bytes:
    """A workbook with one row, some of whose cells somebody has typed into a spreadsheet."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "orders"
    sheet.append(list(COLUMNS))
    sheet.append([text or None for text in BASE])
    for column, value in cells.items():
        sheet.cell(2, COLUMNS.index(column) + 1).value = value
    return saved(workbook)


def saved(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def complaints(workbook: bytes, **more: bytes) -> list[str]:
    with pytest.raises(RulebookInvalid) as caught:
        parse(workbook, **more)
    assert all(one.remedy for one in caught.value.complaints)
    return [str(one).removesuffix(f". {one.remedy}") for one in caught.value.complaints]


SPOILED = [
    ({"row": 100000.0}, "t.xlsx[orders]:2:1: the number 100000 stands where text is meant"),
    ({"row": date(2026, 2, 1)}, "t.xlsx[orders]:2:1: the date 2026-02-01 stands where text is meant"),
    ({"valid_from": date(2026, 2, 1)}, "t.xlsx[orders]:2:9: the date 2026-02-01 stands where text is meant"),
    ({"document_type": True}, "t.xlsx[orders]:2:6: the truth value TRUE stands where text is meant"),
    ({"note": 1.5}, "t.xlsx[orders]:2:17: the number 1.5 stands where text is meant"),
    ({"note": '=CONCAT("a","b")'}, "t.xlsx[orders]:2:17: a formula stands in the cell"),
    ({"geography": "DE\u00a0|\u200bFR"}, "t.xlsx[orders]:2:4: the invisible character U+00A0 stands in the cell"),
    ({"business_unit": "A\ufeff1"}, "t.xlsx[orders]:2:3: the invisible character U+FEFF stands in the cell"),
    ({"note": "bell_x0007_"}, "t.xlsx[orders]:2:17: the control character U+0007 stands in the cell"),
    ({"geography": "EMEAA"}, "t.xlsx[orders]:2:4: unknown geography node 'EMEAA'"),
]


@pytest.mark.parametrize(("cells", "told"), SPOILED)
def test_what_a_spreadsheet_has_changed_is_named_where_it_stands(cells: dict[str, Any], told: str) -> None:
    assert complaints(spoiled(**cells)) == [told]


def test_plain_spaces_around_a_cell_mean_nothing() -> None:
    spaced = parse(spoiled(row=" base ", geography=" DE |FR ", stage="legacy  "))
    tight = parse(spoiled(geography="DE|FR"))
    assert spaced.version == tight.version


def test_all_that_is_wrong_comes_at_once() -> None:
    found = complaints(spoiled(row=7, geography="Moon", share="5", valid_from="2026-02-01", valid_to="2026-01-01"))
    assert found == [
        "t.xlsx[orders]:2:1: the number 7 stands where text is meant",
        "t.xlsx[orders]:2:4: unknown geography node 'Moon'",
        "t.xlsx[orders]:2:10: no day lies from 2026-02-01 up to 2026-01-01",
        "t.xlsx[orders]:2:14: a share stands at stage legacy",
    ]


def test_merged_cells_are_named() -> None:
    workbook = load_workbook(io.BytesIO(spoiled()))
    workbook["orders"].merge_cells("C2:C4")
    assert complaints(saved(workbook)) == ["t.xlsx[orders]:2:3: the cells C2:C4 are merged"]


def test_sheets_are_domains_and_stand_once() -> None:
    workbook = load_workbook(io.BytesIO(spoiled()))
    workbook["orders"].title = "order"
    assert complaints(saved(workbook)) == ["t.xlsx[order]:1:1: no domain is named 'order'"]
    both = complaints(spoiled(), **{"orders.csv": f"{HEADER}\n".encode()})
    assert both == ["t.xlsx[orders]:1:1: orders stand in orders.csv too"]
    assert parse(spoiled(), **{"~$t.xlsx": b"lock"}).tables.keys() == {"orders"}


def test_gaps_between_rows_and_rows_far_below_mean_nothing() -> None:
    workbook = load_workbook(io.BytesIO(spoiled()))
    for cell, text in zip(workbook["orders"][500], BASE, strict=False):
        cell.value = text or None
    workbook["orders"].cell(500, 1).value = "far"
    workbook["orders"].cell(500, 4).value = "DE"
    rows = parse(saved(workbook)).table("orders").rows
    assert [(row.id, row.file, row.line) for row in rows] == [
        ("base", "t.xlsx[orders]", 2),
        ("far", "t.xlsx[orders]", 500),
    ]


def test_what_a_sheet_says_of_its_own_size_is_not_believed() -> None:
    with zipfile.ZipFile(io.BytesIO(spoiled())) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    lying = sheet.replace(b'<dimension ref="A1:Q2"', b'<dimension ref="A1:B1"')
    assert lying != sheet
    assert [row.id for row in parse(damaged("xl/worksheets/sheet1.xml", lying)).table("orders").rows] == ["base"]


def test_a_cell_beyond_the_header_is_named() -> None:
    workbook = load_workbook(io.BytesIO(spoiled()))
    workbook["orders"].cell(2, 20).value = "stray"
    assert complaints(saved(workbook)) == ["t.xlsx[orders]:2:1: the row has 20 cells, the header 17"]


def test_too_many_rows_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing_rules.table_reader.MAX_ROWS", 50)
    rows = [[f"r{number}", *BASE[1:]] for number in range(60)]
    content = write_workbook({"orders": rows}, csv_book(BASE))
    assert complaints(content) == ["t.xlsx[orders]:52:1: the table has more than 50 rows"]


def damaged(part: str, content: bytes | None) -> bytes:
    """The workbook with one of its parts replaced, or left out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(spoiled())) as source, zipfile.ZipFile(stream, "w") as target:
        for one in source.infolist():
            if one.filename != part:
                target.writestr(one, source.read(one))
            elif content is not None:
                target.writestr(part, content)
    return stream.getvalue()


def test_what_is_no_workbook_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaints(b"row,operation") == ["t.xlsx:1:1: this is no workbook: File is not a zip file"]
    assert complaints(b"\xd0\xcf\x11\xe0old") == ["t.xlsx:1:1: the workbook is encrypted or of the old .xls format"]
    assert complaints(damaged("xl/workbook.xml", None))[0].startswith("t.xlsx:1:1: the workbook is damaged: ")
    assert complaints(damaged("xl/worksheets/sheet1.xml", b"<worksheet>"))[0].startswith("t.xlsx")
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'
    assert complaints(damaged("xl/worksheets/sheet1.xml", bomb)) == [
        "t.xlsx:1:1: xl/worksheets/sheet1.xml declares a document type"
    ]
    monkeypatch.setattr("routing_rules.xlsx_records.MAX_UNPACKED", 1024 * 1024)
    assert complaints(damaged("docProps/app.xml", b" " * (1024 * 1024))) == [
        "t.xlsx:1:1: the workbook unpacks to more than 1 MiB"
    ]
