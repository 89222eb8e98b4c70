"""Since when it is on record that a process ended, and by what proof."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import int_, text_

revision = "v0025"
down_revision = "v0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("processes", int_("ended_at", null=True))
    op.add_column("processes", text_("ended_proof", null=True))
