"""The canonical objects: what callers and the gateway mean, in no vendor's words."""

from adapters.canonical.amounts import DocumentLine, Freight, Totals, TotalsDisagree
from adapters.canonical.documents import (
    DOMAINS,
    MASTER_DOMAINS,
    Allocation,
    CanonicalDocument,
    DocumentHead,
    Invoice,
    Order,
    Payment,
)
from adapters.canonical.masters import Address, Contact, Customer, Product, TaxRegistration
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
    "DOMAINS",
    "MASTER_DOMAINS",
    "Address",
    "Allocation",
    "CanonicalDocument",
    "CanonicalModel",
    "Contact",
    "Customer",
    "DocumentHead",
    "DocumentLine",
    "ErpNumber",
    "Freight",
    "Invoice",
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
