"""/v1/customers."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Customer
from gateway.api.documents import Resource

EXAMPLE: Final = {
    "externalId": "ACC-1001",
    "name": "Alfreds Futterkiste",
    "businessUnit": "retail",
    "geography": "DE",
    "companyCode": "1000",
    "address": {"street": "Obere Str. 57", "city": "Berlin", "postalCode": "12209", "countryCode": "DE"},
}

RESOURCE: Final = Resource(model=Customer, name="Customer", meaning="a customer, who buys", example=EXAMPLE)
