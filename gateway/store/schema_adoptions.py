"""Tables of what is adopted: batches with their control total, and their lines."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table, UniqueConstraint

from gateway.store.columns import KEYED, WIDE, child_of, int_, text_
from gateway.store.schema import METADATA, documents

adoptions: Final = Table(
    "adoptions",
    METADATA,
    text_("adoption_id", key=True),
    text_("state"),
    text_("from_system_id"),
    text_("to_system_id"),
    text_("effective_on"),
    int_("control_count"),
    text_("control_totals"),
    text_("content_hash"),
    text_("idempotency_key"),
    int_("requested_at"),
    text_("requested_by"),
    text_("requested_person"),
    int_("approved_at", null=True),
    text_("approved_by", null=True),
    text_("approved_person", null=True),
    int_("entry_count"),
    UniqueConstraint("requested_by", "idempotency_key"),
    **WIDE,
)

adoption_lines: Final = Table(
    "adoption_lines",
    METADATA,
    child_of("adoptions.adoption_id"),
    int_("line", key=True),
    text_("lineage_id"),
    text_("document_type"),
    text_("document_number"),
    text_("state"),
    text_("reason", null=True),
    int_("settled_at", null=True),
    Index(None, "lineage_id"),
    **KEYED,
)

documents_by_place: Final = Index(
    "documents_by_place",
    documents.c.domain,
    documents.c.business_unit,
    documents.c.geography,
    documents.c.document_id,
)
"""Boards ask for the documents of a slice."""
