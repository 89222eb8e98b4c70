"""Facts as they are recorded."""

from __future__ import annotations

import pytest

from routing_rules import Facts, FactsInvalid

FACT = Facts(domain="orders", operation="create", business_unit="A1", geography="DE")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "NaN"},
        {"amount": "much"},
        {"posting_date": "31.01.2026"},
        {"schema_version": 2},
        {"schema_version": None},
        {"bucket": 10_000},
        {"bucket": "7"},
        {"allow_hit": "yes"},
        {"business_unit": 7},
        {"operation": None},
    ],
)
def test_recorded_facts_of_another_kind_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FactsInvalid):
        Facts.from_json(FACT.as_json() | wrong)
