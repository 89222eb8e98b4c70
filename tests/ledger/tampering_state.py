"""What somebody with the database's password can do to the rows that the gateway works with."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from typing import Final

from tests.ledger.tampering_rows import Act, another, key_of, keyed

_OURS: Final = "document_id IN (SELECT document_id FROM documents WHERE transaction_id IS NOT NULL)"
"""Imported documents came without an entry."""

_STATE: Final[Sequence[tuple[str, str, Sequence[str]]]] = (
    (
        "transactions",
        "1",
        (
            *("status", "client", "document_id", "domain", "operation", "lineage_id", "external_id", "business_unit"),
            *("geography", "amount", "currency_code", "posting_date", "company_code", "document_type", "entry_count"),
            *("payload_id", "system_id", "stage", "table_version", "rule_row", "activation_number"),
            *("erp_document_type", "erp_document_number", "parent_transaction_id", "pinned"),
            *("side", "explanation", "replaces"),
        ),
    ),
    ("transactions", "operation = 'create'", ("content_hash",)),
    ("transactions", "status IN ('rejected', 'compensated')", ("problem",)),
    (
        "pins",
        "1",
        ("system_id", "lineage_id", "stage", "rule_row", "table_version", "activation_number", "side"),
    ),
    ("steps", "1", ("step", "state", "direction", "external_reference", "system_id", "document_number", "attempt")),
    ("lineages", "lineage_id IN (SELECT lineage_id FROM transactions)", ("root_document_id",)),
    ("exceptions", "1", ("owner_team",)),
    ("documents", "transaction_id IS NOT NULL", ("transaction_id", "customer_id")),
    ("ledger_entries", "1", ("kind", "at", "lineage_id", "trace", "seq")),
    (
        "documents",
        "transaction_id IN (SELECT transaction_id FROM transactions WHERE status = 'posted')",
        (
            *("state", "version", "payload_id", "amount", "currency_code", "posting_date", "company_code"),
            *("business_unit", "geography", "external_id", "source", "domain", "lineage_id"),
        ),
    ),
    ("cross_references", _OURS, ("system_id", "document_type", "document_number", "document_id")),
    (
        "natural_keys",
        "transaction_id IS NOT NULL",
        ("document_id", "external_id", "source", "domain", "transaction_id", "content_hash"),
    ),
    ("activations", "1", ("table_version", "governance_version", "activated_by", "rules", "governance")),
    ("activations", "1", ("activation_number",)),
    ("rules_state", "1", ("activation_number",)),
    ("payloads", "payload_id IN (SELECT payload_id FROM transactions)", ("body", "salt")),
)
"""What decides where and whether something is posted, by table: which rows entries tell of, and the columns."""


def change_a_field(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """Another value in a column that entries tell."""
    table, of, columns = chance.choice(_STATE)
    column = chance.choice(columns)
    return _alter(chance, rows, table, of, column)


def _alter(chance: random.Random, rows: sqlite3.Connection, table: str, of: str, column: str) -> str | None:
    found = rows.execute(f"SELECT rowid_, {column} FROM {keyed(table)} WHERE {of} AND {column} IS NOT NULL").fetchall()
    if not found:
        return None
    key, value = chance.choice(found)
    others = [other for _, other in found if other != value]
    fresh = chance.choice(others) if others and chance.random() < 0.5 else another(chance, value)
    fresh = 1 - value if column == "pinned" else fresh
    try:
        rows.execute(f"UPDATE {table} SET {column} = ? WHERE {key_of(table)} = ?", (fresh, key))
    except sqlite3.IntegrityError:  # a unique key stood in the way; the same tampering needs a free value
        return None
    return f"{table}.{column} from {value!r} to {fresh!r}"


def delete_a_row(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A row of the state is gone."""
    table, of, _ = chance.choice(_STATE)
    found = rows.execute(f"SELECT rowid_ FROM {keyed(table)} WHERE {of}").fetchall()
    if not found:
        return None
    rows.execute(f"DELETE FROM {table} WHERE {key_of(table)} = ?", chance.choice(found))
    return f"deleted from {table}"


