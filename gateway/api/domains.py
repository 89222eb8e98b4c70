"""Every domain as a resource."""

from __future__ import annotations

from typing import Final

from gateway.api import contracts, customers, invoices, journal_entries, orders, payments, products
from gateway.api.resources import Resource

RESOURCES: Final[tuple[Resource, ...]] = (
    customers.RESOURCE,
    products.RESOURCE,
    orders.RESOURCE,
    contracts.RESOURCE,
    invoices.RESOURCE,
    payments.RESOURCE,
    journal_entries.RESOURCE,
)
"""In the order of the description."""
