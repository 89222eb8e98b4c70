"""Evidence of slices: what was adopted, tied out and signed."""

from __future__ import annotations

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
