"""What the relay needs of the store: the outbox, and what it remembers of the stream."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from gateway.domain.queries import Published, StreamMemory
from gateway.domain.records import OutboxRecord

__all__ = ["Outbox", "Published", "StreamMemory"]


class Outbox(Protocol):
    """Events that were committed with their facts. Losing the whole stream costs latency, never data."""

    async def pending(self, limit: int, without: Collection[str] = ()) -> Sequence[OutboxRecord]:
        """Unpublished events in the order of their commits, per lineage by sequence without a hole. `without`: lineages
        that are passed over, some thousand at most."""
        ...

    async def mark_published(self, published: Sequence[Published], at: int) -> None:
        """Remember what the stream acknowledged."""
        ...

    async def stream_memory(self, stream: str) -> StreamMemory | None: ...
    async def remember_stream(self, memory: StreamMemory) -> None: ...
    async def republish_after(self, stream_sequence: int) -> int:
        """Make unpublished again every kept event above that stream sequence (0: all); how many. For a stream
        that is new or lost its end."""
        ...

    async def forget_published_before(self, at: int) -> int:
        """Delete events whose acknowledgement is older than `at` (µs); how many."""
        ...
