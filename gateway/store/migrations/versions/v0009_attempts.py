"""Steps say until when an earlier attempt may still be executed."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import int_

revision = "v0009"
down_revision = "v0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("steps", int_("earlier_until", null=True))
