"""The ledger's entries, in a table that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam

from gateway.domain.records import EntryRecord
from gateway.store import schema
from gateway.store.kept import Kept
from gateway.store.log_pending import mark_unplaced
from gateway.store.unit import Unit

ENTRIES: Final = Kept(schema.ledger_entries, EntryRecord)

_entries: Final = schema.ledger_entries.c

ENTRIES_OF_TRACE: Final = ENTRIES.query(
    ENTRIES.selecting().where(_entries.trace == bindparam("trace")).order_by(_entries.seq)
)


class EntryWrites:
    """Ledger entries of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_entries(self, records: Sequence[EntryRecord]) -> None:
        await self._unit.run_many(ENTRIES.insert, [ENTRIES.params(record) for record in records])
        await mark_unplaced(self._unit, records)
