"""Transactions keep their legs; steps say for which day an undo is posted, and why an attempt of it came to nothing."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import text_

revision = "v0012"
down_revision = "v0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", text_("legs", null=True))
    op.add_column("steps", text_("posting_date", null=True))
    op.add_column("steps", text_("problem", null=True))
