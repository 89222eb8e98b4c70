"""Transactions that have ended, by the class of their length in entries: found as of any place of the log."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "v0022"
down_revision = "v0021"
branch_labels = None
depends_on = None

_CLASS = (
    "(CASE WHEN ended_index - first_index < 64 THEN 0 WHEN ended_index - first_index < 512 THEN 1 "
    "WHEN ended_index - first_index < 4096 THEN 2 WHEN ended_index - first_index < 32768 THEN 3 "
    "WHEN ended_index - first_index < 262144 THEN 4 WHEN ended_index - first_index < 2097152 THEN 5 "
    "WHEN ended_index - first_index < 16777216 THEN 6 ELSE 7 END)"
)


def upgrade() -> None:
    ended = text("ended_index IS NOT NULL")
    op.create_index(
        "indexed_transactions_by_length",
        "indexed_transactions",
        [text(_CLASS), "first_index", "ended_index"],
        sqlite_where=ended,
        postgresql_where=ended,
    )
    op.drop_index("indexed_transactions_ended", "indexed_transactions")
