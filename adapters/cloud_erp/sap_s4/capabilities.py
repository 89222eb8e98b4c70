"""What one system can do, as its settings and its services allow."""

from __future__ import annotations

from typing import Final

from adapters.cloud_erp.sap_s4.services import ENTRIES, Services
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import customers, invoices, journal, orders, payments, products
from adapters.port import Capabilities, Capability, Operation

_NO_PRODUCT_UNDO: Final = "a product is marked for deletion there, by a change; it is not undone"
_NO_CUSTOMER_MIRROR: Final = "a customer has no mirror; one that is not wanted any more is blocked there"
_NO_ORDER_REVERSAL: Final = "an order is called off there by its cancellation; it has no mirror"
_NO_ENTRY_CHANGE: Final = "a posted document is not changed there; it is reversed and posted anew"
_NO_CONTRACTS: Final = "this driver keeps no contracts in SAP S/4HANA"
_NO_REASON: Final = "the settings name no cancel_reason under which this system calls an order off"
_NO_ENTRIES: Final = (
    "there is no OData V4 service for journal entries, and the settings do not let this driver use that of V2"
)


def capabilities_of(settings: S4Settings, services: Services) -> Capabilities:
    """By (domain, operation), complete. Nothing can be validated: the services have no test run, every POST posts."""
    able: dict[tuple[str, Operation], Capability] = {}
    longest = settings.longest_execution_s

    def no(domain: str, reason: str, *operations: Operation) -> None:
        for operation in operations:
            able[domain, operation] = Capability(False, reason=reason)

    masters = (("customers", customers.CHANGEABLE), ("products", products.CHANGEABLE), ("orders", orders.CHANGEABLE))
    for domain, changeable in masters:
        unique = domain == "products"
        able[domain, Operation.CREATE] = Capability(True, reference_unique=unique, longest_execution_s=longest)
        able[domain, Operation.CHANGE] = Capability(True, longest_execution_s=longest, changeable=changeable)
    no("products", _NO_PRODUCT_UNDO, Operation.CANCEL, Operation.REVERSE)
    able["customers", Operation.CANCEL] = Capability(True, longest_execution_s=longest)
    no("customers", _NO_CUSTOMER_MIRROR, Operation.REVERSE)
    no("orders", _NO_ORDER_REVERSAL, Operation.REVERSE)
    if settings.cancel_reason:
        able["orders", Operation.CANCEL] = Capability(True, longest_execution_s=longest)
    else:
        no("orders", _NO_REASON, Operation.CANCEL)
    no("contracts", _NO_CONTRACTS, *Operation)
    lines = {"invoices": invoices.MAX_LINES, "payments": payments.MAX_LINES, "journal_entries": journal.MAX_LINES}
    for domain, most in lines.items():
        no(domain, _NO_ENTRY_CHANGE, Operation.CHANGE, Operation.CANCEL)
        if services.serves(ENTRIES):
            entry = Capability(True, longest_execution_s=longest, max_lines=most)
            able[domain, Operation.CREATE] = able[domain, Operation.REVERSE] = entry
        else:
            no(domain, _NO_ENTRIES, *Operation)
    return able
