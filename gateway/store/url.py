"""Which database a URL names: `sqlite:///path` or `postgresql://user@host/name`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class BadUrl(ValueError):
    """The setting names no database that the store can use. Does not repeat the URL: it may hold a password."""


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """A file on a local disk (a write-ahead log needs shared memory; network file systems do not carry it)."""

    path: Path

    @property
    def engine_url(self) -> str:
        """For SQLAlchemy's async engine."""
        return f"sqlite+aiosqlite:///{self.path}"


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A server; `dsn` is as asyncpg and libpq take it."""

    dsn: str


Database = SqliteDatabase | PostgresDatabase


def parse_url(url: str) -> Database:
    """The database that the URL names.

    Raises:
        BadUrl: another kind of database, or SQLite without a file: every process and every reader has its own
            connection, which a database in memory does not allow.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadUrl("not a database URL; expected sqlite:///path or postgresql://...") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if parsed.query or not parsed.database or parsed.database == ":memory:":
            raise BadUrl("SQLite needs a plain file: sqlite:///relative/path or sqlite:////absolute/path")
        return SqliteDatabase(Path(parsed.database).absolute())
    if kind in {"postgresql", "postgres"}:
        _, _, rest = url.partition("://")
        return PostgresDatabase(f"postgresql://{rest}")
    raise BadUrl(f"{kind} is no database of the store; use sqlite or postgresql")
