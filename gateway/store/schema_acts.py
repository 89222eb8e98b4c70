"""Tables of what is laid over the rules: overlays with their lifts, and periods."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_
from gateway.store.schema import METADATA

NOT_LIFTED: Final = "lifted_at IS NULL"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

overlays: Final = Table(
    "overlays",
    METADATA,
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
    partial_index("overlays_not_lifted", "overlay_id", where=NOT_LIFTED),
    **WIDE,
)

periods: Final = Table(
    "periods",
    METADATA,
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
