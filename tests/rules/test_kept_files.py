"""The files of a version that the gateway derived: nothing of what people wrote is lost, and they give that version."""

from __future__ import annotations

from pathlib import Path

from routing_rules import Rulebook, parse_rulebook, run_examples
from routing_rules.canonical_text import canonical_files
from routing_rules.complaints import ComplaintBook
from routing_rules.kept_files import derived_files, row_places, texts_of
from routing_rules.reversion import reverted
from routing_rules.rulebook_files import read_files, table_texts
from routing_rules.xlsx_writer import write_workbook

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"
PILOT = ("orders", "Eastern", "DE")


def sample() -> dict[str, str]:
    return texts_of(read_files(TABLES, ComplaintBook()))


def parsed(files: dict[str, str]) -> Rulebook:
    return parse_rulebook({name: text.encode() for name, text in files.items()})


def changed(files: dict[str, str], name: str, before: str, after: str) -> dict[str, str]:
    assert files[name].count(before) == 1
    return files | {name: files[name].replace(before, after)}


def test_the_files_are_kept_as_they_were_read():
    assert sample() == {path.name: path.read_text(encoding="utf-8") for path in TABLES.iterdir()}


def test_the_files_of_a_workbook_are_its_rows_in_their_order():
    files = read_files(TABLES, ComplaintBook())
    book = write_workbook(table_texts(files), parse_rulebook(files))
    kept = texts_of({"rulebook.yaml": files["rulebook.yaml"], "rules.xlsx": book})
    assert kept["orders.csv"] == sample()["orders.csv"]


def test_a_slice_that_went_back_changes_its_rows_and_nothing_else():
    first = sample()
    second = changed(first, "orders.csv", ",pilot,legacy-main,cloud-main,25,", ",pilot,legacy-main,cloud-main,50,")
    second = changed(second, "orders.csv", "o-base,", "o-base ,")
    made = reverted(parsed(second), parsed(first), *PILOT)
    files = derived_files(second, first, made)
    assert files is not None
    assert parsed(files).version == made.version
    assert {name: text for name, text in files.items() if name != "orders.csv"} == {
        name: text for name, text in second.items() if name != "orders.csv"
    }
    assert parsed(files).examples == parsed(first).examples
    before, after = second["orders.csv"].splitlines(), files["orders.csv"].splitlines()
    assert "\r" not in files["orders.csv"]
    assert [one for one in after if one in before] == [one for one in before if one in after]
    assert len([one for one in before if one not in after]) <= 1, "rows that did not change stay as they were written"


def test_what_went_back_whole_has_the_rows_where_they_stood():
    first = sample()
    gone = "\n".join(one for one in first["orders.csv"].splitlines() if not one.startswith("o-east-dach-large")) + "\n"
    second = first | {"orders.csv": gone}
    made = reverted(parsed(second), parsed(first), "orders", "Eastern", "World")
    files = derived_files(second, first, made)
    assert files is not None
    assert files["orders.csv"] == first["orders.csv"]
    assert run_examples(parsed(files)) == ()


def test_cutover_dates_go_with_their_rows():
    dated = "cutover_dates:\n  orders:\n    o-west: 2026-09-01 # agreed\n"
    first = sample()
    first = first | {"rulebook.yaml": f"# ours\n{first['rulebook.yaml']}\n{dated}"}
    second = first | {"rulebook.yaml": first["rulebook.yaml"].replace("2026-09-01 # agreed", "2026-10-01")}
    made = reverted(parsed(second), parsed(first), "orders", "Western", "World")
    files = derived_files(second, first, made)
    assert files is not None
    assert files["rulebook.yaml"].startswith("# ours\n")
    assert parsed(files).version == made.version
    assert parsed(files).examples == parsed(first).examples


def test_places_are_those_of_the_file_behind_cells_with_line_breaks():
    text = 'row,operation,note\no-1,*,"two\nlines"\n\no-2,*,x\n'
    assert row_places({"orders.csv": text, "rulebook.yaml": "row: 1"}) == {
        "orders": {"o-1": ("orders.csv", 2), "o-2": ("orders.csv", 5)}
    }


def test_where_no_files_are_known_they_can_be_read_by_people():
    book = parsed(sample())
    files = canonical_files(book.canonical_json(), book.governance_json(), readable=True)
    yaml, table = (files[name] or b"" for name in ("rulebook.yaml", "orders.csv"))
    assert yaml.count(b"\n") > 100
    assert b"\r" not in table
    again = parse_rulebook(files)
    assert (again.version, again.governance_version) == (book.version, book.governance_version)
