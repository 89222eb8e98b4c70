"""What revision v0008 adds to payments that were there before: how much of them each invoice takes.

Frozen with the revision, as `existing_documents` is with v0002. The amount of an erased payment stays unknown, and it
counts as not applied.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection, text

_CHUNK: Final = 1_000
"""Payments read at once."""

_BODIES: Final = text(
    """
    SELECT d.document_id, p.body FROM documents d JOIN payloads p ON p.payload_id = d.payload_id
     WHERE d.document_id > :after AND d.domain = 'payments' AND p.body IS NOT NULL
     ORDER BY d.document_id LIMIT :most
    """
)
_AMOUNT: Final = text("UPDATE relations SET amount = :amount WHERE document_id = :document AND field = :field")


def fill_in(connection: Connection) -> None:
    """The amounts of allocations, from the payments' payloads."""
    after = ""
    while rows := connection.execute(_BODIES, {"after": after, "most": _CHUNK}).all():
        for document_id, body in rows:
            for index, allocation in enumerate(json.loads(body).get("allocations") or ()):
                field = f"allocations[{index}].invoiceReference"
                amount = allocation.get("amount")
                connection.execute(_AMOUNT, {"amount": amount, "document": document_id, "field": field})
            after = document_id
