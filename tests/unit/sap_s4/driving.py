"""A driver in front of a script or of a system in memory, and postings of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import Customer, Invoice, Order, Payment, Product
from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.port import Cancellation, Change, Posted, Posting, Reversal, Submission
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.documents import ADDRESS, HEAD, REFERENCE, journal_entry, line, submitted, two_lines
from tests.unit.sap_s4.memory_erp import MemoryErp
from tests.unit.sap_s4.scripted import SETTINGS, SYSTEM, Erp, ScriptedTransport, Step

ORDER: Final = submitted(Order(**two_lines()))
INVOICE: Final = submitted(Invoice(**two_lines()))
PAYMENT: Final = submitted(Payment(**HEAD, amount=Decimal("500.00")))
ENTRY: Final = submitted(journal_entry())
PRODUCT: Final = Submission(Product(name="Chai"), REFERENCE)
CUSTOMER: Final = Submission(Customer(name="Vins et alcools", geography="FR", address=ADDRESS), REFERENCE)
SUBMISSIONS: Final = (ORDER, INVOICE, PAYMENT, ENTRY, PRODUCT, CUSTOMER)
CHANGED: Final = (ORDER, CUSTOMER, PRODUCT)
"""What can be changed."""
CHANGE: Final = "0CH8N4K1V5X9Z3BQ"
"""The reference of a change."""
VERSIONS: Final = ("v2", "v4")

Answers = Callable[[ErpRequest, ErpResponse], Step]
"""What becomes of an answer on its way."""


def allow() -> None:
    """A permit that permits."""


def driver_of(on_call: Any, **changed: Any) -> tuple[SapS4Driver, ScriptedTransport]:
    """A driver whose system answers with `on_call`, and what it was sent."""
    transport = ScriptedTransport(Erp(on_call))
    return SapS4Driver(SYSTEM, replace(SETTINGS, **changed), transport), transport


def in_memory(
    version: str, answers: Answers = lambda _, answer: answer, **changed: Any
) -> tuple[SapS4Driver, ScriptedTransport, MemoryErp]:
    """A driver of a system in memory, what it was sent, and the system. Orders can be called off there."""
    erp = MemoryErp(2 if version == "v2" else 4)
    settings = {"odata_version": version, "v4_expand": "path", "cancel_reason": "Z9", **changed}
    driver, transport = driver_of(lambda request: answers(request, erp(request)), **settings)
    return driver, transport, erp


def is_posting(request: ErpRequest) -> bool:
    """True for what leaves something behind."""
    return request.method == "POST" and "/oauth2/" not in request.path


def postings_of(transport: ScriptedTransport) -> list[ErpRequest]:
    """The posting requests that were sent."""
    return [one for one in transport.seen if is_posting(one)]


def changed(original: Submission) -> Any:
    """The document as a change would have it."""
    document = original.document
    if isinstance(document, Order):
        lines = (line(1, "14.00", "10", "140.00"), line(30, "5.00", "1", "5.00"))
        totals = {"net_amount": "145.00", "gross_amount": "145.00"}
        return Order(**two_lines(lines=lines, freight=None, totals=totals, ship_to=ADDRESS))
    if isinstance(document, Customer):
        return document.model_copy(update={"name": "Vins et alcools Chevalier"})
    return document.model_copy(update={"name": "Chang", "discontinued": True})


def acts(original: Submission, posted: Posted) -> list[Posting]:
    """What can be done to a document that was posted."""
    if original.domain in {"invoices", "payments", "journal_entries"}:
        return [Reversal(posted.number, original, CHANGE, date(1996, 7, 5))]
    document = changed(original)
    change = Change(posted.number, original, document, CHANGE, submitted(document).numbers)
    if original.domain != "orders":
        return [change]
    return [change, Cancellation(posted.number, original, CHANGE)]


async def do(driver: SapS4Driver, posting: Posting, permit: Callable[[], None] = allow) -> Posted:
    """Do it once."""
    if isinstance(posting, Submission):
        return await driver.submit(posting, permit)
    if isinstance(posting, Change):
        return await driver.change(posting, permit)
    if isinstance(posting, Cancellation):
        return await driver.cancel(posting, permit)
    return await driver.reverse(posting, permit)


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
