"""What the intake of many documents needs of the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from typing import Protocol, TypeVar

from gateway.domain.batches import BatchLineRecord, BatchLineShown, BatchProgress, BatchRecord, LineResult

T = TypeVar("T")


class IntakeCounts(Protocol):
    """What is shown of an intake, by result. `gateway.telemetry.Metrics.intake` is one."""

    def batch_lines(self, results: Mapping[str, int]) -> None: ...
    def messages(self, results: Mapping[str, int], *, redelivered: int) -> None: ...
    def put_off(self, codes: Mapping[str, int]) -> None:
        """Messages by the problem for which they were put off."""
        ...

    def looked(self) -> None:
        """The consumer lives: it asked for messages, and dealt with what came."""
        ...

    def backlog(self, new: int, put_off: int) -> None:
        """What is left of the messages, for all processes together."""
        ...


class BatchUnit(Protocol):
    """One write transaction about batches."""

    async def batch_named(self, client: str, idempotency_key: str) -> BatchRecord | None:
        """The row, locked until the end of the unit."""
        ...

    async def insert_batch(self, record: BatchRecord) -> None: ...
    async def take_batch_over(self, record: BatchRecord) -> None:
        """`record` has the new epoch: whoever carried the batch on before writes no more."""
        ...

    async def carry_batch_on(self, record: BatchRecord) -> None:
        """Raises `gateway.store.errors.Fenced` if a newer request carries it on."""
        ...

    async def insert_batch_lines(self, records: Sequence[BatchLineRecord]) -> None: ...
    async def decide_batch_lines(self, records: Sequence[BatchLineRecord]) -> None: ...


class BatchStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[BatchUnit], Awaitable[T]]) -> T: ...


class BatchReads(Protocol):
    """Questions about batches."""

    async def batch(self, batch_id: str) -> BatchRecord | None: ...
    async def batch_progress(self, batch_id: str) -> BatchProgress | None:
        """All of one moment."""
        ...

    async def waiting_batch_lines(self, batch_id: str, after: int, most: int) -> Sequence[BatchLineRecord]:
        """In their order, above the line `after`."""
        ...

    async def named_in_batches(self, batch: BatchRecord, transaction_ids: Collection[str]) -> Set[str]:
        """Which of these transactions a line of this batch names, or a line of another one of its client that had it
        accepted since this batch began."""
        ...

    async def batch_lines(
        self, batch_id: str, after: int, most: int, result: LineResult | None = None
    ) -> Sequence[BatchLineShown]:
        """In their order, above the line `after`; those with one result if that is named."""
        ...
