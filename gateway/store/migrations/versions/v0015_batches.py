"""Batches, and the intake from NATS."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.columns import WIDE, bytes_, child_of, int_, partial_index, text_

revision = "v0015"
down_revision = "v0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
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
    op.create_table(
        "batch_lines",
        child_of("batches.batch_id"),
        int_("line_number", key=True),
        text_("result"),
        text_("transaction_id", null=True),
        int_("replayed"),
        text_("problem", null=True),
        bytes_("body", null=True),
        partial_index("batch_lines_waiting", "batch_id", "line_number", where="result = 'waiting'"),
        **WIDE,
    )
