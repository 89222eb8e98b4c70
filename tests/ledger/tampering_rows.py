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

_KEYS: Final = {
    "transactions": "transaction_id",
    "pins": "lineage_id",
    "lineages": "lineage_id",
    "exceptions": "exception_id",
    "steps": "transaction_id || '/' || step || '/' || direction",
    "documents": "document_id",
    "cross_references": "document_id || '/' || system_id || '/' || document_type || '/' || document_number",
    "activations": "activation_number",
    "rules_state": "state_id",
    "natural_keys": "source || '/' || domain || '/' || external_id",
    "payloads": "payload_id",
    "ledger_entries": "trace || '/' || seq",
    "log_entries": "log_index",
}


def key_of(table: str) -> str:
    """What names a row of the table, as an expression."""
    return _KEYS[table]


def keyed(table: str) -> str:
    """The table with that name of each row as `rowid_`."""
    return f"(SELECT {key_of(table)} AS rowid_, * FROM {table})"


def another(chance: random.Random, value: Any) -> Any:
    """A value that is a little different."""
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 7]) if value > 1 else value + chance.choice([1, 7])
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    at = chance.randrange(len(value)) if value else 0
    return value[:at] + chance.choice([c for c in "abcXYZ0123456789" if c != value[at : at + 1]]) + value[at + 1 :]


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
        f"UPDATE ledger_entries SET {column} = ? WHERE trace = ? AND seq = ?", (another(chance, value), trace, seq)
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
