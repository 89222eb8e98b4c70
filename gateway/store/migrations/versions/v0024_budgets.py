"""What each process has of each system's budget."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, int_, text_

revision = "v0024"
down_revision = "v0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget_shares",
        text_("system_id", key=True),
        text_("process_id", key=True),
        int_("wanted"),
        int_("places"),
        int_("paused_until"),
        int_("valid_until"),
        **KEYED,
    )
