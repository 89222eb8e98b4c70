"""`mock-sap` as SAP ECC: basic authentication, no CSRF tokens, BAPIs over SOAP.

The clock stands at 1996-07-01, so orders get that date (the simulator dates them itself); accounting documents are
posted into the same year. Counts come from the simulator's own database, changes by somebody else go over its JSON
address of functions.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from adapters.canonical import Order
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.settings import Accounts, SalesArea, SapEccSettings
from adapters.port import Cancellation, Change, Operation, Posted, Reversal, Submission
from adapters.transport import HttpTransport, TransportLimits
from tests.contract import sap_ecc_documents
from tests.contract.mock_sap import MockSap
from tests.contract.peer import Fault, Refusal, SeenRequest, Words
from tests.contract.sap_ecc_documents import COMPANY, POSTING_DATE, SYSTEM

_USER: Final = "GATEWAY"
_PASSWORD: Final = "k4Rz-peer-word"
_CREATE: Final = "bapi_salesorder_createfromdat2"
_CHANGE: Final = "bapi_salesorder_change"
_POST: Final = "bapi_acc_document_post"
_TYPES: Final = {"invoices": ("DR", "DG"), "payments": ("DZ",), "journal_entries": ("SA",)}
_LATE_S: Final = 2.5
_SCENARIOS: Final = {Fault.LATE: "slow", Fault.BUSY: "busy", Fault.LOCKED: "lock", Fault.SERVER_ERROR: "error"}
_CREDIT: Final = Words("V1/154", "Credit limit of customer 1000001 is exceeded")
_DELIVERED: Final = Words("V1/045", "The order is being delivered already")
_PERIOD: Final = Words("F5/201", "Posting period 007 1996 is not open")

SETTINGS: Final = SapEccSettings(
    user=_USER,
    password=SecretStr(_PASSWORD),
    sales_area=SalesArea("1710"),
    sales_areas={COMPANY: SalesArea("1710")},
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
    settings = SETTINGS
    """Those of its drivers."""

    def __init__(self, folder: Path) -> None:
        arguments = ["--auth", f"{_USER}:{_PASSWORD}", "--no-csrf", "--clock", "1996-07-01T08:00"]
        self.sap = MockSap(folder, arguments, slow_ms=int(_LATE_S * 1000))
        self._counter = count(1)

    @property
    def base_url(self) -> str:
        """Where the simulator listens."""
        return self.sap.base_url

    def driver(
        self,
        *,
        base_url: str | None = None,
        limits: TransportLimits | None = None,
        wrong_credentials: bool = False,
    ) -> SapEccDriver:
        """A driver with its own transport."""
        settings = replace(self.settings, password=SecretStr("not-the-word")) if wrong_credentials else self.settings
        transport = HttpTransport(base_url or self.base_url, limits, system_id=SYSTEM)
        return SapEccDriver(SYSTEM, settings, transport)

    def submission(self, domain: str, reference: str) -> Submission:
        """See `sap_ecc_documents.submission`."""
        return sap_ecc_documents.submission(domain, reference, next(self._counter))

    def reversal(self, original: Submission, posted: Posted, reference: str) -> Reversal:
        """The mirror of a posted document."""
        return Reversal(posted.number, original, reference, POSTING_DATE, "contract suite")

    def change(self, original: Submission, posted: Posted, reference: str) -> Change:
        """See `sap_ecc_documents.changed_order`."""
        assert isinstance(original.document, Order)
        changed = sap_ecc_documents.changed_order(original.document)
        return Change(posted.number, original, changed, reference, sap_ecc_documents.numbers(changed))

    def cancellation(self, original: Submission, posted: Posted, reference: str) -> Cancellation:
        """The cancellation of an order."""
        return Cancellation(posted.number, original, reference, "contract suite")

    def change_elsewhere(self, original: Submission, posted: Posted) -> bool:
        """A user at the ERP gives the first line another quantity."""
        item = {"ITM_NUMBER": "000001", "TARGET_QTY": "77.000"}
        flags = {"ITM_NUMBER": "000001", "UPDATEFLAG": "U", "TARGET_QTY": "X"}
        content = {
            "SALESDOCUMENT": posted.number.document_number,
            "ORDER_HEADER_INX": {"UPDATEFLAG": "U"},
            "ORDER_ITEM_IN": [item],
            "ORDER_ITEM_INX": [flags],
        }
        answer = self._call("BAPI_SALESORDER_CHANGE", content)
        assert [row["TYPE"] for row in answer["RETURN"]] == ["S"], answer
        return True

    @contextlib.contextmanager
    def refused(self, domain: str, reference: str) -> Iterator[Refusal | None]:
        """A customer over the credit limit, or a closed period: HTTP 200 with E in RETURN."""
        words = _CREDIT if domain == "orders" else _PERIOD
        with self._refusing(_path(domain, Operation.CREATE), words):
            yield Refusal(self.submission(domain, reference), words.code, words.message)

    @contextlib.contextmanager
    def refused_act(self, domain: str, operation: Operation) -> Iterator[Words | None]:
        """A delivery that was begun, or a closed period."""
        words = _DELIVERED if domain == "orders" else _PERIOD
        with self._refusing(_path(domain, operation), words):
            yield words

    @contextlib.contextmanager
    def fault(self, fault: Fault, domain: str, operation: Operation = Operation.CREATE) -> Iterator[bool]:
        """The simulator's own fault rules, on the posting function's address only."""
        with self.sap.rule(method="POST", match=_path(domain, operation), scenario=_SCENARIOS[fault]):
            yield True

    def is_posting(self, request: SeenRequest) -> bool:
        """A call of a posting function that is not a test run."""
        return any(path in request.path for path in (_CREATE, _CHANGE, _POST)) and b"<TESTRUN>X" not in request.body

    def count_documents(self, domain: str) -> int:
        """Rows of the simulator's tables."""
        if domain == "orders":
            return self._count('SELECT count(*) FROM "A_SalesOrder"', ())
        types = _TYPES[domain]
        marks = ", ".join("?" for _ in types)
        query = f'SELECT count(*) FROM "A_JournalEntry" WHERE "AccountingDocumentType" IN ({marks})'  # noqa: S608
        return self._count(query, types)

    def requests_seen(self) -> list[SeenRequest]:
        """What the simulator recorded."""
        return self.sap.requests_seen()

    def stop(self) -> None:
        """End the simulator."""
        self.sap.stop()

    @contextlib.contextmanager
    def _refusing(self, function: str, words: Words) -> Iterator[None]:
        message_class, number = words.code.split("/")
        with self.sap.bapi_answers(
            function=function.upper(), type="E", id=message_class, number=number, message=words.message
        ):
            yield

    def _call(self, function: str, content: dict[str, object]) -> dict[str, list[dict[str, str]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.sap.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Basic {self.secrets[1]}"}
            connection.request("POST", f"/sap/bc/rfc/{function}", json.dumps(content), headers)
            answer: dict[str, list[dict[str, str]]] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def _count(self, query: str, values: tuple[str, ...]) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self.sap.database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute(query, values).fetchone()[0]
            return found


def _path(domain: str, operation: Operation) -> str:
    if domain != "orders":
        return _POST
    return _CREATE if operation is Operation.CREATE else _CHANGE
