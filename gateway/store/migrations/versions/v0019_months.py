"""The ledger's entries in a table for each month on PostgreSQL; which months were taken out.

The entries are copied once, inside the step: it needs room for them a second time, and nobody reads or writes them
meanwhile (docs/operations.md, 'Months of the ledger').
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Connection, text

from gateway.store.append_only import postgres_triggers
from gateway.store.columns import WIDE, bytes_, int_, text_
from gateway.store.months import months_coming, months_written
from gateway.store.partitions import AHEAD, month_made, standing_parts

revision = "v0019"
down_revision = "v0018"
branch_labels = None
depends_on = None

_WHOLE = "ledger_entries_whole"
_TABLE = """
CREATE TABLE ledger_entries (
    trace TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    lineage_id TEXT COLLATE "C",
    body BYTEA NOT NULL,
    leaf_hash BYTEA NOT NULL,
    CONSTRAINT ledger_entries_key PRIMARY KEY (trace, seq)
) PARTITION BY RANGE (trace)
"""


def upgrade() -> None:
    op.create_table(
        "archived_months",
        text_("month", key=True),
        int_("detached_at"),
        int_("entries"),
        bytes_("manifest"),
        bytes_("told"),
        **WIDE,
    )
    if op.get_context().dialect.name != "sqlite":
        _part(op.get_bind())


def _part(connection: Connection) -> None:
    connection.execute(text("LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE"))
    for statement in (
        "DROP TRIGGER ledger_entries_no_change ON ledger_entries",
        "DROP TRIGGER ledger_entries_no_truncate ON ledger_entries",
        "DROP FUNCTION ledger_entries_only_grows()",
        f"ALTER TABLE ledger_entries RENAME TO {_WHOLE}",
        f"ALTER INDEX ledger_entries_routed RENAME TO {_WHOLE}_routed",
        *_names_freed(connection),
        _TABLE,
        *postgres_triggers("ledger_entries"),
        *standing_parts(),
    ):
        connection.execute(text(statement))
    for month in sorted({*months_written(connection, _WHOLE), *months_coming(connection, AHEAD)}):
        for statement in month_made(month):
            connection.execute(text(statement))
    columns = "trace, seq, kind, at, lineage_id, body, leaf_hash"
    copied = connection.execute(
        text(f"INSERT INTO ledger_entries ({columns}) SELECT {columns} FROM {_WHOLE}")  # noqa: S608  names of ours
    ).rowcount
    there = connection.execute(text(f"SELECT count(*) FROM {_WHOLE}")).scalar_one()  # noqa: S608  a name of ours
    if copied != there:
        raise RuntimeError(f"{there} entries, {copied} copied: nothing was changed")
    connection.execute(
        text("CREATE INDEX ledger_entries_routed ON ledger_entries (at, trace, seq) WHERE kind = 'routed'")
    )
    connection.execute(text(f"DROP TABLE {_WHOLE}"))
    connection.execute(text("ANALYZE ledger_entries"))


def _names_freed(connection: Connection) -> list[str]:
    """From version 18 of PostgreSQL on, NOT NULL has a name too."""
    names = connection.execute(
        text("SELECT conname FROM pg_constraint WHERE conrelid = CAST('ledger_entries' AS regclass)")
    ).scalars()
    return [
        f"ALTER TABLE {_WHOLE} RENAME CONSTRAINT {name} TO {_WHOLE}_{name.removeprefix('ledger_entries_')}"
        for name in names
    ]
