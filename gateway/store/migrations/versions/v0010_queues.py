"""Jobs say which system they go to, how urgent they are and since when they wait."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from gateway.store.columns import int_, text_

revision = "v0010"
down_revision = "v0009"
branch_labels = None
depends_on = None

_FREE = "lease_owner IS NULL AND waiting_for IS NULL"
_LEASED = "lease_owner IS NOT NULL"
_WAITING = "waiting_for IS NOT NULL"


def upgrade() -> None:
    op.add_column("jobs", int_("priority", of_old=3))
    op.add_column("jobs", text_("system_id", of_old=""))
    op.add_column("jobs", int_("enqueued_at", of_old=0))
    op.execute(
        "UPDATE jobs SET"
        " system_id = COALESCE("
        "(SELECT t.system_id FROM transactions t WHERE t.transaction_id = jobs.transaction_id), ''),"
        " enqueued_at = (SELECT t.accepted_at FROM transactions t WHERE t.transaction_id = jobs.transaction_id)"
    )
    op.drop_index("jobs_by_due_at", "jobs")
    _index("jobs_free", "lane", "system_id", "priority", "due_at", where=_FREE)
    _index("jobs_leased", "lease_until", where=_LEASED)
    _index("jobs_waiting_by_due_at", "due_at", where=_WAITING)


def _index(name: str, *columns: str, where: str) -> None:
    op.create_index(name, "jobs", list(columns), sqlite_where=text(where), postgresql_where=text(where))
