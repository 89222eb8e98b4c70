"""The files that came into force without a draft, as they were read."""

from __future__ import annotations

from alembic import op

from gateway.store.append_only import postgres_triggers, sqlite_triggers
from gateway.store.columns import WIDE, int_, text_

revision = "v0017"
down_revision = "v0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("rulebook_files", int_("activation_number", key=True), text_("files"), **WIDE)
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in sqlite_triggers("rulebook_files") if is_sqlite else postgres_triggers("rulebook_files"):
        op.execute(statement)
