"""What the relay counts, for whoever exports it."""

from __future__ import annotations

from typing import Protocol


class RelayMetrics(Protocol):
    """Where the relay counts. Calls must be quick and must not raise."""

    def published(self, events: int, *, batches: int) -> None: ...
    def recovered(self, events: int) -> None:
        """Events found in the stream whose acknowledgement was never heard, or was not remembered before an end."""
        ...

    def republished(self, events: int) -> None:
        """Events made unpublished again because the stream lacks them."""
        ...

    def failed(self, reason: str) -> None:
        """One failure, by the name of its error class."""
        ...


class Uncounted:
    """Metrics that nobody looks at."""

    def published(self, events: int, *, batches: int) -> None: ...
    def recovered(self, events: int) -> None: ...
    def republished(self, events: int) -> None: ...
    def failed(self, reason: str) -> None: ...
