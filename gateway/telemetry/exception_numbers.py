"""What stands in front of people, as of a scrape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

_SECOND = 1_000_000


class OpenOfReason(Protocol):
    """How many exceptions of a reason are open, and since when the oldest is (µs)."""

    @property
    def reason_code(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def oldest_at(self) -> int: ...


class ExceptionNumbers:
    """Open exceptions by reason. Reasons are our own words: their number is bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "erp_gateway_exceptions_open",
            "Transactions in front of a person, by the reason why.",
            ["reason"],
            registry=registry,
        )
        self._age = Gauge(
            "erp_gateway_exceptions_oldest_seconds", "Age of the oldest of them.", ["reason"], registry=registry
        )

    def show(self, found: Iterable[OpenOfReason], now: int) -> None:
        """Those that are open now (µs); a reason that has none any more is not shown."""
        self._open.clear()
        self._age.clear()
        for one in found:
            self._open.labels(one.reason_code).set(one.count)
            self._age.labels(one.reason_code).set(max(0.0, (now - one.oldest_at) / _SECOND))
