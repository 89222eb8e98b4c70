"""Overlays set by people and monitors, and closed periods."""

from __future__ import annotations

from alembic import op

from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables; nothing is laid over the rules yet."""
    op.create_table(
        "overlays",
        text_("overlay_id", key=True),
        text_("overlay"),
        text_("domain"),
        text_("business_unit"),
        text_("geography"),
        int_("set_at"),
        text_("set_by"),
        text_("person", null=True),
        text_("payload_id"),
        int_("expected_until", null=True),
        int_("lift_asked_at", null=True),
        text_("lift_asked_by", null=True),
        text_("lift_asked_person", null=True),
        text_("lift_payload_id", null=True),
        int_("lifted_at", null=True),
        text_("lifted_by", null=True),
        text_("lifted_person", null=True),
        int_("entry_count"),
        partial_index("overlays_not_lifted", "overlay_id", where="lifted_at IS NULL"),
        **WIDE,
    )
    op.create_table(
        "periods",
        text_("company_code", key=True),
        text_("period", key=True),
        text_("trace"),
        text_("starts"),
        text_("ends"),
        text_("state"),
        int_("acted_at"),
        text_("acted_by"),
        text_("person", null=True),
        text_("payload_id", null=True),
        int_("tied_out_at", null=True),
        text_("tie_out_id", null=True),
        int_("tie_out_voided_at", null=True),
        int_("entry_count"),
        **KEYED,
    )
