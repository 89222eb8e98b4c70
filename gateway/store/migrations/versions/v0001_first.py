"""The first schema: transactions and what belongs to them, the ledger's entries, the outbox, processes, rulebooks."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index, UniqueConstraint

from gateway.store.append_only import postgres_triggers, sqlite_triggers
from gateway.store.columns import KEYED, WIDE, bytes_, child_of, int_, partial_index, position, text_

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN_STATUS = "status NOT IN ('posted', 'rejected', 'compensated', 'cancelled')"


def upgrade() -> None:
    op.create_table(
        "transactions",
        text_("transaction_id", key=True),
        text_("lineage_id"),
        text_("document_id"),
        text_("domain"),
        text_("operation"),
        text_("status"),
        text_("client"),
        text_("source"),
        text_("external_id", null=True),
        text_("business_unit"),
        text_("geography"),
        text_("company_code", null=True),
        text_("document_type", null=True),
        text_("currency_code", null=True),
        text_("amount", null=True),
        text_("posting_date", null=True),
        text_("content_hash"),
        text_("payload_id"),
        text_("trace_id"),
        text_("parent_transaction_id", null=True),
        text_("replaces", null=True),
        int_("accepted_at"),
        int_("updated_at"),
        int_("entry_count"),
        text_("system_id", null=True),
        text_("side", null=True),
        text_("stage", null=True),
        text_("table_version", null=True),
        text_("rule_row", null=True),
        int_("activation_number", null=True),
        int_("pinned"),
        text_("explanation", null=True),
        text_("erp_document_type", null=True),
        text_("erp_document_number", null=True),
        text_("problem", null=True),
        int_("retry_after_s", null=True),
        Index(None, "lineage_id", "transaction_id"),
        Index(None, "accepted_at"),
        partial_index("transactions_by_external_id", "external_id", where="external_id IS NOT NULL"),
        partial_index(
            "transactions_by_erp_document_number", "erp_document_number", where="erp_document_number IS NOT NULL"
        ),
        partial_index("transactions_open_by_status", "status", "transaction_id", where=_OPEN_STATUS),
        **WIDE,
    )
    op.create_table(
        "payloads",
        text_("payload_id", key=True),
        bytes_("salt"),
        bytes_("body", null=True),
        int_("erased_at", null=True),
        **WIDE,
    )
    op.create_table(
        "documents",
        text_("document_id", key=True),
        text_("domain"),
        text_("source"),
        text_("external_id", null=True),
        text_("lineage_id"),
        text_("transaction_id", null=True),
        text_("payload_id", null=True),
        text_("business_unit"),
        text_("geography"),
        int_("created_at"),
        Index(None, "lineage_id"),
        Index(None, "domain", "document_id"),
        partial_index("documents_by_external_id", "external_id", where="external_id IS NOT NULL"),
        **WIDE,
    )
    op.create_table(
        "natural_keys",
        text_("source", key=True),
        text_("domain", key=True),
        text_("external_id", key=True),
        text_("document_id"),
        text_("transaction_id", null=True),
        text_("content_hash", null=True),
        **KEYED,
    )
    op.create_table(
        "idempotency_keys",
        text_("client", key=True),
        text_("operation", key=True),
        text_("resource", key=True),
        text_("idempotency_key", key=True),
        text_("content_hash"),
        text_("transaction_id"),
        int_("created_at"),
        **KEYED,
    )
    op.create_table(
        "lineages",
        text_("lineage_id", key=True),
        text_("root_document_id"),
        int_("event_count"),
        **KEYED,
    )
    op.create_table(
        "pins",
        child_of("lineages.lineage_id"),
        text_("system_id"),
        text_("side"),
        text_("stage"),
        text_("rule_row", null=True),
        text_("table_version", null=True),
        int_("activation_number", null=True),
        int_("pinned_at"),
        **KEYED,
    )
    op.create_table(
        "steps",
        child_of("transactions.transaction_id"),
        int_("step", key=True),
        text_("direction", key=True),
        text_("system_id"),
        text_("external_reference"),
        text_("state"),
        int_("attempt"),
        int_("epoch"),
        text_("process_id"),
        int_("dispatched_at"),
        int_("closed_at", null=True),
        int_("inquiries"),
        int_("inquired_at", null=True),
        text_("document_type", null=True),
        text_("document_number", null=True),
        UniqueConstraint("external_reference"),
        **KEYED,
    )
    op.create_table(
        "cross_references",
        child_of("documents.document_id"),
        text_("system_id", key=True),
        text_("document_type", key=True),
        text_("document_number", key=True),
        int_("valid_from"),
        int_("valid_until", null=True),
        Index(None, "document_number", "document_type", "system_id"),
        **KEYED,
    )
    op.create_table(
        "jobs",
        child_of("transactions.transaction_id"),
        text_("lane"),
        int_("due_at"),
        int_("epoch"),
        text_("lease_owner", null=True),
        int_("lease_until"),
        text_("waiting_for", null=True),
        int_("tries"),
        Index(None, "due_at"),
        partial_index("jobs_by_waiting_for", "waiting_for", where="waiting_for IS NOT NULL"),
        **KEYED,
    )
    op.create_table(
        "ledger_entries",
        text_("trace", key=True),
        int_("seq", key=True),
        text_("kind"),
        int_("at"),
        text_("lineage_id", null=True),
        bytes_("body"),
        bytes_("leaf_hash"),
        **WIDE,
    )
    _append_only("ledger_entries")
    op.create_table(
        "outbox",
        position(),
        text_("event_id"),
        text_("lineage_id"),
        int_("sequence"),
        text_("subject"),
        bytes_("body"),
        text_("traceparent"),
        int_("created_at"),
        int_("published_at", null=True),
        int_("stream_sequence", null=True),
        UniqueConstraint("event_id"),
        UniqueConstraint("lineage_id", "sequence"),
        partial_index("outbox_unpublished_by_position", "position", where="published_at IS NULL"),
        partial_index("outbox_by_published_at", "published_at", where="published_at IS NOT NULL"),
        partial_index("outbox_by_stream_sequence", "stream_sequence", where="stream_sequence IS NOT NULL"),
        **WIDE,
    )
    op.create_table(
        "streams",
        text_("stream", key=True),
        int_("created_at"),
        int_("last_sequence"),
        **KEYED,
    )
    op.create_table(
        "processes",
        text_("process_id", key=True),
        text_("host"),
        text_("boot_id"),
        int_("pid"),
        text_("started"),
        int_("registered_at"),
        **KEYED,
    )
    op.create_table(
        "activations",
        int_("activation_number", key=True),
        text_("table_version"),
        text_("governance_version"),
        int_("activated_at"),
        text_("activated_by"),
        text_("rules"),
        text_("governance"),
        **WIDE,
    )
    _append_only("activations")


def _append_only(table: str) -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in sqlite_triggers(table) if is_sqlite else postgres_triggers(table):
        op.execute(statement)
