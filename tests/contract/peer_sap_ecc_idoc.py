"""`mock-sap` as an SAP ECC whose functions are closed to us but for reading: orders go as IDocs, nothing else goes.

The simulator files an ORDERS and makes no sales order of it, so here an IDoc at status 53 stands for the order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from adapters.legacy_erp.sap_ecc.settings import IdocSettings
from adapters.port import Operation
from tests.contract.peer import Fault, Refusal, SeenRequest
from tests.contract.peer_sap_ecc import SETTINGS, SapEccPeer

_INBOX: Final = "/sap/bc/idoc"
_SCENARIOS: Final = {Fault.LATE: "slow", Fault.BUSY: "busy", Fault.LOCKED: "lock", Fault.SERVER_ERROR: "error"}


def start(folder: Path) -> SapEccIdocPeer:
    """Start the simulator in `folder` and wait until it answers."""
    return SapEccIdocPeer(folder)


class SapEccIdocPeer(SapEccPeer):
    """See `tests.contract.peer.Peer`."""

    name = "sap_ecc_idoc"
    settings = replace(
        SETTINGS,
        orders_by="idoc",
        idoc=IdocSettings(number_of="idoc"),
        closed=frozenset({"invoices", "payments", "journal_entries"}),
    )

    @contextlib.contextmanager
    def refused(self, domain: str, reference: str) -> Iterator[Refusal | None]:
        """The application declines the IDoc: status 51 with its reason."""
        message = "Customer 1000001 is blocked for orders"
        self.sap.control("POST", "idoc-posting", {"mestyp": "ORDERS", "status": "51", "message": message})
        try:
            yield Refusal(self.submission(domain, reference), "IDOC/51", message)
        finally:
            self.sap.control("DELETE", "idoc-posting")

    @contextlib.contextmanager
    def fault(self, fault: Fault, domain: str, operation: Operation = Operation.CREATE) -> Iterator[bool]:
        """The simulator's own fault rules, on the sending of IDocs only."""
        with self.sap.rule(method="POST", match=_INBOX, scenario=_SCENARIOS[fault]):
            yield True

    def is_posting(self, request: SeenRequest) -> bool:
        """An IDoc that is sent."""
        return request.method == "POST" and request.path == _INBOX

    def count_documents(self, domain: str) -> int:
        """ORDERS that came in and were posted."""
        assert domain == "orders", domain
        return self._count("SELECT count(*) FROM idoc WHERE direction = ? AND mestyp = ? AND status = ?",
                           ("2", "ORDERS", "53"))  # fmt: skip