def invent_a_number(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A document gets a number that no ERP gave it."""
    found = rows.execute(f"SELECT document_id, system_id FROM cross_references WHERE {_OURS}").fetchall()
    if not found:
        return None
    document, system = chance.choice(found)
    number = f"{chance.randrange(10**6):06d}X"
    rows.execute("INSERT INTO cross_references VALUES (?, ?, 'order', ?, 1, NULL)", (document, system, number))
    return "done"


def erase_silently(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A payload is emptied as an erasure does it, without an entry."""
    found = rows.execute("SELECT payload_id FROM transactions").fetchall()
    rows.execute("UPDATE payloads SET body = NULL, erased_at = 5 WHERE payload_id = ?", chance.choice(found))
    return "done"


def pin_silently(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A lineage gets a pin that no entry tells."""
    found = rows.execute(
        "SELECT lineage_id FROM lineages"
        " WHERE lineage_id LIKE 'lin%' AND lineage_id NOT IN (SELECT lineage_id FROM pins)"
    ).fetchall()
    if not found:
        return None
    rows.execute(
        "INSERT INTO pins VALUES (?, 'cloud-main', 'cloud', 'live', NULL, NULL, NULL, 1)", chance.choice(found)
    )
    return "done"


_TIMES: Final[Sequence[tuple[str, str, str]]] = (
    ("transactions", "accepted_at", "1"),
    ("pins", "pinned_at", "1"),
    ("documents", "created_at", "transaction_id IS NOT NULL AND domain NOT IN ('customers', 'products')"),
    ("exceptions", "opened_at", "1"),
)
AN_HOUR: Final = 3_600_000_000


def move_a_time(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """Something was an hour earlier or later."""
    table, column, of = chance.choice(_TIMES)
    found = rows.execute(f"SELECT rowid_ FROM {keyed(table)} WHERE {of}").fetchall()
    if not found:
        return None
    (key,), by = chance.choice(found), chance.choice([-AN_HOUR, AN_HOUR])
    rows.execute(f"UPDATE {table} SET {column} = {column} + ? WHERE {key_of(table)} = ?", (by, key))
    return f"{table}.{column}"


_FREE: Final[Sequence[tuple[str, str, str]]] = (
    ("transactions", "problem", "status = 'posted'"),
    ("exceptions", "owner_person", "1"),
    ("exceptions", "closed_at", "state = 'open'"),
    ("transactions", "replaces", "replaces IS NULL"),
    ("documents", "customer_id", "domain = 'customers' AND transaction_id IS NOT NULL"),
)
_TOLD: Final[Sequence[tuple[str, str, str]]] = (
    ("transactions", "problem", "status = 'rejected'"),
    ("transactions", "side", "side IS NOT NULL"),
    ("transactions", "explanation", "explanation IS NOT NULL"),
    ("documents", "customer_id", "customer_id IS NOT NULL"),
    ("documents", "transaction_id", "transaction_id IS NOT NULL"),
    ("natural_keys", "content_hash", "content_hash IS NOT NULL"),
    ("exceptions", "owner_team", "owner_team IS NOT NULL"),
    ("exceptions", "closed_at", "state = 'closed'"),
    ("pins", "rule_row", "rule_row IS NOT NULL"),
    ("steps", "document_number", "state = 'posted'"),
)


def fill_or_empty(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A column has a value that nobody told, or none where one was told."""
    empties = chance.random() < 0.6
    table, column, of = chance.choice(_TOLD if empties else _FREE)
    found = rows.execute(f"SELECT rowid_ FROM {keyed(table)} WHERE {of}").fetchall()
    if not found:
        return None
    value = None if empties else 5 if column == "closed_at" else "invented"
    rows.execute(f"UPDATE {table} SET {column} = ? WHERE {key_of(table)} = ?", (value, *chance.choice(found)))
    return f"{table}.{column} is {value}"


def add_a_key(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A document gets a second name, by which another request is taken for its repeat."""
    found = rows.execute("SELECT domain, document_id, transaction_id, content_hash FROM natural_keys").fetchall()
    rows.execute(
        "INSERT INTO natural_keys (source, domain, external_id, document_id, transaction_id, content_hash)"
        " VALUES ('elsewhere', ?, 'second name', ?, ?, ?)",
        chance.choice(found),
    )
    return "done"


STATE_ACTS: Sequence[Act] = (
    change_a_field,
    delete_a_row,
    invent_a_number,
    erase_silently,
    pin_silently,
    move_a_time,
    fill_or_empty,
    add_a_key,
)
