"""The domains: which model each has, and which of them are masters."""

from __future__ import annotations

from typing import Final

from adapters.canonical.contracts import Contract
from adapters.canonical.documents import Invoice, Order, Payment
from adapters.canonical.journal import JournalEntry
from adapters.canonical.masters import Customer, Product

BusinessDocument = Order | Contract | Invoice | Payment | JournalEntry
"""What has a type, an amount, a currency and a posting date."""
CanonicalDocument = Customer | Product | Order | Contract | Invoice | Payment | JournalEntry
DOMAINS: Final[dict[str, type[CanonicalDocument]]] = {
    model.domain: model for model in (Customer, Product, Order, Contract, Invoice, Payment, JournalEntry)
}
"""Model by domain."""
MASTER_DOMAINS: Final = frozenset({"customers", "products"})
