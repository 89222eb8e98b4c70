"""Columns as both databases keep them alike: whole numbers of 64 bits, text ordered by bytes, bytes."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, LargeBinary, Text, TextClause, text
from sqlalchemy.types import TypeEngine

INT: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
TEXT: Final[TypeEngine[str]] = Text().with_variant(Text(collation="C"), "postgresql")
BYTES: Final[TypeEngine[bytes]] = LargeBinary()

KEYED: Final[dict[str, Any]] = {"sqlite_strict": True, "sqlite_with_rowid": False}
"""For tables whose rows are little more than their key: kept in the key's own tree on SQLite."""

WIDE: Final[dict[str, Any]] = {"sqlite_strict": True}
"""For tables with long rows: a tree of long rows is deep."""


def int_(name: str, *, key: bool = False, null: bool = False, of_old: int | None = None) -> Column[int]:
    """A whole number: a count, a size, microseconds since 1970 UTC, or 0 and 1 for no and yes.

    `of_old`: what rows have that were there before the column was.
    """
    default = None if of_old is None else text(str(of_old))
    return Column(name, INT, primary_key=key, nullable=null, autoincrement=False, server_default=default)


def text_(name: str, *, key: bool = False, null: bool = False, of_old: str | None = None) -> Column[str]:
    """Text: an id, a word, a canonical decimal, a date, JSON. `of_old` as in `int_`."""
    return Column(name, TEXT, primary_key=key, nullable=null, server_default=of_old)


def bytes_(name: str, *, null: bool = False) -> Column[bytes]:
    """Bytes: what is hashed or sent as it is."""
    return Column(name, BYTES, nullable=null)


def child_of(parent: str) -> Column[str]:
    """The first column of a key, naming a row of `parent` (`table.column`) that must be there."""
    return Column(parent.partition(".")[2], TEXT, ForeignKey(parent), primary_key=True, nullable=False)


def position() -> Column[int]:
    """A number that the database gives, growing; on SQLite the row's own."""
    return Column("position", INT, Identity(always=True), primary_key=True, nullable=False)


def partial_index(name: str, *columns: str | TextClause, where: str) -> Index:
    """An index of the rows that satisfy `where`. A query is served by it only if it says the same words, and
    those of an expression."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
