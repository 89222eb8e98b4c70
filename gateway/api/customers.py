"""/v1/customers."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Customer
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "ACC-1001",
    "name": "Alfreds Futterkiste",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "address": {"street": "Obere Str. 57", "city": "Berlin", "postalCode": "12209", "countryCode": "DE"},
}

CHANGE: Final = {
    "address": {"street": "Lindenallee 8", "city": "Potsdam", "postalCode": "14467"},
    "contact": {"name": "Maria Anders", "phone": "030-0074321"},
    "ifMatch": "v1",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a01",
}

RESOURCE: Final = Resource(
    model=Customer,
    name="Customer",
    plural="Customers",
    meaning="a customer, who buys",
    example=EXAMPLE,
    change=CHANGE,
)
