"""/v1/payments."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Payment
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "PAY-1001",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "postingDate": "2026-11-23",
    "currencyCode": "USD",
    "customer": {"externalId": "ACC-1001", "source": "salesforce"},
    "paymentMethod": "bank_transfer",
    "amount": "26.00",
    "allocations": [{"invoiceReference": {"externalId": "INV-1001"}, "amount": "26.00"}],
}

RESOURCE: Final = Resource(
    model=Payment,
    name="Payment",
    plural="Payments",
    meaning="money received from a customer",
    example=EXAMPLE,
)
