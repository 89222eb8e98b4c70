"""`mock-sap` as SAP ECC: basic authentication, no CSRF tokens, BAPIs over SOAP.

The clock stands at 1996-07-01, so orders get that date (the simulator dates them itself); accounting documents are
posted into the same year. Counts come from the simulator's own database.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from adapters.canonical import (
    Allocation,
    DocumentLine,
    ErpNumber,
    Freight,
    Invoice,
    Order,
    Payment,
    Quantity,
    Reference,
    TaxAmount,
    Totals,
)
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.settings import Accounts, SalesArea, SapEccSettings
from adapters.port import Posted, Reversal, Submission
from adapters.transport import HttpTransport, TransportLimits
from tests.contract.mock_sap import MockSap
from tests.contract.peer import Fault, Refusal, SeenRequest

_USER: Final = "GATEWAY"
_PASSWORD: Final = "k4Rz-peer-word"
_SYSTEM: Final = "legacy-main"
_COMPANY: Final = "1000"
_CUSTOMER: Final = "1000001"
_MATERIALS: Final = ("MZ-FG-C100", "TG12", "TG13")
_POSTING_DATE: Final = date(1996, 7, 1)
_PATHS: Final = {"orders": "bapi_salesorder_createfromdat2"}
_ACCOUNTING_PATH: Final = "bapi_acc_document_post"
_ACCOUNTING_TYPES: Final = {"invoices": ("DR", "DG"), "payments": ("DZ",)}
_LATE_S: Final = 1.5

SETTINGS: Final = SapEccSettings(
    user=_USER,
    password=SecretStr(_PASSWORD),
    sales_area=SalesArea("1710"),
    sales_areas={_COMPANY: SalesArea("1710")},
    accounts=Accounts(
        revenue="0041000000", freight="0044000000", tax="0022000000", bank="0011001000", receivable="0012100000"
    ),
)


def start(folder: Path) -> SapEccPeer:
    """Start the simulator in `folder` and wait until it answers."""
    return SapEccPeer(folder)


class SapEccPeer:
    """See `tests.contract.peer.Peer`."""

    name = "sap_ecc"
    secrets = (_PASSWORD, base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode())
    late_s = _LATE_S

    def __init__(self, folder: Path) -> None:
        arguments = ["--auth", f"{_USER}:{_PASSWORD}", "--no-csrf", "--clock", "1996-07-01T08:00"]
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
    ) -> SapEccDriver:
        """A driver with its own transport."""
        settings = replace(SETTINGS, password=SecretStr("not-the-word")) if wrong_credentials else SETTINGS
        transport = HttpTransport(base_url or self.base_url, limits, system_id=_SYSTEM)
        return SapEccDriver(_SYSTEM, settings, transport)

    def submission(self, domain: str, reference: str) -> Submission:
        """An order with freight and a free line, an invoice or (every other one) a credit note with freight and tax, or
        a payment of two invoices and a rest."""
        serial = next(self._counter)
        if domain == "orders":
            return Submission(_order(serial), reference, _numbers(lines=3))
        if domain == "invoices":
            return Submission(_invoice(serial), reference, _numbers(lines=2))
        assert domain == "payments", domain
        return Submission(_payment(serial), reference, _numbers(lines=0, invoices=2))

    def reversal(self, original: Submission, posted: Posted, reference: str) -> Reversal:
        """The mirror of a posted document."""
        return Reversal(posted.number, original, reference, _POSTING_DATE, "contract suite")

    @contextlib.contextmanager
    def refused(self, domain: str, reference: str) -> Iterator[Refusal | None]:
        """A customer over the credit limit, or a closed period: HTTP 200 with E in RETURN."""
        function, message_class, number, message = (
            ("BAPI_SALESORDER_CREATEFROMDAT2", "V1", "154", "Credit limit of customer 1000001 is exceeded")
            if domain == "orders"
            else ("BAPI_ACC_DOCUMENT_POST", "F5", "201", "Posting period 007 1996 is not open")
        )
        with self._sap.bapi_answers(function=function, type="E", id=message_class, number=number, message=message):
            yield Refusal(self.submission(domain, reference), f"{message_class}/{number}", message)

    @contextlib.contextmanager
    def fault(self, fault: Fault, domain: str) -> Iterator[bool]:
        """The simulator's own fault rules, on the posting function's address only."""
        scenario = {Fault.LATE: "slow", Fault.BUSY: "busy", Fault.LOCKED: "lock", Fault.SERVER_ERROR: "error"}[fault]
        with self._sap.rule(method="POST", match=_path(domain), scenario=scenario):
            yield True

    def is_posting(self, request: SeenRequest) -> bool:
        """A call of a creating function that is not a test run."""
        return any(path in request.path for path in (*_PATHS.values(), _ACCOUNTING_PATH)) and (
            b"<TESTRUN>X" not in request.body
        )

    def count_documents(self, domain: str) -> int:
        """Rows of the simulator's tables."""
        if domain == "orders":
            return self._count('SELECT count(*) FROM "A_SalesOrder"', ())
        types = _ACCOUNTING_TYPES[domain]
        marks = ", ".join("?" for _ in types)
        query = f'SELECT count(*) FROM "A_JournalEntry" WHERE "AccountingDocumentType" IN ({marks})'  # noqa: S608
        return self._count(query, types)

    def requests_seen(self) -> list[SeenRequest]:
        """What the simulator recorded."""
        return self._sap.requests_seen()

    def stop(self) -> None:
        """End the simulator."""
        self._sap.stop()

    def _count(self, query: str, values: tuple[str, ...]) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self._sap.database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute(query, values).fetchone()[0]
            return found


