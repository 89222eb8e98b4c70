"""The verifiable log: the index of each entry, its leader, its checkpoints."""

from __future__ import annotations

from alembic import op
from sqlalchemy import UniqueConstraint

from gateway.store.append_only import postgres_triggers, sqlite_triggers
from gateway.store.columns import KEYED, WIDE, bytes_, int_, text_

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None

_GROWING = ("log_entries", "log_tiles", "log_announcements")


def upgrade() -> None:
    op.create_table(
        "log_leader",
        text_("log", key=True),
        int_("epoch"),
        text_("process_id"),
        int_("lease_until"),
        bytes_("frontier"),
        **KEYED,
    )
    op.create_table("log_pending", text_("trace", key=True), int_("seq", key=True), **KEYED)
    op.create_table(
        "log_entries",
        int_("log_index", key=True),
        text_("trace"),
        int_("seq"),
        UniqueConstraint("trace", "seq"),
        **WIDE,
    )
    op.create_table(
        "log_tiles",
        int_("tile_level", key=True),
        int_("tile_index", key=True),
        bytes_("root"),
        bytes_("hashes"),
        **WIDE,
    )
    op.create_table("log_checkpoints", text_("origin", key=True), int_("size", key=True), bytes_("note"), **KEYED)
    op.create_table(
        "log_announcements", text_("origin", key=True), int_("key_number", key=True), bytes_("note"), **KEYED
    )
    dialect = op.get_bind().dialect.name
    triggers = sqlite_triggers if dialect == "sqlite" else postgres_triggers
    for table in _GROWING:
        for statement in triggers(table):
            op.execute(statement)
    # what was written before waits for its place like what is written from now on
    op.execute("INSERT INTO log_pending (trace, seq) SELECT trace, seq FROM ledger_entries")
