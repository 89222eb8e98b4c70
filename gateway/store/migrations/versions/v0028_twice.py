"""Steps say whether an attempt before the last may have posted too, and which stand in their ERP several times."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from gateway.store.columns import int_

revision = "v0028"
down_revision = "v0026"
branch_labels = None
depends_on = None

_SENT_AGAIN = "state = 'posted' AND attempt > 1 AND once_unknown = 1"
_POSTED_TWICE = "twice_at IS NOT NULL"


def upgrade() -> None:
    # nobody noted it of those that are there: each that was sent again is looked at
    op.add_column("steps", int_("once_unknown", of_old=1))
    op.add_column("steps", int_("twice_at", null=True))
    op.drop_index("steps_sent_again", "steps")
    _index("steps_sent_again", "system_id", "dispatched_at", "transaction_id", where=_SENT_AGAIN)
    _index("steps_posted_twice", "system_id", "twice_at", where=_POSTED_TWICE)


def _index(name: str, *columns: str, where: str) -> None:
    op.create_index(name, "steps", list(columns), sqlite_where=text(where), postgresql_where=text(where))
