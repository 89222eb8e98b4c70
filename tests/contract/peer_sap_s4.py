"""`mock-sap` as SAP S/4HANA: OAuth 2.0, CSRF tokens, ETags, OData V2.

The clock stands at 1996-07-01, and so do all posting dates. Counts come from the simulator's own database. Customers
and products that other documents name are those that the simulator starts with.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from adapters.canonical import (
    Address,
    Allocation,
    Contact,
    Customer,
    DocumentLine,
    ErpNumber,
    Freight,
    Invoice,
    Order,
    Payment,
    Product,
    Quantity,
    Reference,
    TaxAmount,
    TaxRegistration,
    Totals,
)
from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.cloud_erp.sap_s4.settings import Accounts, Company, S4Settings
from adapters.port import Posted, Reversal, Submission
from adapters.transport import HttpTransport, TransportLimits
from tests.contract.mock_sap import MockSap
from tests.contract.peer import Fault, Refusal, SeenRequest

_CLIENT: Final = "GATEWAY"
_SECRET: Final = "k4Rz-peer-secret"
_SYSTEM: Final = "cloud-eu"
_COMPANY: Final = "1000"
_CUSTOMER: Final = "1000001"
_PRODUCTS: Final = ("MZ-FG-C100", "TG12")
_DAY: Final = date(1996, 7, 1)
_LATE_S: Final = 1.5
_SETS: Final = {
    "customers": "A_BusinessPartner",
    "products": "A_Product",
    "orders": "A_SalesOrder",
    "invoices": "A_JournalEntry",
    "payments": "A_JournalEntry",
}
_TYPES: Final = {"invoices": ("DR", "DG"), "payments": ("DZ",)}
_REFUSAL: Final = "/IWBEP/CX_MGW_BUSI_EXCEPTION"

SETTINGS: Final = S4Settings(
    client_id=_CLIENT,
    client_secret=SecretStr(_SECRET),
    companies={_COMPANY: Company("1710", "1710")},
    accounts=Accounts(
        receivables="0012100000", revenue="0041000000", freight="0044000000", output_tax="0022000000", bank="0011001000"
    ),
)


def start(folder: Path) -> SapS4Peer:
    """Start the simulator in `folder` and wait until it answers."""
    return SapS4Peer(folder)


class SapS4Peer:
    """See `tests.contract.peer.Peer`."""

    name = "sap_s4"
    secrets = (_SECRET, base64.b64encode(f"{_CLIENT}:{_SECRET}".encode()).decode())
    late_s = _LATE_S

    def __init__(self, folder: Path) -> None:
        arguments = ["--oauth", f"{_CLIENT}:{_SECRET}", "--require-if-match", "--clock", "1996-07-01T08:00"]
        self._sap = MockSap(folder, arguments, slow_ms=int(_LATE_S * 1000))
        self._counter = count(1)

    @property
    def base_url(self) -> str:
        """Where the simulator listens."""
        return self._sap.base_url

    def driver(
        self,
        *,
        base_url: str | None = None,
        limits: TransportLimits | None = None,
        wrong_credentials: bool = False,
    ) -> SapS4Driver:
        """A driver with its own transport and no token yet."""
        settings = replace(SETTINGS, client_secret=SecretStr("not-the-secret")) if wrong_credentials else SETTINGS
        return SapS4Driver(_SYSTEM, settings, HttpTransport(base_url or self.base_url, limits, system_id=_SYSTEM))

    def submission(self, domain: str, reference: str) -> Submission:
        """A document with two lines, freight and tax; a payment of two invoices and a rest; a master."""
        serial = next(self._counter)
        if domain == "customers":
            return Submission(_customer(serial), reference)
        if domain == "products":
            return Submission(Product(name=f"Chai {serial}", external_id=f"product-{serial}"), reference)
        if domain == "payments":
            return Submission(_payment(serial), reference, _numbers(lines=0, invoices=2))
        kind = Order if domain == "orders" else Invoice
        return Submission(kind(**_two_lines(serial)), reference, _numbers(lines=2))

    def reversal(self, original: Submission, posted: Posted, reference: str) -> Reversal:
        """The mirror of a posted document."""
        return Reversal(posted.number, original, reference, _DAY, "contract suite")

    @contextlib.contextmanager
    def refused(self, domain: str, reference: str) -> Iterator[Refusal | None]:
        """An OData error with 400, as a business exception of the service gives it."""
        message = "Posting is blocked by a business rule of the contract suite"
        with self._sap.rule(method="POST", match=f"/{_SETS[domain]}$", status=400, message=message):
            yield Refusal(self.submission(domain, reference), _REFUSAL, message)

    @contextlib.contextmanager
    def fault(self, fault: Fault, domain: str) -> Iterator[bool]:
        """The simulator's own fault rules, on posts to the entity set only."""
        scenario = {Fault.LATE: "slow", Fault.BUSY: "busy", Fault.LOCKED: "lock", Fault.SERVER_ERROR: "error"}[fault]
        with self._sap.rule(method="POST", match=f"/{_SETS[domain]}$", scenario=scenario):
            yield True

    def is_posting(self, request: SeenRequest) -> bool:
        """A POST to an entity set."""
        return request.method == "POST" and request.path.rsplit("/", 1)[-1] in _SETS.values()

    def count_documents(self, domain: str) -> int:
        """Rows of the simulator's tables; customers are partners with a customer's role."""
        if domain == "customers":
            return self._count('SELECT count(DISTINCT "BusinessPartner") FROM "A_BusinessPartnerRole" WHERE '
                               '"BusinessPartnerRole" IN (?, ?)', ("FLCU00", "FLCU01"))  # fmt: skip
        types = _TYPES.get(domain, ())
        marks = ", ".join("?" for _ in types)
        where = f' WHERE "AccountingDocumentType" IN ({marks})' if types else ""
        return self._count(f'SELECT count(*) FROM "{_SETS[domain]}"{where}', types)  # noqa: S608

    def requests_seen(self) -> list[SeenRequest]:
        """What the simulator recorded."""
        return self._sap.requests_seen()

    def stop(self) -> None:
        """End the simulator."""
        self._sap.stop()

    def _count(self, query: str, values: Sequence[str]) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self._sap.database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute(query, values).fetchone()[0]
            return found


