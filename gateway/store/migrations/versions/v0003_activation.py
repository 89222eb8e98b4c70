"""What is in force, by number, and which processes have it loaded."""

from __future__ import annotations

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
