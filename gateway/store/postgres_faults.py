"""PostgreSQL's errors in the store's words. SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

from __future__ import annotations

import traceback
from typing import Final

import asyncpg

from gateway.store.append_only import APPEND_ONLY_MARK
from gateway.store.errors import (
    AppendOnly,
    ConstraintViolated,
    StatementFailed,
    StatementRefused,
    StoreBusy,
    StoreFailure,
    StoreUnavailable,
    UniqueViolated,
)

CONNECTION_LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
)
"""What asyncpg raises when the connection ended: by the network, by the server, by its own bookkeeping."""

SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK: Final = "40P01"
UNIQUE_VIOLATION: Final = "23505"

_UNAVAILABLE_CLASSES: Final = frozenset({"08", "28", "3D", "53", "57", "58", "F0", "XX"})
"""Connection, authorization, no such database, insufficient resources, operator intervention, system error,
configuration file, corruption: all of them for operations to mend, none for the caller."""

_BUSY: Final = frozenset({"55P03", "57014", SERIALIZATION_FAILURE, DEADLOCK})
"""Lock not available, statement timeout, and conflicts that outlasted every run."""

_READ_ONLY: Final = "25006"
"""A standby answers: a failover is under way."""


def is_lost(error: BaseException) -> bool:
    """Whether the connection ended, or the driver tripped over its end: asyncpg answers an end in the middle of a
    message with whatever its own code meets then, a TypeError for one. What it complains of in the parameters is a
    DataError, and what the server says has a SQLSTATE."""
    if isinstance(error, CONNECTION_LOST):
        return True
    if not isinstance(error, Exception) or getattr(error, "sqlstate", None):
        return False
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").partition(".")[0] == "asyncpg" for frame, _ in frames)


def stands_still(error: BaseException) -> bool:
    """Whether the server did not answer in time, in this error or in what it came from."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, TimeoutError):
        found = found.__cause__
    return found is not None


def translate(error: BaseException) -> StoreFailure | StoreUnavailable:
    """The failure that a caller may draw conclusions from; the original stays as its cause."""
    state: str = getattr(error, "sqlstate", None) or ""
    text = f"{state} {error}".strip()
    if state in _BUSY:
        return StoreBusy(text)
    if state == _READ_ONLY or state[:2] in _UNAVAILABLE_CLASSES:
        return StoreUnavailable(text)
    if state.startswith("23"):
        constraint: str = getattr(error, "constraint_name", None) or ""
        if APPEND_ONLY_MARK in str(error):
            return AppendOnly(text, constraint)
        kind = UniqueViolated if state == UNIQUE_VIOLATION else ConstraintViolated
        return kind(text, constraint)
    if not state and (isinstance(error, TimeoutError) or is_lost(error)):
        return StoreUnavailable(f"{type(error).__name__}: {error}")
    return StatementRefused(text) if state.startswith("42") else StatementFailed(text)
