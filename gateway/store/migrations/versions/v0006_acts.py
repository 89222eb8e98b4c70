"""Overlays set by people and monitors, and closed periods."""

from __future__ import annotations

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
