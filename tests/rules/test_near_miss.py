"""Why not another row: the nearest losing row, the facts that would flip it, and who answers for the rules."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from random import Random

import pytest

from routing_rules import Conflict, Facts, Gap, Rulebook, decide, parse_rulebook
from routing_rules.explanation import Explanation
from routing_rules.near_miss import NearMiss, miss_of
from routing_rules.table_reader import HEADER
from tests.rules.naive import NaiveTable, facts_of
from tests.rules.random_tables import clean_table, wild_table
from tests.rules.specs import GROUND

BASE = "base,,,,,,,,,,legacy,old,,,,,"
WEST = "west,,A,,,,,,,,live,old,new,,,,"
FRANCE = "fr,,A,FR,,,,,,,validate,old,new,,,,"


def book(*rows: str, yaml: str = GROUND) -> Rulebook:
    return parse_rulebook({"rulebook.yaml": yaml.encode(), "orders.csv": "\n".join([HEADER, *rows]).encode()})


def explained(rules: Rulebook, **facts: object) -> Explanation:
    return decide(rules, Facts(**({"domain": "orders", "operation": "create"} | facts))).explanation  # type: ignore[arg-type]


def missed(explanation: Explanation) -> NearMiss:
    assert explanation.near_miss is not None
    return explanation.near_miss


def test_the_fact_that_would_flip_it_is_named() -> None:
    miss = missed(explained(book(BASE, WEST), business_unit="B", geography="DE"))
    assert miss.row.id == "west"
    assert miss.as_json()["changes"] == [{"field": "business_unit", "value": "B", "needed": "A1", "cell": "A"}]
    assert miss.effect == "with business_unit A1 instead of B row west decides: stage live"


def test_an_overruled_row_would_decide_outside_of_its_exception() -> None:
    explanation = explained(book(BASE, WEST, FRANCE), business_unit="A1", geography="FR")
    miss = missed(explanation)
    assert (miss.row.id, miss.overruled_by) == ("base", ("fr", "west"))
    assert miss.as_json()["changes"][0] == {"field": "business_unit", "value": "A1", "needed": "B", "cell": "*"}
    index = book(BASE, WEST, FRANCE).index("orders")
    west = miss_of(index, explanation.facts, "west")
    assert west is not None
    assert [(one.field, one.value) for one in west.changes] == [("geography", "FR")]
    assert miss_of(index, explanation.facts, "fr") is None
    with pytest.raises(KeyError):
        miss_of(index, explanation.facts, "nobody")


def test_amounts_and_dates_are_facts_like_others() -> None:
    rules = book(BASE, "large,,,,,,,>=5000 EUR,,,live,old,new,,,,", "later,,B,,,,,,2026-06-01,,dark,old,new,,,,")
    miss = missed(explained(rules, business_unit="A", amount=Decimal("440.00"), currency="USD"))
    assert miss.row.id == "large"
    assert [(one.field, one.value, one.needed) for one in miss.changes] == [
        ("amount", "440.00", "5000"),
        ("currency", "USD", "EUR"),
    ]
    dated = missed(
        explained(
            book(BASE, "later,,B,,,,,,2026-06-01,,dark,old,new,,,,"), business_unit="B", posting_date=date(2026, 5, 1)
        )
    )
    assert dated.as_json()["changes"] == [
        {"field": "posting_date", "value": "2026-05-01", "needed": "2026-06-01", "cell": "2026-06-01.."}
    ]


def test_a_row_that_yields_something_else_goes_before_one_that_does_not() -> None:
    same = "a-same,,A1,,,,,,,,legacy,old,,,,,"
    miss = missed(explained(book(BASE, same, WEST.replace(",A,", ",A2,")), business_unit="B"))
    assert miss.row.id == "west"
    assert missed(explained(book(BASE, same), business_unit="B")).row.id == "a-same"


def test_several_facts_are_changed_only_if_one_is_not_enough() -> None:
    miss = missed(explained(book(BASE, FRANCE), business_unit="B", geography="US"))
    assert [one.field for one in miss.changes] == ["business_unit", "geography"]


def test_where_nothing_else_can_decide_there_is_no_why_not() -> None:
    explanation = explained(book(BASE), business_unit="B")
    assert explanation.near_miss is None
    assert explanation.as_json()["why_not"] is None


def test_gaps_and_conflicts_have_one_too() -> None:
    gap = decide(book(WEST), Facts(domain="orders", operation="create", business_unit="B"))
    assert isinstance(gap, Gap)
    assert missed(gap.explanation).row.id == "west"
    crossing = book(BASE, WEST, FRANCE.replace(",A,", ",,"))
    conflict = decide(crossing, Facts(domain="orders", operation="create", business_unit="A", geography="FR"))
    assert isinstance(conflict, Conflict)
    assert missed(conflict.explanation).row.id == "fr"
    assert [one.field for one in missed(conflict.explanation).changes] == ["business_unit"]


def test_the_path_of_exceptions_leads_from_the_rule_to_the_row() -> None:
    explanation = explained(
        book(FRANCE, BASE, WEST, "x,,,FR,,,,,,,validate,old,new,,,,"), business_unit="A1", geography="FR"
    )
    assert explanation.exception_path[0] == "base"
    assert set(explanation.exception_path[1:3]) == {"west", "x"}
    assert explanation.exception_path[-1] == "fr"
    assert explained(book(BASE, WEST), business_unit="B").exception_path == ("base",)


def test_the_owners_of_the_domain_are_named() -> None:
    rules = book(BASE, yaml=GROUND + "owners: {orders: [order-to-cash-team]}\n")
    read = json.loads(json.dumps(explained(rules).as_json()))
    assert read["owners"] == ["order-to-cash-team"]
    assert explained(book(BASE)).owners == ()


def compare(table: NaiveTable, random: Random) -> tuple[int, int]:
    """Check some answers by brute force: for how many one changed column was enough, and how many of those had one."""
    rules = table.rulebook()
    possible = found = 0
    for at in random.sample(range(len(table.points)), min(40, len(table.points))):
        point = table.points[at]
        explanation = decide(rules, facts_of(point)).explanation
        deciding = set() if table.is_conflict(table.deciding[at]) else set(table.ids(at))
        elsewhere = {
            row_id
            for other, candidate in enumerate(table.points)
            if sum(one != two for one, two in zip(point, candidate, strict=True)) == 1
            and not table.is_conflict(table.deciding[other])
            for row_id in set(table.ids(other)) - deciding
        }
        miss = explanation.near_miss
        if miss is not None:
            assert miss.row.id not in deciding
            facts = facts_of(point).as_json() | {one.field: one.needed for one in miss.changes}
            flipped = table.at(Facts.from_json(facts))
            assert miss.row.id in table.ids(flipped), (table.csv, point)
            columns = {"currency": "amount", "posting_date": "valid"}
            distance = len({columns.get(one.field, one.field) for one in miss.changes})
            assert distance == 1 or not elsewhere, (table.csv, point)
        possible += bool(elsewhere)
        found += bool(elsewhere and miss is not None)
    return possible, found


def test_near_misses_come_true_and_few_are_overlooked() -> None:
    random = Random("near misses")
    counts = [compare(random.choice((clean_table, wild_table))(random), random) for _ in range(60)]
    possible, found = (sum(one) for one in zip(*counts, strict=True))
    assert possible > 1_000
    assert found == possible


def test_an_exception_to_the_row_that_decides_goes_before_what_it_overrules() -> None:
    rules = book(
        "a-wide,,,,,,,,,,legacy,old,,,,,",
        "m-unit,,A,,,,,,,,live,old,new,,,,",
        "z-large,,A,,,,,>=1000 EUR,,,dark,old,new,,,,",
    )
    facts = Facts(domain="orders", operation="create", business_unit="A1", amount=Decimal(5), currency="EUR")
    miss = decide(rules, facts).explanation.near_miss
    assert miss is not None
    assert (miss.row.id, [one.field for one in miss.changes]) == ("z-large", ["amount"])
