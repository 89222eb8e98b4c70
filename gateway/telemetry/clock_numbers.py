"""How far this machine's clock is from others'."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge


class ClockNumbers:
    """Against the database, and against each witness."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._offset = Gauge(
            "erp_gateway_clock_offset_seconds",
            "This machine's clock less the other's: database, or a witness by its name (which states whole seconds).",
            ["against"],
            registry=registry,
        )

    def offset(self, against: str, seconds: float) -> None:
        """As it was seen last."""
        self._offset.labels(against).set(seconds)
