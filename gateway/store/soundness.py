"""Whether an SQLite file is sound: every page readable, every index as its table, every value of its column's type.

SQLite keeps no checksums of its pages (its log has them), so a damaged disk or a copy that went wrong shows late, or
as another answer. PostgreSQL has page checksums of its own (`initdb --data-checksums`, the default from version 18).
Source: https://sqlite.org/pragma.html#pragma_integrity_check.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Final

from gateway.errors import GatewayError
from gateway.store.sqlite_faults import translate
from gateway.store.url import SqliteDatabase, parse_url

CHECKED_BYTES: Final = 1 << 30
"""Files up to this size are checked before anything is served; some seconds. A larger one is left to back-ups."""
COMPLAINTS: Final = 10


class DatabaseDamaged(GatewayError):
    """The database file is damaged; the message lists what SQLite found. Nothing was started and nothing written."""


async def check_sound(url: str) -> None:
    """Check the file that the URL names, if it is one, is there, and is not too large.

    Raises:
        DatabaseDamaged: it is not sound.
        StoreUnavailable: it cannot be read.
    """
    database = parse_url(url)
    if not isinstance(database, SqliteDatabase) or not database.path.exists():
        return
    if database.path.stat().st_size > CHECKED_BYTES:
        return
    found = await asyncio.to_thread(_complaints, database)
    if found:
        raise DatabaseDamaged(
            f"{database.path} is damaged: {'; '.join(found)}. Keep it as it is, and restore a back-up "
            "(docs/operations.md, 'Back-up and restore')."
        )


def _complaints(database: SqliteDatabase) -> list[str]:
    try:
        with closing(sqlite3.connect(database.path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            rows = connection.execute(f"PRAGMA integrity_check({COMPLAINTS})").fetchall()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return [str(error)]
        raise translate(error) from error
    except UnicodeDecodeError as error:  # a text of the schema, or of a complaint
        return [f"a text is not UTF-8: {error.reason}"]
    return [] if rows == [("ok",)] else [str(row[0]) for row in rows]
