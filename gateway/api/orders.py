"""/v1/orders."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Order
from gateway.api.documents import Resource

EXAMPLE: Final = {
    "externalId": "SO-1001",
    "businessUnit": "retail",
    "geography": "DE",
    "companyCode": "1000",
    "postingDate": "2026-11-23",
    "currencyCode": "EUR",
    "customer": {"externalId": "ACC-1001"},
    "lines": [
        {
            "lineNumber": 10,
            "product": {"externalId": "P-77"},
            "quantity": {"value": "2", "unitCode": "C62"},
            "unitPrice": "13.00",
            "netAmount": "26.00",
            "tax": {"taxCategory": "S", "ratePercent": "19", "amount": "4.94"},
        }
    ],
    "totals": {"netAmount": "26.00", "taxAmount": "4.94", "grossAmount": "30.94"},
}

RESOURCE: Final = Resource(model=Order, name="Order", meaning="a sales order; it begins a lineage", example=EXAMPLE)
