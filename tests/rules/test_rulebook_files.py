"""The files of a rulebook: which are read, as what, and their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing_rules import DomainNotServed, Facts, RulebookInvalid, decide, load_rulebook, parse_rulebook
from routing_rules.complaints import MAX_COMPLAINTS
from routing_rules.rulebook_files import MAX_TABLE_BYTES
from routing_rules.table_reader import HEADER
from tests.rules.small_rulebook import GOOD, YAML, complaints, parse


def test_byte_order_mark_crlf_and_blank_lines_mean_nothing() -> None:
    text = f"\ufeff{HEADER}\r\n\r\n{GOOD}\r\n{',' * 16}\r\n"
    book = parse_rulebook({"rulebook.yaml": b"\xef\xbb\xbf" + YAML.encode(), "orders.csv": text.encode()})
    assert book.version == parse(GOOD).version
    assert book.table("orders").row("base").line == 3


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_is_no_utf_8_has_a_place(mark: bytes) -> None:
    text = mark + f"{HEADER}\nä,".encode() + b"\xe9,x"
    with pytest.raises(RulebookInvalid) as caught:
        parse_rulebook({"rulebook.yaml": YAML.encode(), "orders.csv": text})
    assert [str(one) for one in caught.value.complaints] == [
        "orders.csv:2:3: the byte 0xE9 is no UTF-8. Save the file as UTF-8"
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(encoding: str) -> None:
    content = f"\ufeff{HEADER}\n{GOOD}".encode(encoding)
    with pytest.raises(RulebookInvalid) as caught:
        parse_rulebook({"rulebook.yaml": YAML.encode(), "orders.csv": content})
    assert str(caught.value) == "orders.csv:1:1: the file is UTF-16. Save it as UTF-8 (in Excel: CSV UTF-8)"


def test_tree_cells_hold_only_so_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing_rules.table_reader.MAX_HELD_NODES", 15)
    row = "a,,,{},,,,,,,legacy,old,,,,,"
    # The business units of all rows are one cell of 3, these are 3 and 4 nodes more, and the next would be 3 more.
    parse(row.format("DE|FR|NO"), row.format("EMEA").replace("a,", "b,"))
    found = complaints(*(row.format(f"W except {node}").replace("a,", f"{node},") for node in ("DE", "FR", "NO")))
    assert found == ["orders.csv:4:6: the tree cells of the table hold more than 15 nodes together"]


def test_files_that_belong_to_no_domain_are_refused_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "rulebook.yaml").write_text(YAML)
    (tmp_path / "README.md").write_text("no rules")
    with pytest.raises(RulebookInvalid, match=r"^rulebook.yaml:1:1: there is no rule table"):
        load_rulebook(tmp_path)
    (tmp_path / "orders.csv").write_text(f"{HEADER}\n{GOOD}\n")
    assert load_rulebook(tmp_path).tables.keys() == {"orders"}
    (tmp_path / "Order.csv").write_text("")
    with pytest.raises(RulebookInvalid, match=r"^Order.csv:1:1: no domain is named 'Order'. Did you mean 'orders'\?$"):
        load_rulebook(tmp_path)


def test_missing_and_unreadable_files_are_complaints(tmp_path: Path) -> None:
    with pytest.raises(RulebookInvalid, match="the directory cannot be read"):
        load_rulebook(tmp_path / "nowhere")
    (tmp_path / "orders.csv").mkdir()
    with pytest.raises(RulebookInvalid) as caught:
        load_rulebook(tmp_path)
    assert [one.message for one in caught.value.complaints] == [
        "the file cannot be read: Is a directory",
        "the file is missing",
    ]
    with pytest.raises(RulebookInvalid, match=r"^orders.csv:1:1: the file is empty"):
        parse_rulebook({"rulebook.yaml": YAML.encode(), "orders.csv": b""})


def test_limits_on_size_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RulebookInvalid, match=r"rulebook.yaml:1:1: the file is larger than 2048 KiB"):
        parse_rulebook({"rulebook.yaml": b" " * (2 * 1024 * 1024 + 1), "orders.csv": HEADER.encode()})
    found = complaints(*["a,,Z,,,,,,,,legacy,old,,,,,"] * (MAX_COMPLAINTS + 5))
    assert len(found) == MAX_COMPLAINTS + 1
    assert found[-1].endswith(f"there are more than {MAX_COMPLAINTS} complaints")
    monkeypatch.setattr("routing_rules.table_reader.MAX_ROWS", 2)
    rows = [GOOD.replace("base", str(number)) for number in range(5)]
    assert complaints(*rows) == ["orders.csv:4:1: the table has more than 2 rows"]


def test_trees_have_a_depth_and_a_number_of_nodes() -> None:
    deep = "".join(f"{{id: N{level}, children: [" for level in range(8)) + "{id: X}" + "]}" * 8
    assert complaints(yaml=YAML.replace("{id: B}", deep))[0].endswith("the tree is deeper than 8")
    many = ", ".join(f"{{id: N{number}}}" for number in range(10_000))
    assert complaints(yaml=YAML.replace("{id: B}", many))[0].endswith("the tree has more than 10000 nodes")


def test_a_domain_without_table_is_not_served() -> None:
    rules = parse(GOOD)
    for domain in ("invoices", "no-such-domain"):
        with pytest.raises(DomainNotServed) as caught:
            decide(rules, Facts(domain=domain, operation="create"))
        assert caught.value.domain == domain


def test_a_table_that_is_too_large_names_how_many_rows_it_may_have() -> None:
    content = f"{HEADER}\n".encode() + f"{GOOD}{'x' * 20}\n".encode() * 1_000_000
    assert len(content) > MAX_TABLE_BYTES
    with pytest.raises(RulebookInvalid, match="at most 100,000 rows"):
        parse_rulebook({"rulebook.yaml": YAML.encode(), "orders.csv": content})
