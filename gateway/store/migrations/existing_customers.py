"""What revision v0029 adds to transactions that were there before, of documents that were sent again: their customers.

Frozen with the revision, as `existing_documents` is with v0002. A document's row names the customer of its newest
creation alone, and whoever was named before is told by the payload. Of what was erased: whose erasure it was. What
neither tells stays empty, and counts as of the document's customer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, text

_MARGIN_US: Final = 3_600_000_000
"""How far the clocks of processes may be apart, for the second look at what came beside the first."""

_AGAIN: Final = text(
    """
    SELECT DISTINCT document_id FROM transactions
     WHERE accepted_at >= :since AND replaces IS NOT NULL
       AND domain IN ('orders', 'contracts', 'invoices', 'payments')
    """
)
_NEWEST: Final = text("SELECT max(accepted_at) FROM transactions")
_EARLIER: Final = text(
    """
    SELECT t.transaction_id, t.source, p.body FROM transactions t
      JOIN documents d ON d.document_id = t.document_id
      LEFT JOIN payloads p ON p.payload_id = t.payload_id
     WHERE t.document_id = :document AND t.operation = 'create' AND t.transaction_id <> d.transaction_id
     ORDER BY t.transaction_id
    """
)
_BY_EXTERNAL_ID: Final = text(
    """
    SELECT document_id FROM natural_keys
     WHERE source = :source AND domain = 'customers' AND external_id = :external_id
    """
)
_BY_NUMBER: Final = text(
    """
    SELECT c.document_id FROM cross_references c JOIN documents d ON d.document_id = c.document_id
     WHERE d.domain = 'customers' AND c.system_id = :system AND c.document_type = :kind AND c.document_number = :number
     ORDER BY c.valid_until IS NOT NULL, c.valid_from DESC LIMIT 1
    """
)
_ERASED: Final = text("SELECT body FROM ledger_entries WHERE trace = :trace AND kind = 'erased' ORDER BY seq LIMIT 1")
_ERASURE: Final = text("SELECT customer_id FROM erasures WHERE erasure_id = :erasure")
_SET: Final = text(
    "UPDATE transactions SET customer_id = :customer WHERE transaction_id = :transaction AND customer_id IS NULL"
)


class SentAgain:
    """Documents that were sent again, as they are found in looks one after the other: one at everything that holds
    nobody up, and one more, after all other writers were locked out, at what came meanwhile."""

    def __init__(self) -> None:
        self._since = 0
        self._documents: set[str] = set()

    def look(self, connection: Connection) -> None:
        """What was accepted since the look before."""
        newest = connection.execute(_NEWEST).scalar() or 0
        self._documents.update(connection.execute(_AGAIN, {"since": self._since}).scalars())
        self._since = max(0, newest - _MARGIN_US)

    def fill_in(self, connection: Connection) -> None:
        """The customer of each of their transactions but the newest creation, whose customer the document has."""
        for document in sorted(self._documents):
            for transaction, source, body in connection.execute(_EARLIER, {"document": document}).all():
                customer = _of_erasure(connection, transaction) if body is None else _of_body(connection, source, body)
                if customer is not None:
                    connection.execute(_SET, {"customer": customer, "transaction": transaction})


def _of_erasure(connection: Connection, transaction_id: str) -> str | None:
    """Whose erasure it went with: erasures count what went with them."""
    told = connection.execute(_ERASED, {"trace": transaction_id}).scalar()
    erasure = None if told is None else json.loads(told).get("erasureId")
    found: str | None = connection.execute(_ERASURE, {"erasure": erasure}).scalar() if erasure else None
    return found


def _of_body(connection: Connection, source: str, body: bytes) -> str | None:
    """The customer that a payload names, if it is known."""
    members = json.loads(body)
    reference: Mapping[str, Any] | None = members.get("customer") if isinstance(members, dict) else None
    if not reference:
        return None
    if reference.get("documentId"):
        return str(reference["documentId"])
    found: str | None
    if reference.get("externalId"):
        names = {"source": reference.get("source") or source, "external_id": reference["externalId"]}
        found = connection.execute(_BY_EXTERNAL_ID, names).scalar()
    else:
        number = reference["erpNumber"]
        names = {"system": number["systemId"], "kind": number["documentType"], "number": number["documentNumber"]}
        found = connection.execute(_BY_NUMBER, names).scalar()
    return found
