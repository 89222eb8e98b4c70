"""What is in force, by number, and which processes have it loaded."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The state starts from what was put in force so far."""
    op.create_table(
        "rules_state",
        int_("state_id", key=True),
        int_("activation_number"),
        int_("acts_number"),
        **KEYED,
    )
    op.execute(
        "INSERT INTO rules_state (state_id, activation_number, acts_number) "
        "SELECT 1, COALESCE(MAX(activation_number), 0), 0 FROM activations"
    )
    op.create_table(
        "activation_requests",
        text_("activation_id", key=True),
        text_("draft_id", null=True),
        text_("table_version"),
        text_("governance_version"),
        text_("rules"),
        text_("governance"),
        int_("base_activation_number"),
        int_("effective_at"),
        int_("requested_at"),
        text_("requested_by"),
        text_("person", null=True),
        text_("state"),
        int_("entry_count"),
        text_("claimed_by", null=True),
        int_("claimed_until"),
        int_("settled_at", null=True),
        int_("activation_number", null=True),
        text_("failure", null=True),
        partial_index(
            "activation_requests_open",
            "effective_at",
            "activation_id",
            where="state IN ('scheduled', 'prepared')",
        ),
        **WIDE,
    )
    op.create_table(
        "heartbeats",
        text_("process_id", key=True),
        int_("activation_number"),
        int_("acts_number"),
        text_("loaded"),
        text_("prepared"),
        int_("at"),
        **KEYED,
    )
