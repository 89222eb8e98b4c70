"""Tables of batches and their lines."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.columns import WIDE, bytes_, child_of, int_, partial_index, text_
from gateway.store.schema import METADATA

WAITING: Final = "result = 'waiting'"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

batches: Final = Table(
    "batches",
    METADATA,
    text_("batch_id", key=True),
    text_("client"),
    text_("idempotency_key", null=True),
    text_("state"),
    int_("epoch"),
    int_("received"),
    text_("digest"),
    int_("created_at"),
    int_("updated_at"),
    int_("completed_at", null=True),
    Index(None, "client", "idempotency_key", unique=True),
    **WIDE,
)

batch_lines: Final = Table(
    "batch_lines",
    METADATA,
    child_of("batches.batch_id"),
    int_("line_number", key=True),
    text_("result"),
    text_("transaction_id", null=True),
    int_("replayed"),
    text_("problem", null=True),
    bytes_("body", null=True),
    partial_index("batch_lines_waiting", "batch_id", "line_number", where=WAITING),
    **WIDE,
)
