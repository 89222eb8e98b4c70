"""What came in beside the synchronous calls, as `gateway.intake.ports.IntakeCounts` asks for it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge


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
        self._put_off = Counter(
            "erp_gateway_intake_put_off_total",
            "Messages from NATS that were put off, by the code of the problem.",
            ["code"],
            registry=registry,
        )
        self._looked = Gauge(
            "erp_gateway_intake_looked_timestamp_seconds",
            "When this process last asked NATS for messages and dealt with what came; 0 where it takes none.",
            registry=registry,
        )
        self._backlog = Gauge(
            "erp_gateway_intake_backlog",
            "Messages from NATS, of all processes: new ones, and those delivered and not decided (put_off).",
            ["state"],
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

    def put_off(self, codes: Mapping[str, int]) -> None:
        """These come again. Codes are those of problems: few."""
        for code, count in codes.items():
            self._put_off.labels(code).inc(count)

    def looked(self) -> None:
        """Now."""
        self._looked.set_to_current_time()

    def backlog(self, new: int, put_off: int) -> None:
        """So much is left."""
        self._backlog.labels("new").set(new)
        self._backlog.labels("put_off").set(put_off)
