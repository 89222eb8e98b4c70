"""The tables: one per record of `gateway.domain.records`, a column per field, in the same order.

Three column types only, so that both databases give the same Python values: INTEGER (64 bits), TEXT (on PostgreSQL
ordered by bytes, as SQLite does; the order of ids is the order of time), BLOB. SQLite's tables are STRICT. Tables
whose rows are little more than their key are kept in the key's own tree there (WITHOUT ROWID).

A foreign key stands only where the child is never written before its parent, and none is deferred: on SQLite a
deferred one would fail the COMMIT, and with it the units of others.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, MetaData, Table, UniqueConstraint

from gateway.store.append_only import append_only
from gateway.store.columns import KEYED, WIDE, bytes_, child_of, int_, partial_index, position, text_
from gateway.store.earlier_customers import keep_earlier_customers
from gateway.store.index_conditions import (
    FREE_JOB,
    OPEN_STATUS,
    POSTED_TWICE,
    ROUTED_KIND,
    SENT_AGAIN,
    UNDONE_STATE,
)
from gateway.store.partitions import RANGE, with_standing_parts

_NAMES: Final = {"ix": "by_%(column_0_N_name)s", "uq": "one_%(column_0_N_name)s", "fk": "%(column_0_name)s_there"}
METADATA: Final = MetaData(
    naming_convention={kind: f"%(table_name)s_{name}" for kind, name in (_NAMES | {"pk": "key"}).items()}
)

transactions: Final = Table(
    "transactions",
    METADATA,
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
    text_("base_payload_id", null=True),
    text_("exception_id", null=True),
    text_("legs", null=True),
    text_("new_customer_id", null=True),
    text_("customer_id", null=True),
    Index(None, "lineage_id", "transaction_id"),
    Index(None, "document_id", "transaction_id"),  # ids are time-ordered: most inserts go to the index's end
    Index(None, "accepted_at"),
    partial_index("transactions_by_external_id", "external_id", where="external_id IS NOT NULL"),
    partial_index(
        "transactions_by_erp_document_number", "erp_document_number", where="erp_document_number IS NOT NULL"
    ),
    partial_index("transactions_open_by_status", "status", "transaction_id", where=OPEN_STATUS),
    **WIDE,
)

payloads: Final = Table(
    "payloads",
    METADATA,
    text_("payload_id", key=True),
    bytes_("salt"),
    bytes_("body", null=True),
    int_("erased_at", null=True),
    **WIDE,
)

documents: Final = Table(
    "documents",
    METADATA,
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
    text_("company_code", null=True),
    text_("document_type", null=True),
    text_("currency_code", null=True),
    text_("amount", null=True),
    text_("posting_date", null=True),
    text_("customer_id", null=True),
    text_("state", of_old="active"),
    int_("version", of_old=1),
    text_("busy_with", null=True),
    text_("made_for", null=True),
    Index(None, "lineage_id"),
    Index(None, "domain", "document_id"),
    partial_index("documents_by_external_id", "external_id", where="external_id IS NOT NULL"),
    # Two that every document pays for: a customer's documents, and those of a period. The other conditions of a list
    # sift the pages of these or of the domain; what was cancelled or reversed is rare and costs the rest nothing.
    partial_index("documents_by_customer_id", "domain", "customer_id", "document_id", where="customer_id IS NOT NULL"),
    partial_index("documents_by_posting_date", "domain", "posting_date", where="posting_date IS NOT NULL"),
    # What an auditor who has a sum only goes by.
    partial_index("documents_by_amount", "amount", "document_id", where="amount IS NOT NULL"),
    partial_index("documents_undone", "domain", "state", "document_id", where=UNDONE_STATE),
    **WIDE,
)
keep_earlier_customers(documents)

relations: Final = Table(
    "relations",
    METADATA,
    child_of("documents.document_id"),
    text_("field", key=True),
    text_("target_document_id"),
    text_("kind"),
    text_("amount", null=True),
    Index(None, "target_document_id"),
    **KEYED,
)

natural_keys: Final = Table(
    "natural_keys",
    METADATA,
    text_("source", key=True),
    text_("domain", key=True),
    text_("external_id", key=True),
    text_("document_id"),
    text_("transaction_id", null=True),
    text_("content_hash", null=True),
    **KEYED,
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    METADATA,
    text_("client", key=True),
    text_("operation", key=True),
    text_("resource", key=True),
    text_("idempotency_key", key=True),
    text_("content_hash"),
    text_("transaction_id"),
    int_("created_at"),
    **KEYED,
)

lineages: Final = Table(
    "lineages",
    METADATA,
    text_("lineage_id", key=True),
    text_("root_document_id"),
    int_("event_count"),
    **KEYED,
)

pins: Final = Table(
    "pins",
    METADATA,
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

steps: Final = Table(
    "steps",
    METADATA,
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
    int_("earlier_until", null=True),
    text_("posting_date", null=True),
    text_("problem", null=True),
    int_("once_unknown", of_old=1),
    int_("twice_at", null=True),
    UniqueConstraint("external_reference"),
    partial_index("steps_sent_again", "system_id", "dispatched_at", "transaction_id", where=SENT_AGAIN),
    partial_index("steps_posted_twice", "system_id", "twice_at", where=POSTED_TWICE),
    **KEYED,
)

cross_references: Final = Table(
    "cross_references",
    METADATA,
    child_of("documents.document_id"),
    text_("system_id", key=True),
    text_("document_type", key=True),
    text_("document_number", key=True),
    int_("valid_from"),
    int_("valid_until", null=True),
    Index(None, "document_number", "document_type", "system_id"),
    **KEYED,
)

jobs: Final = Table(
    "jobs",
    METADATA,
    child_of("transactions.transaction_id"),
    text_("lane"),
    int_("due_at"),
    int_("epoch"),
    text_("lease_owner", null=True),
    int_("lease_until"),
    text_("waiting_for", null=True),
    int_("tries"),
    int_("priority", of_old=3),
    text_("system_id", of_old=""),
    int_("enqueued_at", of_old=0),
    partial_index("jobs_free", "lane", "system_id", "priority", "due_at", where=FREE_JOB),
    partial_index("jobs_leased", "lease_until", where="lease_owner IS NOT NULL"),
    partial_index("jobs_by_waiting_for", "waiting_for", where="waiting_for IS NOT NULL"),
    partial_index("jobs_waiting_by_due_at", "due_at", where="waiting_for IS NOT NULL"),
    **KEYED,
)

ledger_entries: Final = Table(
    "ledger_entries",
    METADATA,
    text_("trace", key=True),
    int_("seq", key=True),
    text_("kind"),
    int_("at"),
    text_("lineage_id", null=True),
    bytes_("body"),
    bytes_("leaf_hash"),
    # No index by lineage: a lineage has few transactions, and each has its trace; an index here costs every entry.
    # Recorded traffic is read by time: one entry of a transaction pays for that, and goes to the index's end.
    partial_index("ledger_entries_routed", "at", "trace", "seq", where=ROUTED_KIND),
    postgresql_partition_by=RANGE,
    **WIDE,
)
append_only(ledger_entries)
with_standing_parts(ledger_entries)

outbox: Final = Table(
    "outbox",
    METADATA,
    # Given by the database while the unit holds the lineage's row: by position is by sequence within a lineage.
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

streams: Final = Table(
    "streams",
    METADATA,
    text_("stream", key=True),
    int_("created_at"),
    int_("last_sequence"),
    **KEYED,
)
