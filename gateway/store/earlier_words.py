"""Triggers that keep what an exception's row named as its words before: no payload is left without a row leading to it.

In the database and not in the program, so that the processes of the version before, which run on beside the first new
ones, keep them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import DDL, Table, event

_TRIGGER: Final = "exceptions_keep_earlier_words"
_KEEP: Final = (
    "INSERT INTO earlier_words (exception_id, payload_id) VALUES (OLD.exception_id, OLD.payload_id) "
    "ON CONFLICT DO NOTHING"
)


def sqlite_keeping() -> Sequence[str]:
    """One trigger."""
    changed = "OLD.payload_id IS NOT NULL AND OLD.payload_id IS NOT NEW.payload_id"
    after = f"AFTER UPDATE OF payload_id ON exceptions WHEN {changed}"
    return [f"CREATE TRIGGER {_TRIGGER} {after} BEGIN {_KEEP}; END"]


def postgres_keeping() -> Sequence[str]:
    """A function and a trigger. With the rights of the tables' owner: between a migration and the grants that follow it
    the gateway's role has none on a new table.

    The function looks in the schema that tables are made in now, whatever a session's `search_path` says, and there
    alone (PostgreSQL 18, CREATE FUNCTION, 'Writing SECURITY DEFINER Functions Safely'). Not in the schema of the table
    that it is called for: whoever made tables of these names for himself would have his own triggers run as the owner.
    """
    rights = "SECURITY DEFINER SET search_path = ' || quote_ident(current_schema()) || ', pg_temp"
    function = f"CREATE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql {rights}"
    changed = "OLD.payload_id IS NOT NULL AND OLD.payload_id IS DISTINCT FROM NEW.payload_id"
    after = f"AFTER UPDATE OF payload_id ON exceptions FOR EACH ROW WHEN ({changed})"
    body = f"BEGIN {_KEEP}; RETURN NULL; END"
    return [
        f"DO $do$ BEGIN EXECUTE '{function} AS $keep$ {body} $keep$'; END $do$",
        f"CREATE TRIGGER {_TRIGGER} {after} EXECUTE FUNCTION {_TRIGGER}()",
    ]


def keep_earlier_words(table: Table) -> None:
    """Create the triggers whenever `table`, the one that they write to, is created from the metadata."""
    for dialect, statements in (("sqlite", sqlite_keeping()), ("postgresql", postgres_keeping())):
        for statement in statements:
            # DDL() formats with %: none of the statements has one.
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
