"""The legal holds that the ledger tells of and of no lift: what a row that is gone cannot hide."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CompoundSelect, bindparam, func, literal_column, select, union

from gateway.store import schema
from gateway.store.entries import ENTRIES
from gateway.store.statement import Query

_entry: Final = schema.ledger_entries.c
_lift: Final = schema.ledger_entries.alias("lift").c
_document: Final = schema.documents.c
_transaction: Final = schema.transactions.c


def _id(column: str) -> str:
    return column


# A lift is the second entry of its trace: looked up by its key, so that of what was lifted nothing crosses.
_LIFTED: Final = (
    select(_lift.kind).where(_lift.trace == _entry.trace, _lift.seq == literal_column("2")).scalar_subquery()
)
STANDING_HOLDS: Final = ENTRIES.query(
    ENTRIES.selecting()
    .where(
        _entry.trace >= literal_column("'hld_'"),
        _entry.trace < literal_column("'hld`'"),
        _entry.kind == literal_column("'hold_set'"),
        func.coalesce(_LIFTED, literal_column("''")) != literal_column("'hold_lifted'"),
    )
    .order_by(_entry.trace)
)


def customers_of_lineage() -> CompoundSelect[str]:
    """The customers of its documents, and of its transactions: a document that was sent again may have another."""
    return union(
        *(
            select(one.customer_id).where(one.lineage_id == bindparam("lineage"), one.customer_id.is_not(None))
            for one in (_document, _transaction)
        )
    )


CUSTOMERS_OF_LINEAGE: Final = Query(customers_of_lineage(), _id)
