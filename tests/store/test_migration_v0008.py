"""Payments that were there before the amounts of allocations were kept get them from their content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

import gateway.store.migrate
from gateway.store.migrate import migrate

SCRIPTS = Path(gateway.store.migrate.__file__).parent / "migrations"


def _to_v0007(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "v0007")


def _insert(connection: Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)  # noqa: S608


def _payment(connection: Connection, name: str, body: bytes | None) -> None:
    _insert(connection, "payloads", payload_id=f"pay_{name}", salt=b"s", body=body)
    _insert(
        connection,
        "documents",
        document_id=f"doc_{name}",
        domain="payments",
        source="crm",
        lineage_id="lin_1",
        payload_id=f"pay_{name}",
        business_unit="U",
        geography="DE",
        created_at=1,
    )
    for place in (0, 1):
        _insert(
            connection,
            "relations",
            document_id=f"doc_{name}",
            field=f"allocations[{place}].invoiceReference",
            target_document_id="doc_i",
            kind="follows",
        )


def _fill(connection: Connection) -> None:
    _to_v0007(connection)
    body = {"allocations": [{"amount": "12.50"}, {"amount": "7"}]}
    _payment(connection, "kept", json.dumps(body).encode())
    _payment(connection, "erased", None)


async def test_allocations_get_their_amounts(store_url: str) -> None:
    driver = "sqlite+aiosqlite://" if store_url.startswith("sqlite") else "postgresql+asyncpg://"
    engine = create_async_engine(store_url.replace(store_url.partition("://")[0] + "://", driver))
    async with engine.begin() as connection:
        await connection.run_sync(_fill)
    await migrate(store_url)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT document_id, field, amount FROM relations ORDER BY 1, 2"))
        found = [(document, field[12], amount) for document, field, amount in rows]
    await engine.dispose()
    assert found == [
        ("doc_erased", "0", None),
        ("doc_erased", "1", None),
        ("doc_kept", "0", "12.50"),
        ("doc_kept", "1", "7"),
    ]
