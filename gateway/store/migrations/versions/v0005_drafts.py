"""Drafts of rulebooks, who edited and approved them, what was waived and what went back."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.append_only import postgres_triggers, sqlite_triggers
from gateway.store.columns import KEYED, WIDE, child_of, int_, text_

revision = "v0005"
down_revision = "v0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        text_("draft_id", key=True),
        text_("title"),
        text_("state"),
        int_("version"),
        int_("base_activation_number"),
        text_("table_version"),
        text_("governance_version"),
        text_("files"),
        int_("created_at"),
        int_("updated_at"),
        int_("entry_count"),
        text_("activation_id", null=True),
        text_("activator", null=True),
        int_("effective_at", null=True),
        int_("activation_number", null=True),
        Index(None, "activation_number"),
        **WIDE,
    )
    op.create_table(
        "draft_edits",
        child_of("drafts.draft_id"),
        int_("version", key=True),
        text_("person"),
        text_("client"),
        text_("table_version"),
        text_("governance_version"),
        int_("base_activation_number"),
        int_("edited_at"),
        **KEYED,
    )
    _append_only("draft_edits")
    op.create_table(
        "approvals",
        text_("approval_id", key=True),
        text_("draft_id"),
        int_("draft_version"),
        text_("table_version"),
        text_("governance_version"),
        int_("base_activation_number"),
        text_("base_table_version"),
        text_("base_governance_version"),
        text_("simulation_id", null=True),
        text_("simulation_digest", null=True),
        text_("person"),
        text_("client"),
        text_("teams"),
        int_("approved_at"),
        Index(None, "draft_id", "approval_id"),
        **WIDE,
    )
    _append_only("approvals")
    op.create_table(
        "waivers",
        text_("waiver_id", key=True),
        text_("draft_id"),
        int_("draft_version"),
        text_("gate"),
        text_("table_version"),
        text_("governance_version"),
        int_("base_activation_number"),
        text_("person"),
        text_("client"),
        text_("reason_payload_id"),
        int_("waived_at"),
        int_("expires_at"),
        Index(None, "draft_id", "waiver_id"),
        **WIDE,
    )
    _append_only("waivers")
    op.create_table(
        "rollbacks",
        text_("activation_id", key=True),
        int_("base_activation_number"),
        text_("domain"),
        text_("business_unit"),
        text_("geography"),
        int_("undone_activation_number"),
        int_("restored_activation_number"),
        text_("person"),
        text_("client"),
        text_("reason_payload_id"),
        text_("reason_hash"),
        int_("requested_at"),
        int_("activation_number", null=True),
        **WIDE,
    )
    op.create_table(
        "persons",
        text_("person", key=True),
        text_("name"),
        **KEYED,
    )


def _append_only(table: str) -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in sqlite_triggers(table) if is_sqlite else postgres_triggers(table):
        op.execute(statement)
