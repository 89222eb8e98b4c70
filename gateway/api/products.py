"""/v1/products."""

from __future__ import annotations

from typing import Final

from adapters.canonical import Product
from gateway.api.documents import Resource

EXAMPLE: Final = {
    "externalId": "P-77",
    "name": "Original Frankfurter grüne Soße",
    "productCategory": "Condiments",
    "baseUnitCode": "C62",
    "listPrice": {"amount": "13.00", "currencyCode": "EUR"},
}

RESOURCE: Final = Resource(model=Product, name="Product", meaning="a product, which is sold", example=EXAMPLE)
