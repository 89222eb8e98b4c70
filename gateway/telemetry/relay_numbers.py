"""What the relay counts, as `gateway.messaging.metrics.RelayMetrics` asks for it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class RelayNumbers:
    """Events by what became of them, and failures by the name of their error class: their number is bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "erp_gateway_relay_events_total",
            "Events that the stream took (published), held already (recovered), or had lost (republished).",
            ["outcome"],
            registry=registry,
        )
        self._failures = Counter(
            "erp_gateway_relay_failures_total",
            "Failures of the relay by error class.",
            ["reason"],
            registry=registry,
        )
        # so that each is there as 0 before the first: the increase from nothing is no increase
        self._published = self._events.labels("published")
        self._recovered = self._events.labels("recovered")
        self._republished = self._events.labels("republished")

    def published(self, events: int, *, batches: int) -> None:
        """The stream acknowledged these; in how many `batches` is not counted."""
        self._published.inc(events)

    def recovered(self, events: int) -> None:
        """Found in the stream; their acknowledgement was never heard, or was not remembered."""
        self._recovered.inc(events)

    def republished(self, events: int) -> None:
        """Made unpublished again because the stream lacks them."""
        self._republished.inc(events)

    def failed(self, reason: str) -> None:
        """One failure."""
        self._failures.labels(reason).inc()
