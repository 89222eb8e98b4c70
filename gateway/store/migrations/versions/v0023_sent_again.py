"""Postings that took more than one attempt, by system and time: they are looked at again."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "v0023"
down_revision = "v0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sent_again = text("state = 'posted' AND attempt > 1")
    op.create_index(
        "steps_sent_again",
        "steps",
        ["system_id", "dispatched_at"],
        sqlite_where=sent_again,
        postgresql_where=sent_again,
    )
