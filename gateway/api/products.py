"""/v1/products."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Product
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "P-77",
    "name": "Original Frankfurter grüne Soße",
    "productCategory": "Condiments",
    "baseUnitCode": "C62",
    "listPrice": {"amount": "13.00", "currencyCode": "USD"},
}

CHANGE: Final = {
    "name": "Original Frankfurter grüne Soße, 500 g",
    "discontinued": False,
    "ifMatch": "v1",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a02",
}

RESOURCE: Final = Resource(
    model=Product,
    name="Product",
    plural="Products",
    meaning="a product, which is sold",
    example=EXAMPLE,
    change=CHANGE,
)
