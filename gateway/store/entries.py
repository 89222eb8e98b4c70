"""The ledger's entries, in a table that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from sqlalchemy import Column, ColumnElement, ScalarSelect, bindparam, select

from gateway.domain.records import EntryRecord
from gateway.store import schema
from gateway.store.kept import Kept
from gateway.store.log_pending import mark_unplaced
from gateway.store.unit import Unit

T = TypeVar("T")
ENTRIES: Final = Kept(schema.ledger_entries, EntryRecord)

_entries: Final = schema.ledger_entries.c

ENTRIES_OF_TRACE: Final = ENTRIES.query(
    ENTRIES.selecting().where(_entries.trace == bindparam("trace")).order_by(_entries.seq)
)


def of_entry(column: Column[T], trace: ColumnElement[str], seq: ColumnElement[int]) -> ScalarSelect[T]:
    """The column of the entry that stands there, None where it is not stored.

    A subquery and not a join: it looks into the one part that the trace tells. For a join PostgreSQL's planner reckons
    with a look into every month, and rather reads all of them (measured: two and a half times slower with 16).
    """
    return select(column).where(_entries.trace == trace, _entries.seq == seq).scalar_subquery()


class EntryWrites:
    """Ledger entries of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_entries(self, records: Sequence[EntryRecord]) -> None:
        await self._unit.run_many(ENTRIES.insert, [ENTRIES.params(record) for record in records])
        await mark_unplaced(self._unit, records)
