"""Data subjects, legal holds, retention."""

from __future__ import annotations

revision = "v0016"
down_revision = "v0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
