"""/v1/contracts."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Contract
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "CT-1001",
    "quoteReference": "Q-1002",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "postingDate": "2026-11-23",
    "currencyCode": "USD",
    "customer": {"externalId": "ACC-1001"},
    "startDate": "2026-12-01",
    "endDate": "2027-11-30",
    "billingInterval": "monthly",
    "autoRenewal": True,
    "description": "Sauce of the month",
    "lines": [
        {
            "lineNumber": 10,
            "product": {"externalId": "P-77"},
            "quantity": {"value": "12", "unitCode": "C62"},
            "unitPrice": "12.50",
            "netAmount": "150.00",
            "tax": {"taxCategory": "S", "ratePercent": "19", "amount": "28.50"},
        }
    ],
    "totals": {"netAmount": "150.00", "taxAmount": "28.50", "grossAmount": "178.50"},
}

CHANGE: Final = {
    "endDate": "2028-11-30",
    "autoRenewal": False,
    "ifMatch": "v1",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a04",
}

RESOURCE: Final = Resource(
    model=Contract,
    name="Contract",
    plural="Contracts",
    meaning="a subscription that invoices are billed from; a renewal is a contract of its own",
    example=EXAMPLE,
    change=CHANGE,
)
