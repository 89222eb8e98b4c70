"""Each kind of complaint with its exact place, and all of them at once."""

from __future__ import annotations

import pytest

from routing_rules import RulebookInvalid
from routing_rules.table_reader import HEADER, MAX_CELL
from tests.rules.small_rulebook import GOOD, YAML, complaints, parse


def marked(text: str, first_line: int = 1) -> tuple[str, list[str]]:
    """The text without its marks, and the line:column of what each ¶ stands before."""
    places: list[str] = []
    while (at := text.find("¶")) >= 0:
        before = text[:at]
        places.append(f"{before.count(chr(10)) + first_line}:{len(before) - before.rfind(chr(10))}")
        text = before + text[at + 1 :]
    return text, places


def test_the_small_rulebook_is_good() -> None:
    book = parse(GOOD, "no,,,NO,,,,,,,live,,new,,,,")
    assert book.geographies.parents["NO"] == "EMEA"
    assert book.systems["old"].budget.concurrent == 8
    assert book.systems["new"].enforces_unique_reference is True
    assert [row.id for row in book.table("orders").rows] == ["base", "no"]
    assert book.table("orders").row("no").line == 3


ROWS = [
    ("¶,,,,,,,,,,legacy,old,,,,,", ["the row id is missing"]),
    ("¶a b,,,,,,,,,,legacy,old,,,,,", ["'a b' is no row id"]),
    ("a,¶copy,,,,,,,,,legacy,old,,,,,", ["unknown operation 'copy'"]),
    ("a,,¶Z,,,,,,,,legacy,old,,,,,", ["unknown business_unit node 'Z'"]),
    ("a,,,¶DE|XX|YY,,,,,,,legacy,old,,,,,", ["unknown geography node 'XX'", "unknown geography node 'YY'"]),
    ("a,,,¶DE|\u200bFR,,,,,,,legacy,old,,,,,", ["the invisible character U+200B stands in the cell"]),
    ("a,,,,,¶T\u00a01,,,,,legacy,old,,,,,", ["the invisible character U+00A0 stands in the cell"]),
    ("a,,,¶DE||FR,,,,,,,legacy,old,,,,,", ["the list has an empty entry"]),
    ("a,,,¶DE|DE,,,,,,,legacy,old,,,,,", ["'DE' stands twice in the list"]),
    ("a,,,¶DE|EMEA,,,,,,,legacy,old,,,,,", ["'DE' lies below 'EMEA' in the same list"]),
    ("a,,,¶EMEA except US,,,,,,,legacy,old,,,,,", ["'US' is excluded but not included"]),
    ("a,,,¶EMEA except FR except DE,,,,,,,legacy,old,,,,,", ["'except' stands twice"]),
    ("a,,,¶DE except DE,,,,,,,legacy,old,,,,,", ["the exclusion leaves nothing"]),
    ("a,,,,¶C9,,,,,,legacy,old,,,,,", ["unknown company code 'C9'"]),
    ("a,,,,,¶a b,,,,,legacy,old,,,,,", ["'a b' is no document type"]),
    ("a,,,,,,¶k!,,,,legacy,old,,,,,", ["'k!' is no customer segment"]),
    ("a,,,,,,,¶>1000 EUR,,,legacy,old,,,,,", ["'>1000 EUR' is no amount range"]),
    ("a,,,,,,,¶>=1000,,,legacy,old,,,,,", ["'>=1000' is no amount range"]),
    ("a,,,,,,,¶>=1.000 CHF,,,legacy,old,,,,,", ["the amount 1.000 has 3 decimals, and CHF has 2"]),
    ("a,,,,,,,¶<100.5 JPY,,,legacy,old,,,,,", ["the amount 100.5 has 1 decimals, and JPY has 0"]),
    ("a,,,,,,,¶>=100 XXX,,,legacy,old,,,,,", ["'XXX' is no currency of ISO 4217"]),
    ("a,,,,,,,¶-5..9 ABC,,,legacy,old,,,,,", ["'ABC' is no currency of ISO 4217", "the amount -5 is negative"]),
    ("a,,,,,,,¶5..5 EUR,,,legacy,old,,,,,", ["no amount lies from 5 up to 5"]),
    ("a,,,,,,,,¶2026-02-30,,legacy,old,,,,,", ["'2026-02-30' is no date"]),
    ("a,,,,,,,,¶20260201,,legacy,old,,,,,", ["'20260201' is no date"]),
    ("a,,,,,,,,2026-02-01,¶2026-02-01,legacy,old,,,,,", ["no day lies from 2026-02-01 up to 2026-02-01"]),
    ("a,,,,,,,,,,¶,old,,,,,", ["the stage is missing"]),
    ("a,,,,,,,,,,¶beta,old,,,,,", ["unknown stage 'beta'"]),
    ("a,,,,,,,,,,legacy,¶,,,,,", ["stage legacy needs a legacy system"]),
    ("a,,,,,,,,,,validate,old,¶,,,,", ["stage validate needs a cloud system"]),
    ("a,,,,,,,,,,retired,old,¶,,,,", ["stage retired needs a cloud system"]),
    ("a,,,,,,,,,,drain,¶,new,,,,", ["stage drain needs a legacy system"]),
    ("a,,,,,,,,,,legacy,¶new,,,,,", ["'new' is a system of the cloud side"]),
    ("a,,,,,,,,,,live,,¶old,,,,", ["'old' is a system of the legacy side"]),
    ("a,,,,,,,,,,legacy,¶odl,,,,,", ["unknown system 'odl'"]),
    ("a,,,,,,,,,,live,,new,¶10,,,", ["a share stands at stage live"]),
    ("a,,,,,,,,,,live,,new,,¶X,,", ["an allow-list stands at stage live"]),
    ("a,,,,,,,,,,pilot,old,new,¶,,,", ["a pilot needs a share"]),
    ("a,,,,,,,,,,pilot,old,new,¶100.01,,,", ["'100.01' is no share"]),
    ("a,,,,,,,,,,pilot,old,new,¶12.345,,,", ["'12.345' is no share"]),
    ("a,,,,,,,,,,pilot,old,new,¶-1,,,", ["'-1' is no share"]),
    ("a,,,,,,,,,,pilot,¶,new,50,,,", ["a pilot whose share is below 100 needs a legacy system for the rest"]),
    ("a,,,,,,,,,,pilot,old,new,50,¶X|X,,", ["'X' stands twice in the list"]),
    ("a,,,,,,,,,,live,,new,,,¶halt,", ["unknown overlay 'halt'"]),
    ("¶a,,,,,,,,,,legacy,old,,,,", ["the row has 16 cells, the header 17"]),
    (f"a,,,,,,,,,,legacy,old,,,,,¶{'x' * (MAX_CELL + 1)}", [f"the cell is longer than {MAX_CELL} characters"]),
    ("base,,,,,,,,,,legacy,old,,,,,\n¶base,,,,,,,,,,legacy,old,,,,,", ["the row id 'base' stands already in line 2"]),
    ("base,,,,,,,,,,legacy,old,,,,,¶\x07", ["the control character U+0007 stands in the file"]),
    ('a,"b\n c"¶d', ["text follows the closing quote of a cell"]),
    (
        'n,,,,,,,,,,legacy,old,,,,,"first\r\nsecond, ""quoted"""\n"x",,¶"Z",,,,,,,,legacy,old,,,,,',
        ["unknown business_unit node 'Z'"],
    ),
]


