"""/v1/invoices."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Invoice
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "INV-1001",
    "documentType": "invoice",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "postingDate": "2026-11-23",
    "currencyCode": "USD",
    "customer": {"externalId": "ACC-1001", "source": "salesforce"},
    "orderReference": {"externalId": "SO-1001", "source": "salesforce"},
    "lines": [
        {
            "lineNumber": 10,
            "product": {"externalId": "P-77", "source": "salesforce"},
            "quantity": {"value": "2", "unitCode": "C62"},
            "unitPrice": "13.00",
            "netAmount": "26.00",
        }
    ],
    "totals": {"netAmount": "26.00", "grossAmount": "26.00"},
}

RESOURCE: Final = Resource(
    model=Invoice,
    name="Invoice",
    plural="Invoices",
    meaning="a customer invoice or a credit note",
    example=EXAMPLE,
)
