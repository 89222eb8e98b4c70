"""Simulations on recorded traffic, and what a dark candidate would have decided."""

from __future__ import annotations

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
