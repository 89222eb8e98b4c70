"""The sample rulebook: every cell decided, no row masked, every example true, and it fits the Northwind data."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

import routing_rules
from routing_rules import Decision, Facts, Rulebook, decide, load_rulebook, parse_rulebook, run_examples
from routing_rules.model import DOMAINS, OPERATIONS

TABLES = Path(routing_rules.__file__).parent / "tables"
UNITS = ("Eastern", "Western", "Northern", "Southern")
COUNTRIES = "AR AT BE BR CA CH DE DK ES FI FR GB IE IT MX NO PL PT SE US VE".split()
AMOUNTS = (None, (Decimal("4999.99"), "USD"), (Decimal(5000), "USD"), (Decimal(5000), "EUR"))


@pytest.fixture(scope="module")
def sample() -> Rulebook:
    return load_rulebook(TABLES)


def test_it_serves_every_domain(sample: Rulebook) -> None:
    assert set(sample.tables) == set(DOMAINS)
    assert set(sample.owners) == set(sample.tables)
    assert all(row.note for table in sample.tables.values() for row in table.rows)


def test_its_trees_are_the_regions_and_countries_of_the_data(sample: Rulebook) -> None:
    assert len(COUNTRIES) == 21
    assert {node for node in sample.geographies.nodes if len(node) == 2} == set(COUNTRIES)
    assert all(len(sample.geographies.path(node)) == 3 for node in COUNTRIES)
    assert all(len(sample.business_units.path(unit)) == 3 for unit in UNITS)


def test_every_cell_is_decided_and_no_row_is_masked(sample: Rulebook) -> None:
    named: dict[str, set[str]] = defaultdict(set)
    units = sorted(sample.business_units.nodes)
    places = sorted(sample.geographies.nodes)
    for domain, operation, unit, place, money in product(sample.tables, OPERATIONS, units, places, AMOUNTS):
        amount, currency = money or (None, None)
        facts = Facts(
            domain=domain, operation=operation, business_unit=unit, geography=place, amount=amount, currency=currency
        )
        answer = decide(sample, facts)
        assert isinstance(answer, Decision), answer
        assert answer.explanation.deciding == (answer.row_id,)
        if unit in UNITS and place in COUNTRIES:
            named[domain].add(answer.row_id)
    assert named == {domain: {row.id for row in table.rows} for domain, table in sample.tables.items()}


def test_the_other_domains_stand_where_the_orders_stand(sample: Rulebook) -> None:
    def stages(domain: str, unit: str, place: str) -> tuple[str, ...]:
        found = []
        for money in AMOUNTS:
            amount, currency = money or (None, None)
            answer = decide(
                sample,
                Facts(
                    domain=domain,
                    operation="create",
                    business_unit=unit,
                    geography=place,
                    amount=amount,
                    currency=currency,
                    share_key="k",
                ),
            )
            assert isinstance(answer, Decision)
            found.append(f"{answer.stage} {answer.system_id} {answer.share}")
        return tuple(found)

    for unit, place in product(UNITS, COUNTRIES):
        for domain in ("contracts", "invoices", "payments", "journal_entries"):
            assert stages(domain, unit, place) == stages("orders", unit, place)


def test_both_erps_are_in_use_and_masters_are_the_clouds(sample: Rulebook) -> None:
    assert {row.outcome.stage.value for row in sample.table("orders").rows} == {
        "legacy", "dark", "validate", "pilot", "live", "drain",
    }  # fmt: skip
    found = {(target.domain, target.system_id) for target in sample.targets()}
    assert {system_id for domain, system_id in found if domain in ("customers", "products")} == {"cloud-main"}
    assert {system_id for domain, system_id in found if domain == "orders"} == {"cloud-main", "legacy-main"}


def test_its_systems_are_as_agreed(sample: Rulebook) -> None:
    legacy, cloud = sample.systems["legacy-main"], sample.systems["cloud-main"]
    assert (legacy.side, legacy.driver, cloud.side, cloud.driver) == ("legacy", "sap_ecc", "cloud", "sap_s4")
    for system in (legacy, cloud):
        assert system.longest_execution_s == 150
        assert system.inquiry_delay_s == 1
        assert system.enforces_unique_reference is False
        assert system.budget.concurrent == 8


def test_its_examples_come_true(sample: Rulebook) -> None:
    assert len(sample.examples) >= 10
    assert [str(failure) for failure in run_examples(sample)] == []


def test_an_example_that_does_not_come_true_is_named() -> None:
    files = {path.name: path.read_bytes() for path in TABLES.iterdir() if path.is_file()}
    files["rulebook.yaml"] = files["rulebook.yaml"].replace(b"row: o-base}", b"row: o-bass}", 1)
    failures = run_examples(parse_rulebook(files))
    assert [failure.example.name for failure in failures] == ["a slice that no phase has reached stays in legacy"]
    assert "expects system legacy-main, stage legacy, row o-bass, found result decision" in str(failures[0])
    assert str(failures[0]).startswith(f"rulebook.yaml:{failures[0].example.line}: ")