def _numbers(*, lines: int, invoices: int = 0) -> dict[str, ErpNumber]:
    numbers = {"customer": _number("customer", _CUSTOMER)}
    for index in range(lines):
        numbers[f"lines[{index}].product"] = _number("product", _PRODUCTS[index])
    for index in range(invoices):
        numbers[f"allocations[{index}].invoiceReference"] = _number(
            "accounting_document", f"010000000{index}/1710/1996"
        )
    return numbers


def _number(document_type: str, number: str) -> ErpNumber:
    return ErpNumber(system_id=_SYSTEM, document_type=document_type, document_number=number)


def _head(serial: int) -> dict[str, Any]:
    return {
        "external_id": f"document-{serial}",
        "business_unit": "beverages",
        "geography": "DE",
        "company_code": _COMPANY,
        "posting_date": _DAY,
        "currency_code": "USD",
        "customer": Reference(external_id="ALFKI"),
    }


def _two_lines(serial: int) -> dict[str, Any]:
    tax = TaxAmount(tax_category="S", rate_percent=Decimal(19), amount=Decimal("31.92"))
    free = TaxAmount(tax_category="Z", rate_percent=Decimal(0), amount=Decimal(0))
    return {
        **_head(serial),
        "lines": (
            _line(1, "Chai & <friends>, für zwei, with a name longer than forty characters", "14.00", "168.00", tax),
            _line(20, "Queso 'Cabrales'", "9.8055", "117.67", free),
        ),
        "freight": Freight(net_amount=Decimal("32.38")),
        "totals": Totals(
            net_amount=Decimal("285.67"),
            tax_amount=Decimal("31.92"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("349.97"),
        ),
    }


def _line(number: int, name: str, price: str, net: str, tax: TaxAmount) -> DocumentLine:
    return DocumentLine(
        line_number=number,
        product=Reference(external_id=f"product-{number}"),
        description=name,
        quantity=Quantity(value=Decimal("12.000")),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        tax=tax,
    )


def _payment(serial: int) -> Payment:
    return Payment(
        **_head(serial),
        payment_reference=f"wire {serial}",
        amount=Decimal("500.00"),
        allocations=(
            Allocation(invoice_reference=Reference(external_id="invoice-a"), amount=Decimal("349.97")),
            Allocation(invoice_reference=Reference(external_id="invoice-b"), amount=Decimal("100.00")),
        ),
    )


def _customer(serial: int) -> Customer:
    return Customer(
        external_id=f"customer-{serial}",
        name=f"Island Trading {serial}",
        geography="GB",
        address=Address(
            street="Garden House, Crowther Way",
            city="Cowes",
            region="Isle of Wight",
            postal_code="PO31 7PJ",
            country_code="GB",
        ),
        contact=Contact(name="Helen Bennett", phone="(198) 555-8888"),
        tax_registrations=(TaxRegistration(country_code="GB", tax_number="GB123456789"),),
    )
