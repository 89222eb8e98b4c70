"""Dead ends for people, and what was done about them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.columns import KEYED, WIDE, child_of, int_, partial_index, text_

revision = "v0011"
down_revision = "v0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", text_("exception_id", null=True))
    op.create_table(
        "exceptions",
        text_("exception_id", key=True),
        text_("transaction_id"),
        text_("lineage_id"),
        text_("domain"),
        text_("operation"),
        text_("business_unit"),
        text_("geography"),
        text_("system_id", null=True),
        text_("company_code", null=True),
        text_("currency_code", null=True),
        text_("amount", null=True),
        text_("reason_code"),
        text_("cause", null=True),
        text_("payload_id", null=True),
        text_("state"),
        int_("opened_at"),
        int_("updated_at"),
        text_("owner_team", null=True),
        text_("owner_person", null=True),
        text_("move_id", null=True),
        int_("closed_at", null=True),
        text_("outcome", null=True),
        text_("replaced_by", null=True),
        int_("version"),
        Index(None, "transaction_id"),
        Index(None, "lineage_id"),
        partial_index("exceptions_open", "exception_id", where="state = 'open'"),
        **WIDE,
    )
    op.create_table(
        "exception_moves",
        text_("move_id", key=True),
        text_("exception_id"),
        text_("move"),
        text_("state"),
        text_("payload_id"),
        int_("asked_at"),
        text_("asked_by"),
        text_("asked_person"),
        int_("approved_at", null=True),
        text_("approved_by", null=True),
        text_("approved_person", null=True),
        int_("finished_at", null=True),
        text_("result", null=True),
        Index(None, "exception_id", "move_id"),
        **WIDE,
    )
    op.create_table(
        "exception_bulks",
        text_("bulk_id", key=True),
        text_("move"),
        text_("digest"),
        int_("count"),
        int_("second_person"),
        text_("payload_id"),
        int_("asked_at"),
        text_("asked_by"),
        text_("asked_person"),
        int_("started_at", null=True),
        text_("started_by", null=True),
        text_("started_person", null=True),
        **WIDE,
    )
    op.create_table(
        "exception_bulk_items",
        child_of("exception_bulks.bulk_id"),
        int_("position", key=True),
        text_("exception_id"),
        int_("version"),
        text_("result", null=True),
        **KEYED,
    )
