"""A small rulebook to spoil, and what is complained of then."""

from __future__ import annotations

import pytest

from routing_rules import Rulebook, RulebookInvalid, parse_rulebook
from routing_rules.table_reader import HEADER

YAML = """\
rulebook: small
business_units: {id: G, children: [{id: A}, {id: B}]}
geographies:
  id: W
  children:
    - {id: EMEA, children: [{id: DE}, {id: FR}, {id: NO}]}
    - {id: US}
systems:
  - id: old
    side: legacy
    driver: sap_ecc
    regions: [W]
    domains: [orders]
    budget: {concurrent: 8, calls_per_minute: 600}
    longest_execution_s: 150
    inquiry_delay_s: 1
    enforces_unique_reference: false
  - id: new
    side: cloud
    driver: sap_s4
    regions: [W]
    domains: [orders, customers]
    budget: {concurrent: 8, calls_per_minute: 600}
    longest_execution_s: 150
    inquiry_delay_s: 1
    enforces_unique_reference: true
company_codes: [{id: C1}]
"""
GOOD = "base,,,,,,,,,,legacy,old,,,,,"


def parse(*rows: str, yaml: str = YAML, domain: str = "orders", header: str = HEADER) -> Rulebook:
    text = "\n".join([header, *rows])
    return parse_rulebook({"rulebook.yaml": yaml.encode(), f"{domain}.csv": text.encode()})


def complaints(*rows: str, yaml: str = YAML, domain: str = "orders", header: str = HEADER) -> list[str]:
    """Without the remedies, each of which must be there."""
    with pytest.raises(RulebookInvalid) as caught:
        parse(*rows, yaml=yaml, domain=domain, header=header)
    assert all(one.remedy for one in caught.value.complaints)
    assert str(caught.value) == "\n".join(str(one) for one in caught.value.complaints)
    return [str(one).removesuffix(f". {one.remedy}") for one in caught.value.complaints]
