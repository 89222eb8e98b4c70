"""What came in beside the synchronous calls, as `gateway.intake.ports.IntakeCounts` asks for it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter


class IntakeNumbers:
    """Lines of batches and messages from NATS by what became of them. Results are our own words: few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lines = Counter(
            "erp_gateway_batch_lines_total",
            "Lines of batches: accepted, known (accepted before), refused, or waiting for another document.",
            ["result"],
            registry=registry,
        )
        self._messages = Counter(
            "erp_gateway_intake_messages_total",
            "Messages from NATS: accepted, known (accepted before), refused, or put off to come again.",
            ["result"],
            registry=registry,
        )
        self._redelivered = Counter(
            "erp_gateway_intake_redelivered_total",
            "Messages from NATS that had been delivered before, to this process or another.",
            registry=registry,
        )
        # so that each is there as 0 before the first: the increase from nothing is no increase
        for counter in (self._lines, self._messages):
            for result in ("accepted", "known", "refused"):
                counter.labels(result)

    def batch_lines(self, results: Mapping[str, int]) -> None:
        """These were written down; a line that waited is counted again when it is decided."""
        for result, count in results.items():
            self._lines.labels(result).inc(count)

    def messages(self, results: Mapping[str, int], *, redelivered: int) -> None:
        """These were dealt with."""
        for result, count in results.items():
            self._messages.labels(result).inc(count)
        self._redelivered.inc(redelivered)
