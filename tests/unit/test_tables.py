"""Tables of the command line: no cell is folded."""

from __future__ import annotations

from gateway.cli.tables import table_lines

WIDE = "x" * 300


def test_a_row_is_one_line_however_wide_where_there_is_no_terminal() -> None:
    lines = list(table_lines(["id", "why"], [("txn_1", WIDE), ("txn_22", "no")], None))
    assert lines == ["id      why", f"txn_1   {WIDE}", "txn_22  no"]


def test_what_is_wider_than_the_terminal_is_told_column_by_column() -> None:
    rows = [("txn_1", "####", WIDE), ("txn_22", "", "")]
    assert list(table_lines(["id", "", "why"], rows, 80)) == ["id   txn_1", f"why  {WIDE}", "", "id   txn_22"]
    assert list(table_lines(["id", "", "why"], [("1", "#", "no")], 80)) == ["id     why", "1   #  no"]


def test_names_and_values_have_no_headings() -> None:
    assert list(table_lines(["", ""], [("status", "posted"), ("why", WIDE)], 40)) == [
        "status  posted",
        f"why     {WIDE}",
    ]


def test_a_cell_cannot_move_the_cursor_and_wide_letters_count_double() -> None:
    lines = list(table_lines(["a", "b"], [("one\ntwo\x1b[2J", "x"), ("日本", "y")], None))
    assert lines == ["a            b", "one two [2J  x", "日本         y"]


def test_a_table_without_rows_is_its_headings() -> None:
    assert list(table_lines(["a", "b"], [], 1)) == ["a  b"]
