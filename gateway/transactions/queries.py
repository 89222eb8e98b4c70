"""What can be read back. Reads run beside the writer, on their own read-only connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.domain.drafts import DraftRecord, FilesRecord, RollbackRecord
from gateway.domain.queries import (
    DocumentFilter,
    LineageView,
    QueueState,
    TransactionFilter,
    Visible,
)
from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    PayloadRecord,
    StepRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status

__all__ = ["DocumentFilter", "LineageView", "QueueState", "Reads", "TransactionFilter", "Visible"]


class Reads(Protocol):
    """Read-only questions. Lists are ordered newest first by id; `after` is the last id of the page before."""

    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None: ...
    async def transactions(
        self, where: TransactionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[TransactionRecord]: ...
    async def statuses(self, transaction_ids: Sequence[str]) -> Mapping[str, Status]:
        """Where these transactions stand now; absent where there is none of that id."""
        ...

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
    async def transactions_with_payload(self, document_id: str, payload_id: str) -> Sequence[str]:
        """Ids of the document's transactions that were asked for with that payload."""
        ...

    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]: ...
    async def activation(self, activation_number: int) -> ActivationRecord | None: ...
    async def draft_of_activation(self, activation_number: int) -> DraftRecord | None: ...
    async def rulebook_files(self, activation_number: int) -> FilesRecord | None: ...
    async def rollbacks(self) -> Sequence[RollbackRecord]: ...
    async def queue_state(self, now: int) -> QueueState: ...
    async def is_alive(self) -> bool:
        """Whether the database answers."""
        ...
