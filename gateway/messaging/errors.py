"""What can go wrong between the outbox and the stream: whether it is stored, what to do, who looks.

::

    MessagingError
    ├── NatsUnavailable    not known: cut, timeout, busy           look at the stream, try again    nobody
    ├── StreamMoved        no: the stream does not end where       look at the stream, try again    nobody
    │                      the sender thought, or is gone
    ├── BatchRefused       no, nothing of the batch                send one by one                  nobody
    ├── EventRefused       no, and never will be                   hold its lineage, send others    operations
    ├── StreamContradicts  no: the stream is not ours to use       mend settings or the stream      operations
    └── ServerNotStarted   no: the embedded server does not run    mend, start again                operations
"""

from __future__ import annotations

from gateway.errors import GatewayError


class MessagingError(GatewayError):
    """Anything that messaging raises on purpose."""


class NatsUnavailable(MessagingError):
    """NATS did not answer in time. What was being published may be stored or not."""


class StreamMoved(MessagingError):
    """Nothing was stored: the stream's last sequence is not the one that was expected, or the stream is gone."""


class BatchRefused(MessagingError):
    """Nothing of an atomic batch was stored: it holds a duplicate, or the server takes no batches."""


class EventRefused(MessagingError):
    """One event that the stream will never take, such as one above its size limit."""

    def __init__(self, event_id: str, reason: str) -> None:
        super().__init__(f"event {event_id}: {reason}")
        self.event_id = event_id


class StreamContradicts(MessagingError):
    """The stream exists with a configuration that would lose events or belongs to somebody else."""


class ServerNotStarted(MessagingError):
    """The embedded nats-server did not become ready; the message holds the end of its log."""
