"""Lineages, their pins, and the numbers of their events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, update

from gateway.domain.records import DocumentRecord, LineageRecord, PinRecord
from gateway.store import schema
from gateway.store.documents import DOCUMENTS
from gateway.store.errors import Fenced
from gateway.store.kept import Kept, replacing
from gateway.store.statement import Command, Query
from gateway.store.unit import Unit

LINEAGES: Final = Kept(schema.lineages, LineageRecord)
PINS: Final = Kept(schema.pins, PinRecord)

_lineage: Final = schema.lineages.c

PIN: Final = PINS.by("lineage_id")
_HELD: Final = LINEAGES.by("lineage_id", lock=True)
_COUNTED: Final = LINEAGES.replace(["lineage_id"], ["event_count"])
_ENSURE_LINEAGE: Final = LINEAGES.insert_unless_there()
_INSERT_PIN: Final = PINS.insert_unless_there()
_ROOT: Final = DOCUMENTS.query(
    DOCUMENTS.selecting()
    .join(schema.lineages, _lineage.root_document_id == schema.documents.c.document_id)
    .where(_lineage.lineage_id == bindparam("lineage_id"))
)
_DELETE_PIN: Final = Command(delete(schema.pins).where(schema.pins.c.lineage_id == bindparam("lineage_id")))


def _count(event_count: int) -> int:
    return event_count


_TAKE_SEQUENCES: Final = Query(
    update(schema.lineages)
    .where(_lineage.lineage_id == bindparam("of_lineage"))
    .values(event_count=_lineage.event_count + bindparam("taken"))
    .returning(_lineage.event_count),
    _count,
)


class LineageWrites:
    """Lineages and pins of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_lineage(self, record: LineageRecord) -> None:
        await self._unit.put(LINEAGES.insert, LINEAGES.params(record))

    async def ensure_lineage(self, record: LineageRecord) -> None:
        await self._unit.run(_ENSURE_LINEAGE, LINEAGES.params(record))

    async def lineages_held(self, lineage_ids: Sequence[str]) -> Sequence[LineageRecord]:
        return await self._unit.each(_HELD, [(one,) for one in lineage_ids])

    async def count_events(self, records: Sequence[LineageRecord]) -> None:
        await self._unit.run_many(_COUNTED, [replacing(one, ["lineage_id"], ["event_count"]) for one in records])

    async def root_of(self, lineage_id: str) -> DocumentRecord | None:
        return await self._unit.one(_ROOT, {"lineage_id": lineage_id})

    async def pin(self, lineage_id: str) -> PinRecord | None:
        return await self._unit.one(PIN, {"lineage_id": lineage_id})

    async def pins(self, lineage_ids: Sequence[str]) -> Sequence[PinRecord]:
        return await self._unit.each(PIN, [(one,) for one in lineage_ids])

    async def insert_pin(self, record: PinRecord) -> PinRecord:
        # Twice, for the case that the pin which stood in the way is released before we read it.
        for _ in range(2):
            if await self._unit.run(_INSERT_PIN, PINS.params(record)) == 1:
                return record
            standing = await self.pin(record.lineage_id)
            if standing is not None:
                return standing
        raise Fenced(f"the pin of {record.lineage_id} comes and goes")

    async def delete_pin(self, lineage_id: str) -> None:
        await self._unit.run(_DELETE_PIN, {"lineage_id": lineage_id})

    async def take_event_sequences(self, lineage_id: str, count: int) -> int:
        last = await self._unit.one(_TAKE_SEQUENCES, {"of_lineage": lineage_id, "taken": count})
        if last is None:
            raise Fenced(f"lineage {lineage_id} is not there")
        return last - count + 1
