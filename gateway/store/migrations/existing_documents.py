"""What revision v0002 adds to documents that were there before, taken from their transactions and payloads.

Frozen with the revision: it knows the domains and members of that time by their names, not by today's models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

_CHUNK: Final = 1_000
"""Documents read at once."""

_HEADS: Final = text(
    """
    UPDATE documents SET
      company_code = (SELECT t.company_code FROM transactions t WHERE t.transaction_id = documents.transaction_id),
      document_type = (SELECT t.document_type FROM transactions t WHERE t.transaction_id = documents.transaction_id),
      currency_code = (SELECT t.currency_code FROM transactions t WHERE t.transaction_id = documents.transaction_id),
      amount = (SELECT t.amount FROM transactions t WHERE t.transaction_id = documents.transaction_id),
      posting_date = (SELECT t.posting_date FROM transactions t WHERE t.transaction_id = documents.transaction_id)
    WHERE transaction_id IS NOT NULL
    """
)
_BODIES: Final = text(
    """
    SELECT d.document_id, d.domain, d.source, p.body FROM documents d JOIN payloads p ON p.payload_id = d.payload_id
     WHERE d.document_id > :after AND d.domain IN ('orders', 'invoices', 'payments') AND p.body IS NOT NULL
     ORDER BY d.document_id LIMIT :most
    """
)
_BY_EXTERNAL_ID: Final = text(
    "SELECT document_id FROM natural_keys WHERE source = :source AND domain = :domain AND external_id = :external_id"
)
_BY_NUMBER: Final = text(
    """
    SELECT c.document_id FROM cross_references c JOIN documents d ON d.document_id = c.document_id
     WHERE d.domain = :domain AND c.system_id = :system AND c.document_type = :kind AND c.document_number = :number
     ORDER BY c.valid_until IS NOT NULL, c.valid_from DESC LIMIT 1
    """
)
_CUSTOMER: Final = text("UPDATE documents SET customer_id = :customer WHERE document_id = :document")
_FOLLOWS: Final = text(
    """
    INSERT INTO relations (document_id, field, target_document_id, kind)
    VALUES (:document, :field, :target, 'follows')
    """
)


def fill_in(connection: Connection) -> None:
    """Company code, type, currency, amount and posting date; the customer; what each document follows."""
    connection.execute(_HEADS)
    after = ""
    while rows := connection.execute(_BODIES, {"after": after, "most": _CHUNK}).all():
        for document_id, domain, source, body in rows:
            _fill_in(connection, document_id, domain, source, json.loads(body))
            after = document_id


def _fill_in(connection: Connection, document_id: str, domain: str, source: str, body: Mapping[str, Any]) -> None:
    customer = _named(connection, "customers", source, body.get("customer"))
    if customer is not None:
        connection.execute(_CUSTOMER, {"customer": customer, "document": document_id})
    for field, target_domain, reference in _parents(domain, body):
        target = _named(connection, target_domain, source, reference)
        if target is not None:
            connection.execute(_FOLLOWS, {"document": document_id, "field": field, "target": target})


def _parents(domain: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    if domain == "invoices":
        if body.get("invoiceReference"):
            yield "invoiceReference", "invoices", body["invoiceReference"]
        if body.get("orderReference"):
            yield "orderReference", "orders", body["orderReference"]
    elif domain == "payments":
        for index, allocation in enumerate(body.get("allocations") or ()):
            yield f"allocations[{index}].invoiceReference", "invoices", allocation["invoiceReference"]


def _named(connection: Connection, domain: str, source: str, reference: Mapping[str, Any] | None) -> str | None:
    """The document that a reference names, if it is known."""
    if not reference:
        return None
    if reference.get("documentId"):
        return str(reference["documentId"])
    question: TextClause
    if reference.get("externalId"):
        question = _BY_EXTERNAL_ID
        names = {"source": reference.get("source") or source, "external_id": reference["externalId"]}
    else:
        question, number = _BY_NUMBER, reference["erpNumber"]
        names = {"system": number["systemId"], "kind": number["documentType"], "number": number["documentNumber"]}
    found: str | None = connection.execute(question, {"domain": domain, **names}).scalar()
    return found
