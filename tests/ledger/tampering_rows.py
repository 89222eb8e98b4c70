"""What somebody with the database's password can do to its rows: acts of tampering, each on one row or two."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

import rfc8785

from gateway.ledger.hashing import leaf_hash

Act = Callable[[random.Random, sqlite3.Connection], str | None]
"""Does it, and says what; None where this database has nothing to do it to."""

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
        ),
    ),
    ("transactions", "operation = 'create'", ("content_hash",)),
    ("pins", "1", ("system_id", "lineage_id")),
    (
        "documents",
        "transaction_id IN (SELECT transaction_id FROM transactions WHERE status = 'posted')",
        (
            *("state", "version", "payload_id", "amount", "currency_code", "posting_date", "company_code"),
            *("business_unit", "geography", "external_id", "source", "domain", "lineage_id"),
        ),
    ),
    ("cross_references", _OURS, ("system_id", "document_type", "document_number", "document_id")),
    ("natural_keys", "transaction_id IS NOT NULL", ("document_id", "external_id", "source", "domain")),
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
    found = rows.execute(f"SELECT rowid_, {column} FROM {_keyed(table)} WHERE {of} AND {column} IS NOT NULL").fetchall()
    if not found:
        return None
    key, value = chance.choice(found)
    others = [other for _, other in found if other != value]
    fresh = chance.choice(others) if others and chance.random() < 0.5 else _another(chance, value)
    fresh = 1 - value if column == "pinned" else fresh
    try:
        rows.execute(f"UPDATE {table} SET {column} = ? WHERE {_key(table)} = ?", (fresh, key))
    except sqlite3.IntegrityError:  # a unique key stood in the way; the same tampering needs a free value
        return None
    return f"{table}.{column} from {value!r} to {fresh!r}"


_KEYS: Final = {
    "transactions": "transaction_id",
    "pins": "lineage_id",
    "documents": "document_id",
    "cross_references": "document_id || '/' || system_id || '/' || document_type || '/' || document_number",
    "activations": "activation_number",
    "rules_state": "state_id",
    "natural_keys": "source || '/' || domain || '/' || external_id",
    "payloads": "payload_id",
    "ledger_entries": "trace || '/' || seq",
    "log_entries": "log_index",
}


def _key(table: str) -> str:
    return _KEYS[table]


def _keyed(table: str) -> str:
    return f"(SELECT {_key(table)} AS rowid_, * FROM {table})"


def _another(chance: random.Random, value: Any) -> Any:
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 7]) if value > 1 else value + chance.choice([1, 7])
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    at = chance.randrange(len(value)) if value else 0
    return value[:at] + chance.choice([c for c in "abcXYZ0123456789" if c != value[at : at + 1]]) + value[at + 1 :]


def delete_a_row(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """A row of the state is gone."""
    table, of, _ = chance.choice(_STATE)
    found = rows.execute(f"SELECT rowid_ FROM {_keyed(table)} WHERE {of}").fetchall()
    if not found:
        return None
    rows.execute(f"DELETE FROM {table} WHERE {_key(table)} = ?", chance.choice(found))
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


def rewrite_an_entry(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """An entry tells something else; with the hash of the new bytes, or with the old one."""
    trace, seq, body = chance.choice(rows.execute("SELECT trace, seq, body FROM ledger_entries").fetchall())
    told = json.loads(body)
    member = chance.choice(sorted(set(told) - {"v"}))
    told[member] = "altered"
    fresh = rfc8785.dumps(told)
    hashed = ", leaf_hash = ?" if chance.random() < 0.7 else ""
    values = (fresh, leaf_hash(fresh)) if hashed else (fresh,)
    rows.execute(f"UPDATE ledger_entries SET body = ?{hashed} WHERE trace = ? AND seq = ?", (*values, trace, seq))
    return "done"


def flip_an_entry(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """One bit of an entry or of its hash."""
    column = chance.choice(["body", "leaf_hash"])
    trace, seq, value = chance.choice(rows.execute(f"SELECT trace, seq, {column} FROM ledger_entries").fetchall())
    rows.execute(
        f"UPDATE ledger_entries SET {column} = ? WHERE trace = ? AND seq = ?", (_another(chance, value), trace, seq)
    )
    return "done"


def delete_an_entry(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """An entry is gone, with its place or without."""
    trace, seq = chance.choice(rows.execute("SELECT trace, seq FROM ledger_entries").fetchall())
    rows.execute("DELETE FROM ledger_entries WHERE trace = ? AND seq = ?", (trace, seq))
    if chance.random() < 0.5:
        rows.execute("DELETE FROM log_entries WHERE trace = ? AND seq = ?", (trace, seq))
    return "done"


def delete_a_trace(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """All of a transaction is gone: its entries with their places, and its rows."""
    (trace,) = chance.choice(rows.execute("SELECT transaction_id FROM transactions").fetchall())
    for table in ("ledger_entries", "log_entries"):
        rows.execute(f"DELETE FROM {table} WHERE trace = ?", (trace,))
    for table in ("steps", "jobs", "transactions"):
        rows.execute(f"DELETE FROM {table} WHERE transaction_id = ?", (trace,))
    return "done"


def insert_an_entry(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """An entry is put in that was never there, with a place of its own or without one."""
    trace, seq = chance.choice(rows.execute("SELECT trace, max(seq) FROM ledger_entries GROUP BY trace").fetchall())
    body = rfc8785.dumps({"v": 1, "at": 1, "trace": trace, "seq": seq + 1, "kind": "released", "actor": "gateway"})
    rows.execute(
        "INSERT INTO ledger_entries (trace, seq, kind, at, lineage_id, body, leaf_hash)"
        " VALUES (?, ?, 'released', 1, NULL, ?, ?)",
        (trace, seq + 1, body, leaf_hash(body)),
    )
    # the trigger that marks new entries was taken away; some put the place in by hand
    rows.execute("DELETE FROM log_pending")
    if chance.random() < 0.5:
        (last,) = rows.execute("SELECT max(log_index) FROM log_entries").fetchone()
        rows.execute("INSERT INTO log_entries VALUES (?, ?, ?)", (last + 1, trace, seq + 1))
    return "done"


def swap_two_entries(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """Two entries change places."""
    (one, first), (other, second) = chance.sample(
        rows.execute("SELECT log_index, trace || '/' || seq FROM log_entries").fetchall(), 2
    )
    assert first != second
    places = {
        index: (trace, seq)
        for index, trace, seq in rows.execute(
            "SELECT log_index, trace, seq FROM log_entries WHERE log_index IN (?, ?)", (one, other)
        )
    }
    rows.execute("DELETE FROM log_entries WHERE log_index IN (?, ?)", (one, other))
    rows.execute("INSERT INTO log_entries VALUES (?, ?, ?)", (one, *places[other]))
    rows.execute("INSERT INTO log_entries VALUES (?, ?, ?)", (other, *places[one]))
    return "done"


def cut_the_end(chance: random.Random, rows: sqlite3.Connection) -> str | None:
    """The newest entries are gone, with their places."""
    (last,) = rows.execute("SELECT max(log_index) FROM log_entries").fetchone()
    first = chance.randrange(max(0, last - 20), last + 1)
    gone = rows.execute("SELECT trace, seq FROM log_entries WHERE log_index >= ?", (first,)).fetchall()
    rows.execute("DELETE FROM log_entries WHERE log_index >= ?", (first,))
    rows.executemany("DELETE FROM ledger_entries WHERE trace = ? AND seq = ?", gone)
    return "done"


STATE_ACTS: Sequence[Act] = (change_a_field, delete_a_row, invent_a_number, erase_silently, pin_silently)
LOG_ACTS: Sequence[Act] = (
    rewrite_an_entry,
    flip_an_entry,
    delete_an_entry,
    delete_a_trace,
    insert_an_entry,
    swap_two_entries,
    cut_the_end,
)


def without_guards(rows: sqlite3.Connection) -> None:
    """Take the triggers away that keep the tables growing; whoever owns the database can."""
    for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        rows.execute(f"DROP TRIGGER {name}")
