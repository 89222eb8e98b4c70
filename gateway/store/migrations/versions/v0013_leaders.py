"""Tasks that one process does for all, by lease with epoch."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, int_, text_

revision = "v0013"
down_revision = "v0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leader_tasks",
        text_("task", key=True),
        text_("process_id"),
        int_("epoch"),
        int_("lease_until"),
        **KEYED,
    )
