"""What slices are judged by: how much of a payment each invoice takes, and what was adopted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index, UniqueConstraint

from gateway.store.columns import KEYED, WIDE, child_of, int_, text_
from gateway.store.migrations.existing_allocations import fill_in

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("relations", text_("amount", null=True))
    fill_in(op.get_bind())
    op.create_index("documents_by_place", "documents", ["domain", "business_unit", "geography", "document_id"])
    op.create_table(
        "adoptions",
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
    op.create_table(
        "adoption_lines",
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
