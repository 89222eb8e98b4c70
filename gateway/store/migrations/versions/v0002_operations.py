"""Documents say what lists ask for, how they stand and what refers to what; transactions what they build on."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Index

from gateway.store.columns import KEYED, child_of, int_, partial_index, text_
from gateway.store.migrations.existing_documents import fill_in

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", text_("base_payload_id", null=True))
    for name in ("company_code", "document_type", "currency_code", "amount", "posting_date", "customer_id"):
        op.add_column("documents", text_(name, null=True))
    op.add_column("documents", text_("state", of_old="active"))
    op.add_column("documents", int_("version", of_old=1))
    op.add_column("documents", text_("busy_with", null=True))
    op.create_table(
        "relations",
        child_of("documents.document_id"),
        text_("field", key=True),
        text_("target_document_id"),
        text_("kind"),
        Index(None, "target_document_id"),
        **KEYED,
    )
    fill_in(op.get_bind())
    # after the rows are filled in, so that each index is built once
    op.create_index("transactions_by_document_id_transaction_id", "transactions", ["document_id", "transaction_id"])
    for name, columns, where in (
        ("documents_by_customer_id", ["domain", "customer_id", "document_id"], "customer_id IS NOT NULL"),
        ("documents_by_posting_date", ["domain", "posting_date"], "posting_date IS NOT NULL"),
        ("documents_undone", ["domain", "state", "document_id"], "state <> 'active'"),
    ):
        _partial(name, columns, where)


def _partial(name: str, columns: list[str], where: str) -> None:
    options = partial_index(name, where=where).dialect_options
    op.create_index(
        name,
        "documents",
        columns,
        sqlite_where=options["sqlite"]["where"],
        postgresql_where=options["postgresql"]["where"],
    )
