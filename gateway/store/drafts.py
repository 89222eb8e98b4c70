"""Drafts, their editors, approvals and waivers, and what went back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam

from gateway.domain.drafts import (
    ApprovalRecord,
    DraftEditRecord,
    DraftRecord,
    FilesRecord,
    PersonRecord,
    RollbackRecord,
    WaiverRecord,
)
from gateway.domain.records import ActivationRecord
from gateway.store import schema_drafts
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.processes import ACTIVATIONS
from gateway.store.reader import Reader
from gateway.store.schema_activations import activations
from gateway.store.unit import Unit

MOST_OF_A_DRAFT: Final = 10_000
"""Edits (of which there are fewer), approvals or waivers of one draft that are looked at; later ones do not count."""

_DRAFTS: Final = Kept(schema_drafts.drafts, DraftRecord)
_EDITS: Final = Kept(schema_drafts.draft_edits, DraftEditRecord)
_APPROVALS: Final = Kept(schema_drafts.approvals, ApprovalRecord)
_WAIVERS: Final = Kept(schema_drafts.waivers, WaiverRecord)
_ROLLBACKS: Final = Kept(schema_drafts.rollbacks, RollbackRecord)
_PERSONS: Final = Kept(schema_drafts.persons, PersonRecord)
_FILES: Final = Kept(schema_drafts.rulebook_files, FilesRecord)
_FILES_OF: Final = _FILES.by("activation_number")

_FIXED: Final = ("draft_id", "created_at")
_DRAFT: Final = _DRAFTS.by("draft_id")
_DRAFT_LOCKED: Final = _DRAFTS.by("draft_id", lock=True)
_MUTABLE: Final = tuple(name for name in _DRAFTS.names if name not in _FIXED)
_REPLACE: Final = _DRAFTS.replace(("draft_id",), _MUTABLE)
_OF_ACTIVATION: Final = _DRAFTS.query(
    _DRAFTS.selecting().where(schema_drafts.drafts.c.activation_number == bindparam("activation_number")).limit(1)
)
_LISTED: Final = _DRAFTS.query(_DRAFTS.selecting())
_LISTED_ACTIVATIONS: Final = ACTIVATIONS.query(ACTIVATIONS.selecting())


def _of_draft(kept: Kept[Any], *order: str) -> Any:
    table = kept.table.c
    found = kept.selecting().where(table.draft_id == bindparam("draft_id"))
    return kept.query(found.order_by(*(table[name] for name in order)).limit(MOST_OF_A_DRAFT))


_EDITS_OF: Final = _of_draft(_EDITS, "version")
_APPROVALS_OF: Final = _of_draft(_APPROVALS, "approval_id")
_WAIVERS_OF: Final = _of_draft(_WAIVERS, "waiver_id")
_ROLLBACK: Final = _ROLLBACKS.by("activation_id", lock=True)
_ROLLBACK_DONE: Final = _ROLLBACKS.replace(("activation_id",), ("activation_number",))
_ROLLBACKS_DONE: Final = _ROLLBACKS.query(
    _ROLLBACKS.selecting()
    .where(schema_drafts.rollbacks.c.activation_number.is_not(None))
    .order_by(schema_drafts.rollbacks.c.activation_number)
    .limit(MOST_OF_A_DRAFT)
)
_PERSON: Final = _PERSONS.by("person")


class DraftWrites:
    """Drafts of a unit."""

    __slots__ = ()
    _unit: Unit

    async def draft(self, draft_id: str) -> DraftRecord | None:
        return await self._unit.one(_DRAFT_LOCKED, {"draft_id": draft_id})

    async def insert_draft(self, record: DraftRecord) -> None:
        await self._unit.put(_DRAFTS.insert, _DRAFTS.params(record))

    async def update_draft(self, record: DraftRecord) -> None:
        await replace_one(self._unit, _REPLACE, replacing(record, ("draft_id",), _MUTABLE))

    async def draft_edits(self, draft_id: str) -> Sequence[DraftEditRecord]:
        found: Sequence[DraftEditRecord] = await self._unit.all(_EDITS_OF, {"draft_id": draft_id})
        return found

    async def insert_draft_edit(self, record: DraftEditRecord) -> None:
        await self._unit.put(_EDITS.insert, _EDITS.params(record))

    async def approvals(self, draft_id: str) -> Sequence[ApprovalRecord]:
        found: Sequence[ApprovalRecord] = await self._unit.all(_APPROVALS_OF, {"draft_id": draft_id})
        return found

    async def insert_approval(self, record: ApprovalRecord) -> None:
        await self._unit.put(_APPROVALS.insert, _APPROVALS.params(record))

    async def waivers(self, draft_id: str) -> Sequence[WaiverRecord]:
        found: Sequence[WaiverRecord] = await self._unit.all(_WAIVERS_OF, {"draft_id": draft_id})
        return found

    async def insert_waiver(self, record: WaiverRecord) -> None:
        await self._unit.put(_WAIVERS.insert, _WAIVERS.params(record))

    async def insert_rollback(self, record: RollbackRecord) -> None:
        await self._unit.put(_ROLLBACKS.insert, _ROLLBACKS.params(record))

    async def rollback(self, activation_id: str) -> RollbackRecord | None:
        return await self._unit.one(_ROLLBACK, {"activation_id": activation_id})

    async def update_rollback(self, record: RollbackRecord) -> None:
        key, mutable = ("activation_id",), ("activation_number",)
        await replace_one(self._unit, _ROLLBACK_DONE, replacing(record, key, mutable))

    async def insert_rulebook_files(self, record: FilesRecord) -> None:
        await self._unit.put(_FILES.insert, _FILES.params(record))

    async def ensure_person(self, record: PersonRecord) -> None:
        await self._unit.run(_PERSONS.insert_unless_there(), _PERSONS.params(record))


class DraftReads:
    """Questions about drafts. Implements `gateway.cutover.draft_ports.DraftReads`."""

    _reader: Reader

    async def draft(self, draft_id: str) -> DraftRecord | None:
        return await self._reader.one(_DRAFT, {"draft_id": draft_id})

    async def draft_of_activation(self, activation_number: int) -> DraftRecord | None:
        return await self._reader.one(_OF_ACTIVATION, {"activation_number": activation_number})

    async def drafts(self, state: str | None, limit: int, after: str | None) -> Sequence[DraftRecord]:
        core = _DRAFTS.selecting()
        columns = schema_drafts.drafts.c
        if state is not None:
            core = core.where(columns.state == state)
        if after is not None:
            core = core.where(columns.draft_id < after)
        return await self._reader.find(_LISTED, core.order_by(columns.draft_id.desc()).limit(limit))

    async def draft_edits(self, draft_id: str) -> Sequence[DraftEditRecord]:
        found: Sequence[DraftEditRecord] = await self._reader.all(_EDITS_OF, {"draft_id": draft_id})
        return found

    async def approvals(self, draft_id: str) -> Sequence[ApprovalRecord]:
        found: Sequence[ApprovalRecord] = await self._reader.all(_APPROVALS_OF, {"draft_id": draft_id})
        return found

    async def waivers(self, draft_id: str) -> Sequence[WaiverRecord]:
        found: Sequence[WaiverRecord] = await self._reader.all(_WAIVERS_OF, {"draft_id": draft_id})
        return found

    async def rollbacks(self) -> Sequence[RollbackRecord]:
        return await self._reader.all(_ROLLBACKS_DONE)

    async def rulebook_files(self, activation_number: int) -> FilesRecord | None:
        return await self._reader.one(_FILES_OF, {"activation_number": activation_number})

    async def person_name(self, person: str) -> str | None:
        found = await self._reader.one(_PERSON, {"person": person})
        return None if found is None else found.name

    async def activations(self, limit: int, below: int | None) -> Sequence[ActivationRecord]:
        """The newest first; `below`: only lower numbers."""
        number = activations.c.activation_number
        core = ACTIVATIONS.selecting()
        if below is not None:
            core = core.where(number < below)
        return await self._reader.find(_LISTED_ACTIVATIONS, core.order_by(number.desc()).limit(limit))
