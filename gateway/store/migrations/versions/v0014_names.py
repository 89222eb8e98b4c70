"""Documents by any of their names, the index of the ledger's entries, and the access log."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index, text

from gateway.store.columns import KEYED, WIDE, int_, partial_index, text_

revision = "v0014"
down_revision = "v0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    has_amount = text("amount IS NOT NULL")
    op.create_index(
        "documents_by_amount",
        "documents",
        ["amount", "document_id"],
        sqlite_where=has_amount,
        postgresql_where=has_amount,
    )
    op.add_column("log_checkpoints", int_("kept_at", null=True))
    op.create_index("log_checkpoints_by_origin_kept_at", "log_checkpoints", ["origin", "kept_at"])
    op.create_table("indexed_until", text_("log", key=True), int_("size"), **KEYED)
    op.create_table(
        "indexed_entries",
        int_("log_index", key=True),
        int_("at"),
        text_("kind"),
        text_("actor"),
        text_("system_id", null=True),
        text_("rule_row", null=True),
        text_("table_version", null=True),
        int_("activation_number", null=True),
        text_("domain", null=True),
        text_("business_unit", null=True),
        text_("geography", null=True),
        text_("company_code", null=True),
        text_("operation", null=True),
        text_("persons", null=True),
        text_("currency_code", null=True),
        int_("amount_units", null=True),
        int_("amount_millionths", null=True),
        **WIDE,
    )
    op.create_table("indexed_terms", text_("term", key=True), int_("block", key=True), **KEYED)
    op.create_table("indexed_blocks", int_("block", key=True), int_("at_first"), int_("at_last"), **WIDE)
    op.create_table(
        "indexed_transactions",
        text_("trace", key=True),
        int_("first_index"),
        int_("ended_index", null=True),
        partial_index("indexed_transactions_open", "first_index", where="ended_index IS NULL"),
        partial_index("indexed_transactions_ended", "ended_index", "first_index", where="ended_index IS NOT NULL"),
        **KEYED,
    )
    op.create_table(
        "ledger_accesses",
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
    op.create_table(
        "scope_uses",
        int_("hour_at", key=True),
        text_("scope", key=True),
        text_("client", key=True),
        text_("person", key=True),
        text_("issuer", key=True),
        text_("teams", key=True),
        int_("uses"),
        **KEYED,
    )
