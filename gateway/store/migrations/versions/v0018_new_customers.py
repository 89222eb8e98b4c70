"""Customers that came with an order say for which one; what was accepted before such an order was posted says so."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import text_

revision = "v0018"
down_revision = "v0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", text_("new_customer_id", null=True))
    op.add_column("documents", text_("made_for", null=True))
