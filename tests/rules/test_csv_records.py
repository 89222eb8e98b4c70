"""The CSV reader against Python's own writer, and the places it names."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_rules.csv_records import CsvFault, Record, control_characters, read_records

CELL = st.text(st.sampled_from('ab ,"\n€😀|'), max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_reads_what_the_csv_module_writes(rows: list[list[str]], end: str, quoting: int, last: bool) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    text = stream.getvalue() if last else stream.getvalue().removesuffix(end)
    records = list(read_records(text))
    assert [record.texts for record in records if isinstance(record, Record)] == rows
    lines = text.split("\n")
    for record in records:
        assert isinstance(record, Record)
        for number, cell in enumerate(record.texts):
            line, column = record.place(number)
            rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
            assert rest.startswith(('"' + cell.replace('"', '""') + '"', cell))
            if column > 1:
                assert lines[line - 1][column - 2] == ","
        assert record.place(0) == (record.line, 1)


@pytest.mark.parametrize(
    ("text", "place", "message", "after"),
    [
        ('a,b\n1,2"3\n4,5', (2, 4), "a quote stands inside an unquoted cell", [["4", "5"]]),
        ('a,b\n1,"2"3\n4,5', (2, 6), "text follows the closing quote of a cell", [["4", "5"]]),
        ('a,b\n"x\ny","2"3\n4,5', (3, 7), "text follows the closing quote of a cell", [["4", "5"]]),
        ('a,b\n1,"2\n4,5', (2, 3), "the quote that opens this cell is never closed", []),
    ],
)
def test_faults_have_a_place_and_reading_goes_on(
    text: str, place: tuple[int, int], message: str, after: list[list[str]]
) -> None:
    found = list(read_records(text))
    fault = found[1]
    assert isinstance(fault, CsvFault)
    assert (fault.line, fault.column, fault.message) == (*place, message)
    rest = found[2:]
    assert [record.texts for record in rest if isinstance(record, Record)] == after
    assert all(record.line == text.count("\n") + 1 for record in rest)


def test_control_characters_have_a_place() -> None:
    assert list(control_characters("a\tb\r\nc\rd\ne\x00")) == [(2, 2, "U+000D"), (3, 2, "U+0000")]
