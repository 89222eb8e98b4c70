"""Tables of who asked what of the ledger, and who used which scope."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from gateway.store.columns import KEYED, WIDE, int_, text_
from gateway.store.schema import METADATA

ledger_accesses: Final = Table(
    "ledger_accesses",
    METADATA,
    text_("query_id", key=True),
    text_("kind"),
    text_("state"),
    text_("resource"),
    int_("asked_at"),
    text_("client"),
    text_("person"),
    text_("issuer"),
    text_("teams"),
    text_("payload_id"),
    int_("log_size"),
    int_("row_count"),
    text_("answer_hash", null=True),
    int_("ended_at", null=True),
    int_("entry_count"),
    Index(None, "asked_at"),
    **WIDE,
)

scope_uses: Final = Table(
    "scope_uses",
    METADATA,
    int_("hour_at", key=True),
    text_("scope", key=True),
    text_("client", key=True),
    text_("person", key=True),
    text_("issuer", key=True),
    text_("teams", key=True),
    int_("uses"),
    **KEYED,
)
