"""/v1/orders."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Order
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "SO-1001",
    "quoteReference": "Q-1001",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "postingDate": "2026-11-23",
    "currencyCode": "USD",
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

NEW_CUSTOMER: Final = {
    **{name: member for name, member in EXAMPLE.items() if name not in {"customer", "quoteReference"}},
    "externalId": "SO-1002",
    "newCustomer": {
        "externalId": "ACC-1002",
        "name": "Around the Horn",
        "businessUnit": "Western",
        "geography": "US",
        "companyCode": "NW01",
        "address": {"city": "Seattle", "region": "WA", "postalCode": "98101", "countryCode": "US"},
    },
}
"""The order brings its customer (docs/new-customers.md)."""

CHANGE: Final = {
    "requestedDeliveryDate": "2026-12-07",
    "lines": [
        {
            "lineNumber": 10,
            "product": {"externalId": "P-77"},
            "quantity": {"value": "3", "unitCode": "C62"},
            "unitPrice": "13.00",
            "netAmount": "39.00",
            "tax": {"taxCategory": "S", "ratePercent": "19", "amount": "7.41"},
        }
    ],
    "totals": {"netAmount": "39.00", "taxAmount": "7.41", "grossAmount": "46.41"},
    "ifMatch": "v1",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a03",
}

RESOURCE: Final = Resource(
    model=Order,
    name="Order",
    plural="Orders",
    meaning="a sales order; it begins a lineage",
    example=EXAMPLE,
    change=CHANGE,
    further_examples={"newCustomer": NEW_CUSTOMER},
)
