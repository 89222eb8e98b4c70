"""`mock-sap` as SAP S/4HANA: OAuth 2.0, CSRF tokens, ETags, OData V2. Counts come from the simulator's own database."""

from __future__ import annotations

import base64
import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.cloud_erp.sap_s4.settings import Accounts, Company, S4Settings
from adapters.port import Cancellation, Change, Operation, Posted, Reversal, Submission
from adapters.transport import HttpTransport, TransportLimits
from tests.contract import sap_s4_documents as documents
from tests.contract.mock_sap import MockSap
from tests.contract.peer import Fault, Refusal, SeenRequest, Words
from tests.contract.sap_s4_user import OtherUser

_CLIENT: Final = "GATEWAY"
_SECRET: Final = "k4Rz-peer-secret"
_LATE_S: Final = 2.5
_TABLES: Final = {
    "customers": "A_BusinessPartner",
    "products": "A_Product",
    "orders": "A_SalesOrder",
    "invoices": "A_JournalEntry",
    "payments": "A_JournalEntry",
    "journal_entries": "A_JournalEntry",
}
_TYPES: Final = {"invoices": ("DR", "DG"), "payments": ("DZ",), "journal_entries": ("SA",)}
_REFUSAL: Final = "/IWBEP/CX_MGW_BUSI_EXCEPTION"
_MESSAGE: Final = "Posting is blocked by a business rule of the contract suite"
_BATCH: Final = "$batch"

SETTINGS: Final = S4Settings(
    client_id=_CLIENT,
    client_secret=SecretStr(_SECRET),
    companies={documents.COMPANY: Company("1710", "1710")},
    accounts=Accounts(
        receivables="0012100000", revenue="0041000000", freight="0044000000", output_tax="0022000000", bank="0011001000"
    ),
    # The simulator's items have no reason for rejection.
    cancel_orders_by="zero_quantity",
    cancel_reason="Z9",
)


def start(folder: Path) -> SapS4Peer:
    """Start the simulator in `folder` and wait until it answers."""
    return SapS4Peer(folder)


class SapS4Peer:
    """See `tests.contract.peer.Peer`."""

    name = "sap_s4"
    secrets = (_SECRET, base64.b64encode(f"{_CLIENT}:{_SECRET}".encode()).decode())
    late_s = _LATE_S
    settings: S4Settings = SETTINGS
    sets: Mapping[str, str] = _TABLES
    """The entity sets to which a new document of a domain is posted."""

    def __init__(self, folder: Path) -> None:
        arguments = ["--oauth", f"{_CLIENT}:{_SECRET}", "--require-if-match", "--clock", "1996-07-01T08:00"]
        self._sap = MockSap(folder, arguments, slow_ms=int(_LATE_S * 1000))
        self._somebody = OtherUser(self._sap.port, _CLIENT, _SECRET)
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
        secret = SecretStr("not-the-secret" if wrong_credentials else _SECRET)
        settings = replace(self.settings, client_secret=secret)
        transport = HttpTransport(base_url or self.base_url, limits, system_id=documents.SYSTEM)
        return SapS4Driver(documents.SYSTEM, settings, transport)

    def submission(self, domain: str, reference: str) -> Submission:
        """A new document of `domain`."""
        return documents.submission(domain, next(self._counter), reference)

    def reversal(self, original: Submission, posted: Posted, reference: str) -> Reversal:
        """The mirror of a posted document."""
        return Reversal(posted.number, original, reference, documents.DAY, "contract suite")

    def change(self, original: Submission, posted: Posted, reference: str) -> Change:
        """All that can be changed, changed."""
        document, numbers = documents.changed(original)
        return Change(posted.number, original, document, reference, numbers)

    def cancellation(self, original: Submission, posted: Posted, reference: str) -> Cancellation:
        """The order is called off."""
        return Cancellation(posted.number, original, reference, "contract suite")

    def change_elsewhere(self, original: Submission, posted: Posted) -> bool:
        """Somebody changes a quantity, a street, a description."""
        number = posted.number.document_number
        if original.domain == "orders":
            item = f"A_SalesOrderItem(SalesOrder='{number}',SalesOrderItem='000001')"
            self._somebody.change("API_SALES_ORDER_SRV", item, {"RequestedQuantity": "7"})
        elif original.domain == "customers":
            address = f"A_BusinessPartnerAddress(BusinessPartner='{number}',AddressID='1')"
            self._somebody.change("API_BUSINESS_PARTNER_SRV", address, {"StreetName": "Somewhere else 1"})
        else:
            text = f"A_ProductDescription(Product='{number}',Language='EN')"
            self._somebody.change("API_PRODUCT_SRV", text, {"ProductDescription": "Something else"})
        return True

    @contextlib.contextmanager
    def refused(self, domain: str, reference: str) -> Iterator[Refusal | None]:
        """An OData error with 400, as a business exception of the service gives it."""
        with self._sap.rule(**self._matching(domain, Operation.CREATE), status=400, message=_MESSAGE):
            yield Refusal(self.submission(domain, reference), _REFUSAL, _MESSAGE)

    @contextlib.contextmanager
    def refused_act(self, domain: str, operation: Operation) -> Iterator[Words | None]:
        """The same error, for all of a batch."""
        with self._sap.rule(**self._matching(domain, operation), status=400, message=_MESSAGE):
            yield Words(_REFUSAL, _MESSAGE)

    @contextlib.contextmanager
    def fault(self, fault: Fault, domain: str, operation: Operation = Operation.CREATE) -> Iterator[bool]:
        """The simulator's own fault rules, on posts to the entity set or on batches only."""
        scenario = {Fault.LATE: "slow", Fault.BUSY: "busy", Fault.LOCKED: "lock", Fault.SERVER_ERROR: "error"}[fault]
        with self._sap.rule(**self._matching(domain, operation), scenario=scenario):
            yield True

    def is_posting(self, request: SeenRequest) -> bool:
        """A POST to an entity set, or of a batch."""
        return request.method == "POST" and request.path.rsplit("/", 1)[-1] in {*self.sets.values(), _BATCH}

    def count_documents(self, domain: str) -> int:
        """Rows of the simulator's tables; customers are partners with a customer's role."""
        if domain == "customers":
            return self._count('SELECT count(DISTINCT "BusinessPartner") FROM "A_BusinessPartnerRole" WHERE '
                               '"BusinessPartnerRole" IN (?, ?)', ("FLCU00", "FLCU01"))  # fmt: skip
        types = _TYPES.get(domain, ())
        marks = ", ".join("?" for _ in types)
        where = f' WHERE "AccountingDocumentType" IN ({marks})' if types else ""
        return self._count(f'SELECT count(*) FROM "{_TABLES[domain]}"{where}', types)  # noqa: S608

    def requests_seen(self) -> list[SeenRequest]:
        """What the simulator recorded."""
        return self._sap.requests_seen()

    def stop(self) -> None:
        """End the simulator."""
        self._sap.stop()

    def _matching(self, domain: str, operation: Operation) -> dict[str, str]:
        """What a rule says to meet only the posting calls of `operation`."""
        in_batch = operation in {Operation.CHANGE, Operation.CANCEL}
        return {"method": "POST", "match": rf"/\{_BATCH}$" if in_batch else f"/{self.sets[domain]}$"}

    def _count(self, query: str, values: Sequence[str]) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self._sap.database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute(query, values).fetchone()[0]
            return found
