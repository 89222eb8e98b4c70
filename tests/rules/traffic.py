"""Recorded documents for the tests of the simulation, and the small rulebooks that they go through."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from routing_rules import Facts, Rulebook, parse_rulebook
from routing_rules.simulation_records import RecordedDocument
from routing_rules.table_reader import HEADER
from tests.rules.specs import GROUND

BASE = "base,,,,,,,,,,legacy,old,,,,,"
WEST = "west,,A,,,,,,,,validate,old,new,,,,"
LIVE = WEST.replace("validate", "live")
DAY = date(2026, 3, 31)


def book(*rows: str, yaml: str = GROUND, domain: str = "orders") -> Rulebook:
    return parse_rulebook({"rulebook.yaml": yaml.encode(), f"{domain}.csv": "\n".join([HEADER, *rows]).encode()})


def document(number: int = 1, **changes: Any) -> RecordedDocument:
    """A root of the business unit A over 100 EUR; fields of the facts and of the document alike may be changed."""
    facts: dict[str, Any] = {
        "domain": "orders",
        "operation": "create",
        "business_unit": "A1",
        "geography": "DE",
        "company_code": "C1",
        "amount": Decimal("100.00"),
        "currency": "EUR",
        "posting_date": DAY,
    }
    known = set(Facts.__dataclass_fields__)
    facts |= {name: value for name, value in changes.items() if name in known}
    rest: dict[str, Any] = {"transaction_id": f"t{number}", "lineage_id": f"l{number}", "is_root": True, "minute": 10}
    rest |= {name: value for name, value in changes.items() if name not in known}
    return RecordedDocument(facts=Facts(**facts), **rest)
