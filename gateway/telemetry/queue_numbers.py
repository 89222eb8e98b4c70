"""How much waits, by lane and system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Gauge

NOWHERE_YET: Final = "unrouted"
"""The label of what cannot be told yet."""


class Depth(Protocol):
    """The jobs of one lane at one system; ages in seconds."""

    @property
    def lane(self) -> str: ...
    @property
    def system_id(self) -> str: ...
    @property
    def under_way(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def put_off(self) -> int: ...
    @property
    def due(self) -> int: ...
    @property
    def oldest_s(self) -> float: ...
    @property
    def oldest_due_s(self) -> float: ...


class DepthNumbers:
    """Gauges; a lane that is empty at a system has none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._depth = Gauge(
            "erp_gateway_queue_depth",
            "Transactions by lane, system and why they are there: due, under_way, waiting, put_off.",
            ["lane", "system_id", "state"],
            registry=registry,
        )
        self._age = Gauge(
            "erp_gateway_queue_oldest_seconds",
            "Age of the oldest of them since its acceptance, without those under way.",
            ["lane", "system_id"],
            registry=registry,
        )
        self._due_age = Gauge(
            "erp_gateway_queue_oldest_due_seconds",
            "How long the longest due of them has been due.",
            ["lane", "system_id"],
            registry=registry,
        )

    def show(self, depths: Sequence[Depth]) -> None:
        """What there is at this scrape."""
        for gauge in (self._depth, self._age, self._due_age):
            gauge.clear()
        for one in depths:
            labels = (one.lane, one.system_id or NOWHERE_YET)
            for state, count in (
                ("due", one.due),
                ("under_way", one.under_way),
                ("waiting", one.waiting),
                ("put_off", one.put_off),
            ):
                self._depth.labels(*labels, state).set(count)
            self._age.labels(*labels).set(one.oldest_s)
            self._due_age.labels(*labels).set(one.oldest_due_s)
