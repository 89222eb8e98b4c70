"""Batches of lineages that are adopted, and the moves of their pins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select, text, update

from gateway.domain.adoptions import AdoptionLineRecord, AdoptionRecord
from gateway.domain.records import DocumentRecord, PinRecord, TransactionRecord
from gateway.store import schema, schema_adoptions
from gateway.store.documents import DOCUMENTS
from gateway.store.index_conditions import OPEN_STATUS
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.lineages import PINS
from gateway.store.reader import Reader
from gateway.store.statement import Command, Query
from gateway.store.transactions import TRANSACTIONS
from gateway.store.unit import Unit

ADOPTIONS: Final = Kept(schema_adoptions.adoptions, AdoptionRecord)
LINES: Final = Kept(schema_adoptions.adoption_lines, AdoptionLineRecord)

_adoption: Final = schema_adoptions.adoptions.c
_line: Final = schema_adoptions.adoption_lines.c
_document: Final = schema.documents.c
_transaction: Final = schema.transactions.c
_number: Final = schema.cross_references.c

_LOCKED: Final = ADOPTIONS.by("adoption_id", lock=True)
_ADOPTION: Final = ADOPTIONS.by("adoption_id")
_BY_KEY: Final = ADOPTIONS.by("requested_by", "idempotency_key")
_APPROVAL: Final = ("state", "approved_at", "approved_by", "approved_person", "entry_count")
_REPLACE: Final = ADOPTIONS.replace(["adoption_id"], _APPROVAL)

_LINES_OF: Final = LINES.query(
    LINES.selecting().where(_line.adoption_id == bindparam("adoption_id")).order_by(_line.line)
)
_LINE: Final = ("adoption_id", "line")
_LINE_OUTCOME: Final = ("state", "reason", "settled_at")
# A line that was adopted stays so.
_SETTLE_LINE: Final = LINES.replace(_LINE, _LINE_OUTCOME, _line.state != "adopted")

_PIN_MUTABLE: Final = tuple(name for name in PINS.names if name != "lineage_id")
_MOVE_PIN: Final = PINS.replace(["lineage_id"], _PIN_MUTABLE, schema.pins.c.system_id == bindparam("moved_from"))
_PIN_HELD: Final = PINS.by("lineage_id", lock=True)

_DOCUMENTS_HELD: Final = DOCUMENTS.query(
    DOCUMENTS.selecting()
    .where(_document.lineage_id == bindparam("lineage_id"))
    .order_by(_document.document_id)
    .with_for_update(key_share=True)
)
_UNENDED: Final = TRANSACTIONS.query(
    TRANSACTIONS.selecting().where(
        _transaction.lineage_id == bindparam("lineage_id"),
        text(OPEN_STATUS),
    )
)
_END_NUMBERS: Final = Command(
    update(schema.cross_references)
    .where(
        _number.document_id == bindparam("of_document"),
        _number.system_id == bindparam("of_system"),
        _number.valid_until.is_(None),
    )
    .values(valid_until=bindparam("ended"))
)
_BEARER: Final = Query(
    select(_number.document_id).where(
        _number.system_id == bindparam("system_id"),
        _number.document_type == bindparam("document_type"),
        _number.document_number == bindparam("document_number"),
        _number.document_id != bindparam("document_id"),
    ).limit(1),
    str,
)  # fmt: skip
_WAITING: Final = LINES.query(
    LINES.selecting()
    .join(schema_adoptions.adoptions, _adoption.adoption_id == _line.adoption_id)
    .where(_line.lineage_id == bindparam("lineage_id"), _adoption.state == "requested")
    .limit(1)
)
_RECENT: Final = ADOPTIONS.query(ADOPTIONS.selecting())


class AdoptionWrites:
    """Adoptions of a unit."""

    __slots__ = ()
    _unit: Unit

    async def adoption(self, adoption_id: str) -> AdoptionRecord | None:
        """The row, locked until the unit ends."""
        return await self._unit.one(_LOCKED, {"adoption_id": adoption_id})

    async def adoption_by_key(self, requested_by: str, idempotency_key: str) -> AdoptionRecord | None:
        """What this client asked for under this key before."""
        return await self._unit.one(_BY_KEY, {"requested_by": requested_by, "idempotency_key": idempotency_key})

    async def waiting_adoption(self, lineage_id: str) -> AdoptionLineRecord | None:
        """Its line in a batch that nobody approved yet."""
        return await self._unit.one(_WAITING, {"lineage_id": lineage_id})

    async def insert_adoption(self, record: AdoptionRecord, lines: Sequence[AdoptionLineRecord]) -> None:
        """A new batch."""
        await self._unit.run(ADOPTIONS.insert, ADOPTIONS.params(record))
        await self._unit.run_many(LINES.insert, [LINES.params(line) for line in lines])

    async def update_adoption(self, record: AdoptionRecord) -> None:
        """State, approval and count of entries."""
        await replace_one(self._unit, _REPLACE, replacing(record, ["adoption_id"], _APPROVAL))

    async def adoption_lines(self, adoption_id: str) -> Sequence[AdoptionLineRecord]:
        """The lines, in their order."""
        return await self._unit.all(_LINES_OF, {"adoption_id": adoption_id})

    async def settle_adoption_line(self, record: AdoptionLineRecord) -> None:
        """Write what came of a line; raises Fenced if it was adopted before."""
        await replace_one(self._unit, _SETTLE_LINE, replacing(record, _LINE, _LINE_OUTCOME))

    async def pin_held(self, lineage_id: str) -> PinRecord | None:
        """The pin, locked until the unit ends."""
        return await self._unit.one(_PIN_HELD, {"lineage_id": lineage_id})

    async def move_pin(self, record: PinRecord, *, moved_from: str) -> None:
        """Replace the pin of its lineage; raises Fenced unless it stands at that system."""
        params = {**replacing(record, ["lineage_id"], _PIN_MUTABLE), "moved_from": moved_from}
        await replace_one(self._unit, _MOVE_PIN, params)

    async def documents_held(self, lineage_id: str) -> Sequence[DocumentRecord]:
        """All documents of the lineage, locked until the unit ends, so that nothing new follows them meanwhile."""
        return await self._unit.all(_DOCUMENTS_HELD, {"lineage_id": lineage_id})

    async def unended(self, lineage_id: str) -> Sequence[TransactionRecord]:
        """Transactions of the lineage that have not ended."""
        return await self._unit.all(_UNENDED, {"lineage_id": lineage_id})

    async def end_numbers(self, document_id: str, system_id: str, at: int) -> int:
        """The document's numbers in that system are no longer what it is called; how many."""
        return await self._unit.run(_END_NUMBERS, {"of_document": document_id, "of_system": system_id, "ended": at})

    async def number_borne_by_another(
        self, document_id: str, system_id: str, document_type: str, document_number: str
    ) -> str | None:
        """Another document that has this number."""
        return await self._unit.one(
            _BEARER,
            {
                "document_id": document_id,
                "system_id": system_id,
                "document_type": document_type,
                "document_number": document_number,
            },
        )


class AdoptionReads:
    """What became of batches."""

    _reader: Reader

    async def adoption(self, adoption_id: str) -> tuple[AdoptionRecord, Sequence[AdoptionLineRecord]] | None:
        """A batch with its lines."""
        async with self._reader.moment() as moment:
            found = await moment.all(_ADOPTION, {"adoption_id": adoption_id})
            if not found:
                return None
            return found[0], await moment.all(_LINES_OF, {"adoption_id": adoption_id})

    async def adoptions(self, limit: int, after: str | None) -> Sequence[AdoptionRecord]:
        """Batches, newest first."""
        core = ADOPTIONS.selecting().order_by(_adoption.adoption_id.desc()).limit(limit)
        if after is not None:
            core = core.where(_adoption.adoption_id < after)
        return await self._reader.find(_RECENT, core)