def _path(domain: str) -> str:
    return _PATHS.get(domain, _ACCOUNTING_PATH)


def _numbers(*, lines: int, invoices: int = 0) -> dict[str, ErpNumber]:
    numbers = {"customer": _number("customer", _CUSTOMER)}
    for index in range(lines):
        numbers[f"lines[{index}].product"] = _number("product", _MATERIALS[index])
    for index in range(invoices):
        numbers[f"allocations[{index}].invoiceReference"] = _number(
            "accounting_document", f"010000000{index}/{_COMPANY}/1996"
        )
    return numbers


def _number(document_type: str, number: str) -> ErpNumber:
    return ErpNumber(system_id=_SYSTEM, document_type=document_type, document_number=number)


def _line(number: int, name: str, pieces: str, price: str, net: str, tax: TaxAmount | None = None) -> DocumentLine:
    return DocumentLine(
        line_number=number,
        product=Reference(external_id=f"product-{number}"),
        description=name,
        quantity=Quantity(value=Decimal(pieces)),
        unit_price=Decimal(price),
        net_amount=Decimal(net),
        tax=tax,
    )


def _order(serial: int) -> Order:
    return Order(
        external_id=f"order-{serial}",
        business_unit="beverages",
        geography="DE",
        company_code=_COMPANY,
        posting_date=_POSTING_DATE,
        currency_code="USD",
        customer=Reference(external_id="ALFKI"),
        lines=(
            _line(1, "Chai & <friends>, für zwei", "12", "14.00", "168.00"),
            _line(2, "Queso Cabrales", "10.500", "9.80", "102.90"),
            _line(30, "A free sample", "3", "0", "0"),
        ),
        freight=Freight(net_amount=Decimal("32.38")),
        totals=Totals(
            net_amount=Decimal("270.90"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("303.28"),
        ),
    )


def _invoice(serial: int) -> Invoice:
    tax = TaxAmount(tax_category="S", rate_percent=Decimal(19), amount=Decimal("31.92"))
    free = TaxAmount(tax_category="Z", rate_percent=Decimal(0), amount=Decimal(0))
    return Invoice(
        external_id=f"invoice-{serial}",
        document_type="credit_note" if serial % 2 else "invoice",
        business_unit="beverages",
        geography="DE",
        company_code=_COMPANY,
        posting_date=_POSTING_DATE,
        currency_code="USD",
        customer=Reference(external_id="ALFKI"),
        lines=(
            _line(1, "Chai, " + "a name that is longer than the item's text " * 2, "12", "14.00", "168.00", tax),
            _line(2, "Queso Cabrales", "10", "9.80", "98.00", free),
        ),
        freight=Freight(net_amount=Decimal("32.38")),
        totals=Totals(
            net_amount=Decimal("266.00"),
            tax_amount=Decimal("31.92"),
            freight_amount=Decimal("32.38"),
            gross_amount=Decimal("330.30"),
        ),
    )


def _payment(serial: int) -> Payment:
    return Payment(
        external_id=f"payment-{serial}",
        business_unit="beverages",
        geography="DE",
        company_code=_COMPANY,
        posting_date=_POSTING_DATE,
        currency_code="USD",
        customer=Reference(external_id="ALFKI"),
        payment_reference=f"wire {serial}",
        amount=Decimal("500.00"),
        allocations=(
            Allocation(invoice_reference=Reference(external_id="invoice-a"), amount=Decimal("330.30")),
            Allocation(invoice_reference=Reference(external_id="invoice-b"), amount=Decimal("100.00")),
        ),
    )
