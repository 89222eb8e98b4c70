"""The verifiable log: the index of each entry, its leader, its checkpoints."""

from __future__ import annotations

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
