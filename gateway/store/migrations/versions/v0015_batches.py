"""Batches, and the intake from NATS."""

from __future__ import annotations

revision = "v0015"
down_revision = "v0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
