"""What adopting needs of the store, beside what acts need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from gateway.domain.adoptions import AdoptionLineRecord, AdoptionRecord
from gateway.domain.drafts import PersonRecord
from gateway.domain.open_lineages import OpenFilter, OpenLineage
from gateway.domain.queries import LineageView, Visible
from gateway.domain.records import (
    CrossReferenceRecord,
    DocumentRecord,
    PayloadRecord,
    PinRecord,
    TransactionRecord,
)
from gateway.transactions.ports import WriteUnit

T = TypeVar("T")


class AdoptionUnit(WriteUnit, Protocol):
    """One write transaction that may move a pin. The batch's row is taken first, then documents, then the pin."""

    async def ensure_person(self, record: PersonRecord) -> None: ...
    async def adoption(self, adoption_id: str) -> AdoptionRecord | None:
        """The row, locked until the unit ends."""
        ...

    async def adoption_by_key(self, requested_by: str, idempotency_key: str) -> AdoptionRecord | None: ...
    async def waiting_adoption(self, lineage_id: str) -> AdoptionLineRecord | None:
        """Its line in a batch that nobody approved yet."""
        ...

    async def insert_adoption(self, record: AdoptionRecord, lines: Sequence[AdoptionLineRecord]) -> None: ...
    async def update_adoption(self, record: AdoptionRecord) -> None:
        """State, approval and count of entries."""
        ...

    async def settle_adoption_line(self, record: AdoptionLineRecord) -> None: ...
    async def pin_held(self, lineage_id: str) -> PinRecord | None:
        """The pin, locked until the unit ends."""
        ...

    async def move_pin(self, record: PinRecord, *, moved_from: str) -> None: ...
    async def documents_held(self, lineage_id: str) -> Sequence[DocumentRecord]:
        """All of the lineage, locked until the unit ends, so that nothing new follows them meanwhile."""
        ...

    async def unended(self, lineage_id: str) -> Sequence[TransactionRecord]: ...
    async def end_numbers(self, document_id: str, system_id: str, at: int) -> int: ...
    async def number_borne_by_another(
        self, document_id: str, system_id: str, document_type: str, document_number: str
    ) -> str | None: ...


class AdoptionStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[AdoptionUnit], Awaitable[T]]) -> T: ...


class AdoptionReads(Protocol):
    """Questions about batches, and about the lineages in them."""

    async def adoption(self, adoption_id: str) -> tuple[AdoptionRecord, Sequence[AdoptionLineRecord]] | None: ...
    async def adoptions(self, limit: int, after: str | None) -> Sequence[AdoptionRecord]: ...
    async def lineage(self, lineage_id: str, visible: Visible) -> LineageView | None: ...
    async def open_lineages(
        self, where: OpenFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[OpenLineage]: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]: ...
