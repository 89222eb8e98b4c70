"""Transactions say of which customer they are, also when their document was sent again for another one."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import text_
from gateway.store.earlier_customers import postgres_keeping, sqlite_keeping
from gateway.store.migrations.existing_customers import SentAgain

revision = "v0029"
down_revision = "v0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    again = SentAgain()
    # before the column: with it comes a lock, for which other processes wait
    again.look(op.get_bind())
    op.add_column("transactions", text_("customer_id", null=True))
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in sqlite_keeping() if is_sqlite else postgres_keeping():
        op.execute(statement)
    again.look(op.get_bind())
    again.fill_in(op.get_bind())