@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_a_fault_of_a_row_is_named_where_it_stands(row: str, expected: list[str]) -> None:
    text, places = marked(row, first_line=2)
    # One mark for all messages where they stand in the same cell.
    assert complaints(text) == [f"orders.csv:{places[0]}: {message}" for message in expected]


def test_all_complaints_come_at_once_in_the_order_of_the_files() -> None:
    yaml = YAML.replace("longest_execution_s: 150", "longest_execution_s: soon", 1)
    assert complaints("a,copy,Z,XX,,,,,,,beta,old,,5,,,", ",,,,,,,,,,legacy,old,,,,,", yaml=yaml) == [
        "orders.csv:2:3: unknown operation 'copy'",
        "orders.csv:2:8: unknown business_unit node 'Z'",
        "orders.csv:2:10: unknown geography node 'XX'",
        "orders.csv:2:19: unknown stage 'beta'",
        "orders.csv:3:1: the row id is missing",
        "rulebook.yaml:15:26: longest_execution_s is no whole number from 1 to 86400",
    ]


def test_a_system_must_list_the_domain() -> None:
    row, places = marked("c,,,,,,,,,,legacy,¶old,,,,,")
    expected = f"customers.csv:2:{places[0][2:]}: system 'old' does not list the domain customers"
    assert complaints(row, domain="customers") == [expected]


HEADERS = [
    ("¶" + HEADER.replace(",", ";"), ["the cells are separated by ;"]),
    ("¶" + HEADER.replace(",", "\t"), ["the cells are separated by tabs"]),
    ("¶" + HEADER.replace("stage", "¶stadium"), ["the column 'stage' is missing", "unknown column 'stadium'"]),
    (HEADER + ",¶row", ["the column 'row' stands twice"]),
    ("¶" + HEADER.replace("row,operation", "operation,row"), ["the columns stand in another order"]),
    ("¶", ["the file is empty"]),
    ('row,operation,¶"business_unit', ["the quote that opens this cell is never closed"]),
]


@pytest.mark.parametrize(("header", "expected"), HEADERS)
def test_the_header_is_the_one_of_the_design(header: str, expected: list[str]) -> None:
    text, places = marked(header)
    assert complaints(header=text) == [
        f"orders.csv:{place}: {message}" for place, message in zip(places, expected, strict=True)
    ]


