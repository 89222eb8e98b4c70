"""The sample rulebook declares the ranges from which the demo's ERPs give their numbers."""

from __future__ import annotations

import pytest

from gateway.cutover.gates.number_ranges import declared
from gateway.demo.erps import range_start
from routing_rules import load_rulebook
from tests.line.rig import TABLES

TYPES = {"SALESORDER": "sales_order", "ACCOUNTINGDOCUMENT": "accounting_document"}


@pytest.mark.parametrize("system_id", ["legacy-main", "cloud-main"])
@pytest.mark.parametrize("name", TYPES)
def test_every_number_that_an_erp_of_the_demo_gives_lies_in_its_own_range(system_id: str, name: str) -> None:
    first = range_start(system_id, name) + 1
    holding = [
        one for one in declared(load_rulebook(TABLES)) if one.document_type == TYPES[name] and one.first <= first
    ]
    (own,) = [one for one in holding if first + 10_000_000 <= one.last]
    assert own.system_id == system_id
