"""What an ERP said of an exception before its newest words: no payload is without a row that leads to it."""

from __future__ import annotations

from alembic import op

from gateway.store.append_only import postgres_triggers, sqlite_triggers
from gateway.store.columns import KEYED, child_of, text_
from gateway.store.earlier_words import postgres_keeping, sqlite_keeping
from gateway.store.migrations.existing_words import Finds

revision = "v0026"
down_revision = "v0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    finds = Finds()
    # before the table and its triggers: with these comes a lock, for which writers of other processes wait
    finds.look(op.get_bind())
    op.create_table(
        "earlier_words",
        child_of("exceptions.exception_id"),
        text_("payload_id", key=True),
        **KEYED,
    )
    if op.get_context().dialect.name == "sqlite":
        statements = [*sqlite_triggers("earlier_words"), *sqlite_keeping()]
    else:
        statements = [*postgres_triggers("earlier_words"), *postgres_keeping()]
    for statement in statements:
        op.execute(statement)
    # what was written beside the first look; nobody writes beside this one, and afterwards the trigger keeps
    finds.look(op.get_bind())
    finds.write_down(op.get_bind())
