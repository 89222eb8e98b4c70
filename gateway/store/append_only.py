"""Tables that only grow: triggers that refuse UPDATE, DELETE and TRUNCATE, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import DDL, Table, event

APPEND_ONLY_MARK: Final = "append-only"
"""What the triggers say; the store's errors know it by this word."""


def sqlite_triggers(table: str) -> Sequence[str]:
    """Two triggers. INSERT OR REPLACE deletes too: the writer's connection has `recursive_triggers` on for that."""
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY_MARK}: {table}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def postgres_triggers(table: str) -> Sequence[str]:
    """A function and two triggers. SQLSTATE 23000: a violated integrity constraint.

    Whoever owns the table could still drop them; the role that writes should not own it.
    """
    function = f"{table}_only_grows()"
    refusal = f"RAISE EXCEPTION '{APPEND_ONLY_MARK}: {table}' USING ERRCODE = '23000'"
    return [
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal}; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {function}",
    ]


def append_only(table: Table) -> None:
    """Create the triggers whenever the table is created from the metadata."""
    for dialect, statements in (
        ("sqlite", sqlite_triggers(table.name)),
        ("postgresql", postgres_triggers(table.name)),
    ):
        for statement in statements:
            # DDL() formats with %: none of the statements has one.
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
