"""Whether an entry's bytes hold others, on both databases.

An entry is RFC 8785 JSON: a member with its value is written in one way only, and within a text a quotation mark is
escaped, so that the bytes of a member are found nowhere else.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from gateway.store.columns import BYTES

AFTER_NOT_SENT: Final = b'"after":"not-sent"'
"""Of a `dispatched` that follows one of which nothing reached the ERP."""
WITH_NUMBER: Final = b'"documentNumber":"'
"""Of a `posted` that says under which number."""


class holds_bytes(GenericFunction[bool]):  # noqa: N801 (the name of the function)
    """Whether the first holds the second."""

    type = Boolean()
    inherit_cache = True


def holds(column: ColumnElement[bytes], part: bytes) -> ColumnElement[bool]:
    """Whether a column of bytes holds these."""
    return holds_bytes(column, literal(part, BYTES))


def _both(element: Any, compiler: Any, **options: Any) -> tuple[str, str]:
    column, part = element.clauses.clauses
    return str(compiler.process(column, **options)), str(compiler.process(part, **options))


@compiles(holds_bytes, "sqlite")
def _sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, part = _both(element, compiler, **options)
    return f"(instr({column}, {part}) > 0)"


@compiles(holds_bytes, "postgresql")
def _postgres(element: Any, compiler: Any, **options: Any) -> str:
    column, part = _both(element, compiler, **options)
    return f"(position({part} in {column}) > 0)"
