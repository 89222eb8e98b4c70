"""A driver in front of a script, and an order as the ERP shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from adapters.canonical import Invoice, Order, Product
from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.port import Submission
from tests.unit.sap_s4.documents import REFERENCE, submitted, two_lines
from tests.unit.sap_s4.scripted import SETTINGS, SYSTEM, Erp, ScriptedTransport

ORDER: Final = submitted(Order(**two_lines()))
INVOICE: Final = submitted(Invoice(**two_lines()))
PRODUCT: Final = Submission(Product(name="Chai"), REFERENCE)


def allow() -> None:
    """A permit that permits."""


def driver_of(on_call: Any, **changed: Any) -> tuple[SapS4Driver, ScriptedTransport]:
    """A driver whose system answers with `on_call`, and what it was sent."""
    transport = ScriptedTransport(Erp(on_call))
    return SapS4Driver(SYSTEM, replace(SETTINGS, **changed), transport), transport


def order_row(**changed: Any) -> dict[str, Any]:
    """The header of `ORDER`."""
    return {
        "SalesOrder": "0000004737",
        "PurchaseOrderByCustomer": REFERENCE,
        "SoldToParty": "0001000001",
        "TransactionCurrency": "USD",
        "TotalNetAmount": "278.080",
        "SalesOrganization": "1710",
        "SalesOrderDate": "/Date(836438400000)/",
        **changed,
    }
