"""The canonical objects: what callers and the gateway mean, in no vendor's words."""

from adapters.canonical.amounts import DocumentLine, Freight, Totals, TotalsDisagree
from adapters.canonical.contracts import Contract
from adapters.canonical.documents import Allocation, CustomerDocument, DocumentHead, Invoice, Order, Payment
from adapters.canonical.domains import DOMAINS, MASTER_DOMAINS, BusinessDocument, CanonicalDocument
from adapters.canonical.journal import JournalEntry, JournalLine
from adapters.canonical.masters import Address, Contact, Customer, Product, TaxRegistration
from adapters.canonical.personal_data import DATA_CLASS, DATA_CLASSES, DataClass
from adapters.canonical.values import (
    CanonicalModel,
    ErpNumber,
    Link,
    Money,
    Quantity,
    Reference,
    TaxAmount,
    minor_units,
    smallest_amount,
)

__all__ = [
    "DATA_CLASS",
    "DATA_CLASSES",
    "DOMAINS",
    "MASTER_DOMAINS",
    "Address",
    "Allocation",
    "BusinessDocument",
    "CanonicalDocument",
    "CanonicalModel",
    "Contact",
    "Contract",
    "Customer",
    "CustomerDocument",
    "DataClass",
    "DocumentHead",
    "DocumentLine",
    "ErpNumber",
    "Freight",
    "Invoice",
    "JournalEntry",
    "JournalLine",
    "Link",
    "Money",
    "Order",
    "Payment",
    "Product",
    "Quantity",
    "Reference",
    "TaxAmount",
    "TaxRegistration",
    "Totals",
    "TotalsDisagree",
    "minor_units",
    "smallest_amount",
]
