"""What entries can be counted and summed by."""

from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "kind": "kind",
    "actor": "actor",
    "systemId": "system_id",
    "row": "rule_row",
    "tableVersion": "table_version",
    "activationNumber": "activation_number",
    "domain": "domain",
    "businessUnit": "business_unit",
    "geography": "geography",
    "companyCode": "company_code",
    "operation": "operation",
    "day": "day",
    "month": "month",
}
"""By their names on the wire: the columns of the index."""
