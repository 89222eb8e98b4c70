"""Triggers that keep whose a document was before it was sent again for another customer: erasures and legal holds go by
the customer of each transaction.

Transactions name their customer since v0029, and the document's own counts for what was accepted before. In the
database and not in the program, so that the processes of the version before, which run on beside the first new ones,
keep it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import DDL, Table, event

_TRIGGER: Final = "documents_keep_earlier_customer"
# Whatever makes a document again writes its row before it writes the new transaction: these are the earlier ones.
_KEEP: Final = (
    "UPDATE transactions SET customer_id = OLD.customer_id WHERE document_id = OLD.document_id AND customer_id IS NULL"
)


def sqlite_keeping() -> Sequence[str]:
    """One trigger."""
    changed = "OLD.customer_id IS NOT NULL AND OLD.customer_id IS NOT NEW.customer_id"
    after = f"AFTER UPDATE OF customer_id ON documents WHEN {changed}"
    return [f"CREATE TRIGGER {_TRIGGER} {after} BEGIN {_KEEP}; END"]


def postgres_keeping() -> Sequence[str]:
    """A function and a trigger. With the rights of whoever writes, who may update transactions anyway."""
    changed = "OLD.customer_id IS NOT NULL AND OLD.customer_id IS DISTINCT FROM NEW.customer_id"
    after = f"AFTER UPDATE OF customer_id ON documents FOR EACH ROW WHEN ({changed})"
    body = f"BEGIN {_KEEP}; RETURN NULL; END"
    return [
        f"CREATE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $keep$ {body} $keep$",
        f"CREATE TRIGGER {_TRIGGER} {after} EXECUTE FUNCTION {_TRIGGER}()",
    ]


def keep_earlier_customers(table: Table) -> None:
    """Create the triggers whenever `table`, the documents, is created from the metadata."""
    for dialect, statements in (("sqlite", sqlite_keeping()), ("postgresql", postgres_keeping())):
        for statement in statements:
            # DDL() formats with %: none of the statements has one.
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
