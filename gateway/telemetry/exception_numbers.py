"""What stands in front of people, as of a scrape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Gauge

_SECOND = 1_000_000
NOBODY: Final = "nobody"
"""The label of what no team owns."""


class OpenOfReason(Protocol):
    """How many exceptions of a reason are open with a team, and since when the oldest is (µs)."""

    @property
    def reason_code(self) -> str: ...
    @property
    def owner_team(self) -> str | None: ...
    @property
    def count(self) -> int: ...
    @property
    def oldest_at(self) -> int: ...


class ExceptionNumbers:
    """Open exceptions by reason and owner. Reasons are our own words, teams those of rulebooks: both are few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "erp_gateway_exceptions_open",
            "Transactions in front of a person, by the reason why, and the team that owns them.",
            ["reason", "owner"],
            registry=registry,
        )
        self._age = Gauge(
            "erp_gateway_exceptions_oldest_seconds",
            "Age of the oldest of them.",
            ["reason", "owner"],
            registry=registry,
        )

    def show(self, found: Iterable[OpenOfReason], now: int) -> None:
        """Those that are open now (µs); a reason that has none any more is not shown."""
        self._open.clear()
        self._age.clear()
        for one in found:
            labels = (one.reason_code, one.owner_team or NOBODY)
            self._open.labels(*labels).set(one.count)
            self._age.labels(*labels).set(max(0.0, (now - one.oldest_at) / _SECOND))