YAMLS = [
    (
        "rulebook: small\nbusiness_units",
        "rulebook: [x\nbusiness_units¶",
        ["this is no YAML: while parsing a flow sequence, expected ',' or ']', but got ':'"],
    ),
    ("rulebook: small\nbusiness", "¶business", ["the rulebook lacks 'rulebook'"]),
    ("rulebook: small", "rulebook: ¶a.b", ["'a.b' is no rulebook name"]),
    ("rulebook: small", "rulebook: small\n¶rules: 1", ["the rulebook has no 'rules'"]),
    ("rulebook: small", "rulebook: small\n¶rulebook: other", ["the key 'rulebook' stands twice"]),
    (
        "rulebook: small",
        "rulebook: ¶!!python/name:os.system x",
        ["the tag tag:yaml.org,2002:python/name:os.system stands here"],
    ),
    ("rulebook: small", "rulebook: &x small\nowners: {orders: [¶*x]}", ["an alias stands here"]),
    (
        "rulebook: small",
        "--- 1\n¶--- 2",
        ["this is no YAML: expected a single document in the stream, but found another document"],
    ),
    ("rulebook: small", "rulebook: sm¶\x07all", ["the control character U+0007 stands in the file"]),
    (
        "rulebook: small",
        "rulebook: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[¶[[[[[[[[[[[[[[[[[[[[[",
        ["the file is nested deeper than 40"],
    ),
    ("{id: B}", "{id: ¶A}", ["the business_unit node 'A' stands twice"]),
    ("{id: B}", "{id: B, children: [{id: ¶B}]}", ["the business_unit node 'B' lies below itself"]),
    (
        "{id: B}",
        "{id: B, children: [{id: C, children: [{id: ¶G}]}]}",
        ["the business_unit node 'G' lies below itself"],
    ),
    ("{id: B}", "{id: ¶_}", ["'_' is a reserved word"]),
    ("{id: B}", "{id: ¶except}", ["'except' is a reserved word"]),
    ("{id: B}", "{id: ¶B.1}", ["'B.1' is no business_unit node id"]),
    (
        "{id: B}",
        "{id: ¶BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB}",
        ["'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB' is no business_unit node id"],
    ),
    ("{id: B}", "¶{name: B}", ["the business_unit node lacks 'id'"]),
    ("{id: B}", "{id: B, ¶kids: []}", ["the business_unit node has no 'kids'"]),
    ("{id: B}", "¶B", ["the business_unit node is no mapping"]),
    ("{id: B}", "{id: B, children: ¶B}", ["children is no list"]),
    ("side: legacy", "side: ¶left", ["unknown side 'left'"]),
    ("regions: [W]", "regions: [DE, ¶XX]", ["unknown geography node 'XX'"]),
    (
        "domains: [orders]",
        "domains: [orders, ¶order, ¶orders]",
        ["unknown domain 'order'", "'orders' stands twice in the list"],
    ),
    ("concurrent: 8", "concurrent: ¶0", ["concurrent is no whole number from 1 to 10000"]),
    ("- id: old\n    side: legacy\n", "- ¶id: old\n", ["the system lacks 'side'"]),
    (
        "enforces_unique_reference: false",
        "enforces_unique_reference: ¶no",
        ["enforces_unique_reference is neither true nor false"],
    ),
    ("- id: new", "- id: ¶old", ["the system 'old' stands twice"]),
    ("- id: new", "- id: ¶gateway", ["'gateway' is a reserved word"]),
    ("[{id: C1}]", "[{id: C1}, {id: ¶C1}]", ["the company code 'C1' stands twice"]),
    ("{id: C1}", "{id: C1, calendar: ¶lunar}", ["unknown calendar 'lunar'"]),
    ("{id: C1}", "{id: C1, currency: ¶euro}", ["'euro' is no currency"]),
    ("company", "owners: {¶order: [x], orders: ¶[]}\ncompany", ["owners has no 'order'", "orders has 0 owners"]),
    ("company", "share_by: {orders: ¶region}\ncompany", ["unknown share_by 'region'"]),
    (
        "company",
        "calendars: [¶{name: x}, {id: c}, {id: ¶c}]\ncompany",
        ["the entry of calendars lacks 'id'", "the id 'c' stands twice"],
    ),
    (
        "company",
        "late: [{domain: orders, kind: ¶gift, policy: cloud, geography: ¶XX}]\ncompany",
        ["unknown kind 'gift'", "unknown geography node 'XX'"],
    ),
    (
        "company",
        "examples: [{name: x, facts: ¶{operation: create, ¶colour: red}, expect: ¶{}}]\ncompany",
        ["facts lacks 'domain'", "facts has no 'colour'", "the example expects nothing"],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), YAMLS)
def test_a_fault_of_the_rulebook_is_named_where_it_stands(old: str, new: str, expected: list[str]) -> None:
    assert old in YAML
    text, places = marked(YAML.replace(old, new, 1))
    found = [one for one in complaints(yaml=text) if one.startswith("rulebook")]
    assert found == [f"rulebook.yaml:{place}: {message}" for place, message in zip(places, expected, strict=True)]


def test_remedies_suggest_the_nearest_word() -> None:
    with pytest.raises(RulebookInvalid) as caught:
        parse("a,,,emae,,,,,,,legacy,old,,,,,")
    assert str(caught.value) == "orders.csv:2:5: unknown geography node 'emae'. Did you mean 'EMEA'?"
