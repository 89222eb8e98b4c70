"""Who used which operation of the API, in which version."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, int_, text_

revision = "v0020"
down_revision = "v0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_uses",
        int_("hour_at", key=True),
        text_("client", key=True),
        text_("source", key=True),
        text_("api_version", key=True),
        text_("operation_id", key=True),
        text_("outcome", key=True),
        int_("uses"),
        **KEYED,
    )
