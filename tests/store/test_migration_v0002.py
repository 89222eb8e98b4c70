"""Documents that were there before a document's head, customer and parents were kept get them from what was kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import gateway.store.migrate
from gateway.domain.queries import DocumentFilter, Visible
from gateway.store.migrate import migrate
from gateway.store.store import open_store

SCRIPTS = Path(gateway.store.migrate.__file__).parent / "migrations"
HEAD = {"company_code": "NW01", "document_type": "standard_order", "currency_code": "USD", "amount": "168.00"}


def _engine(url: str) -> AsyncEngine:
    driver = "sqlite+aiosqlite://" if url.startswith("sqlite") else "postgresql+asyncpg://"
    return create_async_engine(url.replace(url.partition("://")[0] + "://", driver))


def _to_v0001(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "v0001")


def _insert(connection: Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)  # noqa: S608


def _document(connection: Connection, name: str, domain: str, body: dict[str, Any] | None, **changes: Any) -> None:
    """A document as v0001 kept it, with its transaction and payload; masters were imported and have neither."""
    own = {
        "source": "crm",
        "external_id": name,
        "lineage_id": "lin_1",
        "business_unit": "U",
        "geography": "DE",
    } | changes
    made = body is not None
    _insert(
        connection,
        "documents",
        document_id=f"doc_{name}",
        domain=domain,
        transaction_id=f"txn_{name}" if made else None,
        payload_id=f"pay_{name}" if made else None,
        created_at=1,
        **own,
    )
    _insert(
        connection, "natural_keys", source=own["source"], domain=domain, external_id=name, document_id=f"doc_{name}"
    )
    if body is None:
        return
    _insert(connection, "payloads", payload_id=f"pay_{name}", salt=b"s", body=json.dumps(body).encode())
    _insert(
        connection,
        "transactions",
        transaction_id=f"txn_{name}",
        document_id=f"doc_{name}",
        domain=domain,
        operation="create",
        status="posted",
        client="crm",
        posting_date="1996-07-04",
        content_hash="",
        payload_id=f"pay_{name}",
        trace_id="",
        accepted_at=1,
        updated_at=1,
        entry_count=0,
        pinned=0,
        **HEAD,
        **own,
    )


def _fill(connection: Connection) -> None:
    _to_v0001(connection)
    _document(connection, "C", "customers", None, external_id="VINET")
    connection.execute(text("UPDATE natural_keys SET external_id = 'VINET' WHERE external_id = 'C'"))
    _insert(
        connection,
        "cross_references",
        document_id="doc_C",
        system_id="legacy-main",
        document_type="customer",
        document_number="900",
        valid_from=1,
    )
    number = {"systemId": "legacy-main", "documentType": "customer", "documentNumber": "900"}
    _document(connection, "O", "orders", {"customer": {"externalId": "VINET"}})
    _document(connection, "P", "orders", {"customer": {"erpNumber": number}}, external_id=None, source="portal")
    _document(connection, "I", "invoices", {"customer": {"documentId": "doc_C"}, "orderReference": {"externalId": "O"}})
    _document(
        connection,
        "K",
        "invoices",
        {"customer": {"externalId": "nobody"}, "invoiceReference": {"externalId": "I", "source": "crm"}},
        source="billing",
    )
    allocations = [{"invoiceReference": {"externalId": name, "source": "crm"}} for name in ("I", "missing")]
    _document(connection, "M", "payments", {"customer": {"externalId": "VINET"}, "allocations": allocations})


async def test_existing_documents_are_filled_in(store_url: str) -> None:
    engine = _engine(store_url)
    async with engine.begin() as connection:
        await connection.run_sync(_fill)
    await engine.dispose()
    await migrate(store_url)
    store = await open_store(store_url)
    try:
        everything = Visible()
        order = await store.reads.document("doc_O", everything)
        assert order is not None
        assert {name: getattr(order, name) for name in HEAD} == HEAD
        assert (order.posting_date, order.state, order.version, order.busy_with) == ("1996-07-04", "active", 1, None)
        customers = {}
        for name in "COPIKM":
            found = await store.reads.document(f"doc_{name}", everything)
            assert found is not None
            customers[name] = found.customer_id
        assert customers == {"C": None, "O": "doc_C", "P": "doc_C", "I": "doc_C", "K": None, "M": "doc_C"}
        where = DocumentFilter("orders", customer_id="doc_C")
        assert len(await store.reads.documents(where, everything, 10, None)) == 2
        followers = await store.write(lambda unit: unit.followers("doc_I"))
        assert [one.document_id for one in followers] == ["doc_K", "doc_M"]
        followers = await store.write(lambda unit: unit.followers("doc_O"))
        assert [one.document_id for one in followers] == ["doc_I"]
        transaction = await store.reads.transaction("txn_O", everything)
        assert transaction is not None
        assert transaction.base_payload_id is None
    finally:
        await store.close()
