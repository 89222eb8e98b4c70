"""What recorded traffic is read through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.traffic import RoutedEntry, TrafficCursor


class TrafficReads(Protocol):
    """The ledger's entries by time."""

    async def routed_entries(self, after: TrafficCursor, until: int, most: int) -> Sequence[RoutedEntry]:
        """Up to `most` entries behind `after` and before `until` (µs), in order."""
        ...

    async def count_routed(self, since: int, until: int) -> int:
        """How many there are in [since, until)."""
        ...

    async def first_routed(self, traces: Sequence[str]) -> dict[str, int]:
        """By trace: the seq of its first `routed` entry."""
        ...

    async def posted_bodies(self, traces: Sequence[str]) -> dict[str, bytes]:
        """By trace: its `posted` entry, where it has one."""
        ...

    async def external_ids(self, traces: Sequence[str]) -> dict[str, str]:
        """By trace of a transaction: the caller's own id of its document, where it has one that was not erased."""
        ...
