"""What moving exceptions needs of the store, beside what acts need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from gateway.cutover.act_ports import ActUnit
from gateway.domain.exceptions import (
    BulkItemRecord,
    BulkRecord,
    ExceptionFilter,
    ExceptionRecord,
    MoveRecord,
    OpenExceptions,
)
from gateway.domain.queries import Visible
from gateway.domain.records import DocumentRecord, PayloadRecord, TransactionRecord

T = TypeVar("T")


class ExceptionUnit(ActUnit, Protocol):
    """One write transaction that may move exceptions. A transaction's row is taken before its exception's."""

    async def insert_exception_move(self, record: MoveRecord) -> None: ...
    async def insert_bulk(self, record: BulkRecord, items: Sequence[BulkItemRecord]) -> None: ...
    async def bulk(self, bulk_id: str) -> BulkRecord | None:
        """The row, locked until the end of the unit."""
        ...

    async def update_bulk(self, record: BulkRecord) -> None: ...
    async def update_bulk_item(self, record: BulkItemRecord) -> None: ...
    async def transaction_of_reference(self, external_reference: str) -> str | None:
        """The transaction of the step that has this external reference."""
        ...


class ExceptionStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[ExceptionUnit], Awaitable[T]]) -> T: ...


class ExceptionReads(Protocol):
    """Questions about exceptions; what is not visible to the asker is not there."""

    async def exception(self, exception_id: str, visible: Visible) -> ExceptionRecord | None: ...
    async def exceptions(
        self, where: ExceptionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[ExceptionRecord]:
        """The oldest first; `after`: the last id of the page before."""
        ...

    async def open_exceptions(self) -> Sequence[OpenExceptions]: ...
    async def exception_moves(self, exception_id: str) -> Sequence[MoveRecord]:
        """The newest first."""
        ...

    async def of_several_steps(self, transaction_ids: Sequence[str]) -> frozenset[str]:
        """Those of them that are a plan of several steps, or came to more than one."""
        ...

    async def exception_move(self, move_id: str) -> MoveRecord | None: ...
    async def bulk(self, bulk_id: str) -> BulkRecord | None: ...
    async def due_bulk_items(self, bulk_id: str, most: int) -> Sequence[BulkItemRecord]:
        """Those that were not dealt with yet, in their order."""
        ...

    async def bulk_tally(self, bulk_id: str) -> Sequence[tuple[str | None, int]]:
        """How many came to which result; None: not dealt with yet."""
        ...

    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None: ...
    async def document(self, document_id: str, visible: Visible) -> DocumentRecord | None: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def person_name(self, person: str) -> str | None: ...
