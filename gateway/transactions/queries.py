"""What can be read back. Reads run beside the writer, on their own read-only connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    LineageRecord,
    PayloadRecord,
    PinRecord,
    StepRecord,
    TransactionRecord,
)


@dataclass(frozen=True, slots=True)
class Visible:
    """What a caller may see: node ids, all descendants listed; None means everything."""

    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Every condition that is not None must hold. Times in µs; `accepted_until` is excluded."""

    external_id: str | None = None
    source: str | None = None
    erp_document_number: str | None = None
    system_id: str | None = None
    status: str | None = None
    domain: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    lineage_id: str | None = None
    accepted_from: int | None = None
    accepted_until: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Conditions on documents of one domain."""

    domain: str
    external_id: str | None = None
    source: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class LineageView:
    """A lineage with all that belongs to it."""

    lineage: LineageRecord
    pin: PinRecord | None
    documents: Sequence[DocumentRecord]
    transactions: Sequence[TransactionRecord]
    cross_references: Sequence[CrossReferenceRecord]


@dataclass(frozen=True, slots=True)
class QueueState:
    """Depth and age of what waits. Ages in seconds, 0.0 where nothing waits."""

    jobs: int
    oldest_job_s: float
    events: int
    oldest_event_s: float


class Reads(Protocol):
    """Read-only questions. Lists are ordered newest first by id; `after` is the last id of the page before."""

    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None: ...
    async def transactions(
        self, where: TransactionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[TransactionRecord]: ...
    async def steps(self, transaction_id: str) -> Sequence[StepRecord]: ...
    async def entries(self, trace: str) -> Sequence[EntryRecord]:
        """The trace of one transaction, by seq."""
        ...

    async def lineage_entries(self, lineage_id: str) -> Sequence[EntryRecord]:
        """The entries of all transactions of a lineage, by time, trace and seq."""
        ...

    async def lineage(self, lineage_id: str, visible: Visible) -> LineageView | None:
        """None if no transaction or document of it is visible; what is not visible is left out."""
        ...

    async def document(self, document_id: str, visible: Visible) -> DocumentRecord | None: ...
    async def documents(
        self, where: DocumentFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]: ...
    async def activation(self, activation_number: int) -> ActivationRecord | None: ...
    async def queue_state(self, now: int) -> QueueState: ...
    async def is_alive(self) -> bool:
        """Whether the database answers."""
        ...
