"""What the relay needs of a stream. `gateway.messaging.nats.NatsStream` is one; tests and simulations have others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.records import OutboxRecord
from gateway.messaging.ports import Published


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The stream now: when it was created (µs) and the sequence of its last message (0: none yet)."""

    created_at: int
    last_sequence: int


class Publisher(Protocol):
    """A stream with one writer.

    Every publication names the last sequence that its sender knows (`after`), and the stream MUST refuse it with
    `StreamMoved` when it ends elsewhere. So a message that was stored although its acknowledgement was lost, a second
    relay and a stream that was restored are all noticed before anything is added. All methods MUST return or raise a
    `MessagingError` within a bounded time.
    """

    @property
    def stream(self) -> str:
        """The stream's name."""
        ...

    @property
    def session(self) -> int:
        """Changes whenever the connection was lost or made: what was known of the stream may be wrong since."""
        ...

    async def prepare(self) -> StreamEnd:
        """Connect, create or update the stream, and say where it ends.

        Raises:
            NatsUnavailable, StreamContradicts
        """
        ...

    async def publish(self, event: OutboxRecord, after: int) -> int:
        """Store one event; its sequence, which is an older one (not above `after`) if it was there already.

        Raises:
            NatsUnavailable: it may be stored.
            StreamMoved, EventRefused: it is not stored.
        """
        ...

    async def publish_batch(self, events: Sequence[OutboxRecord], after: int) -> int:
        """Store all of them in this order or none; the sequence of the last. They number consecutively.

        Raises:
            NatsUnavailable: all or none may be stored.
            StreamMoved, BatchRefused, EventRefused: none is stored.
        """
        ...

    async def stored_after(self, sequence: int, limit: int) -> Sequence[Published]:
        """Up to `limit` messages above `sequence`, oldest first: which event each of them is.

        Raises:
            NatsUnavailable
        """
        ...
