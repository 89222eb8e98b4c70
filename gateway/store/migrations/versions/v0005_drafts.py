"""Drafts of rulebooks, who edited and approved them, and what was waived."""

from __future__ import annotations

revision = "v0005"
down_revision = "v0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
