"""What a change of rulebook.yaml and of files changes, and that it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from routing_rules import FindingCode, Rulebook, Severity, differences, load_rulebook, prove
from routing_rules.governance_difference import ground_differences
from routing_rules.model import RuleTable

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"
SAMPLE = load_rulebook(TABLES)


def dealt_by_document(book: Rulebook) -> Rulebook:
    table = book.tables["orders"]
    return replace(book, tables={**book.tables, "orders": RuleTable("orders", table.rows, "document")})


def test_another_way_of_dealing_shares_is_told_of_every_pilot_and_of_nothing_else():
    (change,) = differences(SAMPLE, dealt_by_document(SAMPLE))
    assert "business_unit Eastern" in str(change)
    assert str(change).endswith(": share_by customer -> document")
    assert (change.rows_before, change.rows_after) == (("o-east-dach",), ("o-east-dach",))
    assert change.as_json()["changed"] == {"share_by": {"before": "customer", "after": "document"}}
    assert [str(one) for one in ground_differences(SAMPLE, dealt_by_document(SAMPLE))] == [
        'share_by orders: "customer" -> "document"'
    ]


def test_who_is_all_on_one_side_is_not_dealt():
    rows = tuple(
        replace(row, outcome=replace(row.outcome, share=row.outcome.share and row.outcome.share * 4))
        for row in SAMPLE.tables["orders"].rows
    )
    whole = replace(SAMPLE, tables={**SAMPLE.tables, "orders": RuleTable("orders", rows)})
    assert list(differences(whole, dealt_by_document(whole))) == []


def test_what_decides_beside_the_tables_is_told_by_entry():
    governance = replace(SAMPLE.governance, thresholds={**SAMPLE.governance.thresholds, "simulation_age_h": 99})
    systems = dict(SAMPLE.systems)
    systems["cloud-main"] = replace(systems["cloud-main"], domains=("orders",))
    told = {(one.section, one.entry) for one in ground_differences(SAMPLE, replace(SAMPLE, governance=governance))}
    assert told == {("thresholds", "simulation_age_h")}
    told = {(one.section, one.entry) for one in ground_differences(SAMPLE, replace(SAMPLE, systems=systems))}
    assert told == {("systems", "cloud-main")}
    assert list(ground_differences(SAMPLE, SAMPLE)) == []
    late = replace(SAMPLE.governance, late=())
    gone = list(ground_differences(SAMPLE, replace(SAMPLE, governance=late)))
    assert len(gone) == len(SAMPLE.governance.late)
    assert all((one.section, one.after) == ("late", "") for one in gone)


def without_payments() -> Rulebook:
    return replace(SAMPLE, tables={name: one for name, one in SAMPLE.tables.items() if name != "payments"})


def test_a_table_of_follow_ups_that_is_gone_is_found():
    found = [one for one in prove(without_payments()).findings if one.code is FindingCode.FOLLOW_UP_UNSERVED]
    assert {(one.domain, one.severity) for one in found} == {
        ("orders", Severity.ERROR),
        ("invoices", Severity.ERROR),
    }
    orders = next(one for one in found if one.domain == "orders")
    assert "no table of the payments" in orders.message
    assert "o-west" in {one.row for one in orders.rows}
    assert orders.witness is not None
    assert orders.witness.domain == "orders"


def test_one_that_was_never_there_does_not_stop_every_change():
    book = without_payments()
    found = [one for one in prove(book, book).findings if one.code is FindingCode.FOLLOW_UP_UNSERVED]
    assert {one.severity for one in found} == {Severity.WARNING}


def test_what_no_system_takes_needs_no_table():
    book = without_payments()
    systems = {
        name: replace(one, domains=tuple(d for d in one.domains if d != "payments"))
        for name, one in book.systems.items()
    }
    assert not [
        one for one in prove(replace(book, systems=systems)).findings if one.code is FindingCode.FOLLOW_UP_UNSERVED
    ]
