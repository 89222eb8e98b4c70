"""Tables of what is erased for whom, and of what must not be erased."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.columns import WIDE, int_, partial_index, text_
from gateway.store.schema import METADATA

UNFINISHED: Final = "state = 'approved'"
"""Written out, because a partial index serves only a query that has the very words of its condition."""

erasures: Final = Table(
    "erasures",
    METADATA,
    text_("erasure_id", key=True),
    text_("customer_id"),
    text_("state"),
    text_("payload_id"),
    int_("asked_at"),
    text_("asked_by"),
    text_("asked_person"),
    int_("approved_at", null=True),
    text_("approved_by", null=True),
    text_("approved_person", null=True),
    int_("finished_at", null=True),
    int_("erased"),
    int_("entry_count"),
    Index(None, "customer_id"),
    partial_index("erasures_unfinished", "erasure_id", where=UNFINISHED),
    **WIDE,
)

legal_holds: Final = Table(
    "legal_holds",
    METADATA,
    text_("hold_id", key=True),
    text_("customer_id", null=True),
    text_("lineage_id", null=True),
    text_("payload_id"),
    int_("set_at"),
    text_("set_by"),
    text_("set_person"),
    int_("lift_asked_at", null=True),
    text_("lift_asked_by", null=True),
    text_("lift_asked_person", null=True),
    text_("lift_payload_id", null=True),
    int_("lifted_at", null=True),
    text_("lifted_by", null=True),
    text_("lifted_person", null=True),
    int_("entry_count"),
    partial_index("legal_holds_of_customers", "customer_id", where="customer_id IS NOT NULL"),
    partial_index("legal_holds_of_lineages", "lineage_id", where="lineage_id IS NOT NULL"),
    **WIDE,
)
