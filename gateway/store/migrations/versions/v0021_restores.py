"""When the record was restored from a back-up."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, int_

revision = "v0021"
down_revision = "v0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("restores", int_("restored_at", key=True), **KEYED)
