"""Recorded traffic: the `routed` entries of a window of time, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple


class RoutedEntry(NamedTuple):
    """One `routed` entry as stored: `at` in µs since 1970 UTC, `body` the bytes that `leaf_hash` is of."""

    at: int
    trace: str
    seq: int
    lineage_id: str | None
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, order=True)
class TrafficCursor:
    """Behind which entry to read on: by time, then by trace and seq, so that no entry is read twice or left out."""

    at: int
    trace: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPosition:
    """Exactly what was read of the ledger: how many entries, the last of them, and SHA-256 over their leaf hashes in
    that order. Whoever reads the same window again and finds another position has read other entries."""

    entries: int
    last: TrafficCursor | None
    leaves_hash: str

    def as_json(self) -> dict[str, str | int | None]:
        """JSON values under lowerCamelCase names."""
        last = self.last
        return {
            "entries": self.entries,
            "lastTrace": None if last is None else last.trace,
            "lastSeq": None if last is None else last.seq,
            "leavesHash": self.leaves_hash,
        }


class PositionCount:
    """A position that grows with what is read."""

    def __init__(self) -> None:
        self._entries = 0
        self._last: TrafficCursor | None = None
        self._hash = sha256()

    def add(self, page: Sequence[RoutedEntry]) -> None:
        """The next entries of the window."""
        if page:
            self._entries += len(page)
            last = page[-1]
            self._last = TrafficCursor(last.at, last.trace, last.seq)
            self._hash.update(b"".join([one.leaf_hash for one in page]))

    def position(self) -> LedgerPosition:
        """So far."""
        return LedgerPosition(entries=self._entries, last=self._last, leaves_hash=self._hash.hexdigest())
