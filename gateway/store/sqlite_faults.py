"""SQLite's errors in the store's words."""

from __future__ import annotations

import sqlite3
from typing import Final

from gateway.store.append_only import APPEND_ONLY_MARK
from gateway.store.errors import (
    AppendOnly,
    ConstraintViolated,
    RecordUnsound,
    StatementFailed,
    StoreBusy,
    StoreFailure,
    StoreUnavailable,
    UniqueViolated,
)

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOLFS,
    }
)
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNIQUE: Final = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_ROWID,
    }
)


def translate(error: sqlite3.Error) -> StoreFailure | StoreUnavailable:
    """The failure that a caller may draw conclusions from; the original stays as its cause."""
    extended: int = getattr(error, "sqlite_errorcode", 0)
    name: str = getattr(error, "sqlite_errorname", type(error).__name__)
    primary = extended & 0xFF
    if primary in _BUSY:
        return StoreBusy(f"{name}: another process holds the database")
    if primary in _DAMAGED:
        return RecordUnsound(f"the database file is damaged: {name}: {error}")
    if primary in _UNAVAILABLE:
        return StoreUnavailable(f"{name}: {error}")
    if primary == sqlite3.SQLITE_CONSTRAINT:
        if extended == sqlite3.SQLITE_CONSTRAINT_TRIGGER and APPEND_ONLY_MARK in str(error):
            return AppendOnly(str(error))
        broken = str(error).partition(": ")[2]
        kind = UniqueViolated if extended in _UNIQUE else ConstraintViolated
        return kind(f"{name}: {error}", broken)
    return StatementFailed(f"{name}: {error}")
