"""Simulations on recorded traffic, and what a dark candidate would have decided."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.columns import WIDE, int_, text_

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ledger_entries_routed ON ledger_entries (at, trace, seq) WHERE kind = 'routed'")
    op.create_table(
        "simulations",
        text_("simulation_id", key=True),
        text_("draft_id"),
        text_("table_version"),
        text_("governance_version"),
        int_("base_activation_number"),
        text_("base_table_version"),
        text_("base_governance_version"),
        int_("since"),
        int_("until"),
        text_("state"),
        int_("requested_at"),
        text_("requested_by"),
        text_("process_id"),
        int_("expected"),
        int_("entries"),
        int_("finished_at", null=True),
        text_("position", null=True),
        text_("digest", null=True),
        text_("result_hash", null=True),
        text_("result", null=True),
        text_("failure", null=True),
        Index(None, "table_version", "simulation_id"),
        Index(None, "draft_id", "simulation_id"),
        **WIDE,
    )
    op.create_table(
        "dark_watches",
        text_("draft_id", key=True),
        text_("table_version"),
        text_("rules"),
        text_("governance"),
        text_("state"),
        int_("started_at"),
        text_("started_by"),
        int_("ended_at", null=True),
        int_("read_at"),
        text_("read_trace"),
        int_("read_seq"),
        text_("found"),
        **WIDE,
    )
