"""Versions: the same meaning is the same version, any changed cell another; and what rows may send where."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
import rfc8785

from routing_rules import DomainNotServed, Rulebook, parse_rulebook
from routing_rules.table_reader import COLUMNS, HEADER

REST = (
    "driver: d, budget: {concurrent: 1, calls_per_minute: 2}, longest_execution_s: 3, inquiry_delay_s: 4, "
    "enforces_unique_reference: false"
)
YAML = f"""\
rulebook: small
business_units: {{id: G, children: [{{id: A}}, {{id: B}}]}}
geographies: {{id: W, children: [{{id: DE}}, {{id: FR, name: France}}]}}
systems:
  - {{id: old, side: legacy, regions: [W], domains: [orders, invoices], {REST}}}
  - {{id: new, side: cloud, regions: [DE, FR], domains: [orders, customers, invoices], {REST}}}
"""
YAML += """\
company_codes: [{id: C1, calendar: year}, {id: C2}]
calendars: [{id: year, fiscal_year_starts: 01-01}, {id: weeks}]
owners: {orders: [x, y]}
required_checks: [{id: proof}]
thresholds: {ratio: 0.5}
late: [{domain: orders, kind: credit, policy: cloud}]
examples: [{name: e, facts: {domain: orders, operation: create}, expect: {system: old}}]
"""
PILOT = "a,create,A,DE|FR,C1,T1,S1,>=10 EUR,2026-01-01,2026-02-01,pilot,old,new,10,X1|X2,hold,note"
BASE = "b,,,,,,,,,,legacy,old,,,,,"


def book(*rows: str, yaml: str = YAML, domain: str = "orders", **more: str) -> Rulebook:
    files = {"rulebook.yaml": yaml, f"{domain}.csv": "\n".join([HEADER, *rows])}
    files |= {f"{name}.csv": f"{HEADER}\n{row}" for name, row in more.items()}
    return parse_rulebook({name: text.encode() for name, text in files.items()})


def test_the_version_is_the_hash_of_the_text_that_can_be_stored() -> None:
    one = book(PILOT, BASE, invoices=BASE)
    for text, version in [
        (one.table_json("orders"), one.table_version("orders")),
        (one.canonical_json(), one.version),
        (one.governance_json(), one.governance_version),
    ]:
        assert sha256(text).hexdigest() == version
        assert rfc8785.dumps(json.loads(text)) == text
    assert len({one.version, one.table_version("orders"), one.table_version("invoices")}) == 3
    with pytest.raises(DomainNotServed):
        one.table_version("payments")


SAME = [
    (PILOT, PILOT.replace("DE|FR", " FR | DE ")),
    (PILOT, PILOT.replace(">=10 EUR", ">= 10.00 EUR")),
    (PILOT, PILOT.replace(",10,X1|X2,", ",10.00,X2|X1,")),
    (PILOT, ",".join(f'"{cell}"' for cell in PILOT.split(","))),
    (BASE, BASE.replace(",,", ",*,", 3)),
    (BASE, BASE.replace("b,,", "b,create|change|cancel|reverse,")),
]


@pytest.mark.parametrize(("row", "respelled"), SAME)
def test_spelling_is_not_in_the_version(row: str, respelled: str) -> None:
    assert row != respelled
    assert book(respelled).table_json("orders") == book(row).table_json("orders")


def test_order_comments_and_line_ends_are_not_in_the_version() -> None:
    first = book(PILOT, BASE)
    shuffled = YAML.replace("children: [{id: A}, {id: B}]", "children: [{id: B}, {id: A}]").replace(
        "[DE, FR]", "[FR, DE]"
    )
    lines = shuffled.splitlines()
    lines[4], lines[5] = lines[5], lines[4]
    second = book(BASE + "\r", PILOT, yaml="# tidied up\n" + "\n".join(lines))
    assert second.version == first.version
    assert second.governance_version == first.governance_version


CHANGES = {
    "row": "z",
    "operation": "change",
    "business_unit": "B",
    "geography": "DE",
    "company_code": "C2",
    "document_type": "T2",
    "customer_segment": "S2",
    "amount": ">=10 USD",
    "valid_from": "2025-12-31",
    "valid_to": "2026-02-02",
    "stage": "dark",
    "legacy_system": "old2",
    "cloud_system": "new2",
    "share": "10.01",
    "allow": "X1",
    "overlay": "freeze",
    "note": "another note",
}
TWO_MORE = YAML.replace(
    "company_codes",
    f"  - {{id: old2, side: legacy, regions: [W], domains: [orders], {REST}}}\n"
    f"  - {{id: new2, side: cloud, regions: [W], domains: [orders], {REST}}}\n"
    "company_codes",
)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_changed_cell_is_another_version(column: str) -> None:
    cells = PILOT.split(",")
    cells[COLUMNS.index(column)] = CHANGES[column]
    if column == "stage":
        cells[COLUMNS.index("share")] = cells[COLUMNS.index("allow")] = ""
    before, after = book(PILOT, yaml=TWO_MORE), book(",".join(cells), yaml=TWO_MORE)
    assert before.table_version("orders") != after.table_version("orders")
    assert before.version != after.version
    assert before.governance_version == after.governance_version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{id: B}", "{id: B2}"),
        ("[{id: A}, {id: B}]", "[{id: A, children: [{id: B}]}]"),
        ("name: France", "name: La France"),
        ("regions: [DE, FR]", "regions: [DE]"),
        ("concurrent: 1", "concurrent: 2"),
        ("longest_execution_s: 3", "longest_execution_s: 4"),
        ("enforces_unique_reference: false", "enforces_unique_reference: true"),
        ("owners", "share_by: {orders: document}\nowners"),
    ],
)
def test_what_tables_stand_on_is_in_their_version(old: str, new: str) -> None:
    before, after = book(BASE), book(BASE, yaml=YAML.replace(old, new, 1))
    assert before.table_version("orders") != after.table_version("orders")
    assert before.version != after.version
    assert before.governance_version == after.governance_version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("orders: [x, y]", "orders: [x]"),
        ("starts: 01-01", "starts: 04-01"),
        ("{id: C2}", "{id: C3}"),
        ("{id: proof}", "{id: proof, waivable: true}"),
        ("ratio: 0.5", "ratio: 0.6"),
        ("policy: cloud", "policy: hold"),
        ("late:", "policies: {night: true}\nlate:"),
    ],
)
def test_governance_has_a_version_of_its_own(old: str, new: str) -> None:
    before, after = book(BASE), book(BASE, yaml=YAML.replace(old, new, 1))
    assert before.governance_version != after.governance_version
    assert before.version == after.version


def test_examples_and_the_place_of_a_row_belong_to_no_version() -> None:
    other = book("", BASE, yaml=YAML.replace("system: old", "system: new"))
    assert (other.version, other.governance_version) == (book(BASE).version, book(BASE).governance_version)


@pytest.mark.parametrize(
    ("outcome", "systems"),
    [
        ("legacy,old,new,,,,", ["old"]),
        ("dark,old,new,,,,", ["old"]),
        ("validate,old,new,,,,", ["old", "new"]),
        ("pilot,old,new,10,,,", ["old", "new"]),
        ("live,old,new,,,,", ["old", "new"]),
        ("live,,new,,,,", ["new"]),
        ("drain,old,new,,,,", ["old", "new"]),
        ("read_only,old,new,,,,", ["new"]),
        ("retired,old,new,,,,", ["new"]),
    ],
)
def test_targets_name_every_system_a_row_may_send_to(outcome: str, systems: list[str]) -> None:
    found = list(book(f"a,cancel|create,,,,,,,,,{outcome}", customers="m,,,,,,,,,,live,,new,,,,").targets())
    assert [(one.operation, one.system_id) for one in found if one.domain == "orders"] == [
        (operation, system_id) for system_id in systems for operation in ("cancel", "create")
    ]
    assert [(one.operation, one.system_id, one.row.id) for one in found if one.domain == "customers"] == [
        ("*", "new", "m")
    ]


def test_share_by_is_the_customer_unless_the_domain_says_document() -> None:
    one = book(BASE, yaml=YAML + "share_by: {invoices: document}\n", invoices=BASE)
    assert one.share_by == {"orders": "customer", "invoices": "document"}
