"""Data subjects, legal holds, retention."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.columns import WIDE, int_, partial_index, text_

revision = "v0016"
down_revision = "v0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        text_("erasure_id", key=True),
        text_("customer_id"),
        text_("state"),
        text_("payload_id"),
        int_("asked_at"),
        text_("asked_by"),
        text_("asked_person"),
        int_("approved_at", null=True),
        text_("approved_by", null=True),
        text_("approved_person", null=True),
        int_("finished_at", null=True),
        int_("erased"),
        int_("entry_count"),
        Index(None, "customer_id"),
        partial_index("erasures_unfinished", "erasure_id", where="state = 'approved'"),
        **WIDE,
    )
    op.create_table(
        "legal_holds",
        text_("hold_id", key=True),
        text_("customer_id", null=True),
        text_("lineage_id", null=True),
        text_("payload_id"),
        int_("set_at"),
        text_("set_by"),
        text_("set_person"),
        int_("lift_asked_at", null=True),
        text_("lift_asked_by", null=True),
        text_("lift_asked_person", null=True),
        text_("lift_payload_id", null=True),
        int_("lifted_at", null=True),
        text_("lifted_by", null=True),
        text_("lifted_person", null=True),
        int_("entry_count"),
        partial_index("legal_holds_of_customers", "customer_id", where="customer_id IS NOT NULL"),
        partial_index("legal_holds_of_lineages", "lineage_id", where="lineage_id IS NOT NULL"),
        **WIDE,
    )
