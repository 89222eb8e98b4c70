"""Exports of entries: streamed, with their count and hash in the last line.

The last line is no record. In JSON lines it is an object with the one member `export`; in CSV it begins with `#`. The
SHA-256 is of all bytes before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from gateway.errors import GatewayError
from gateway.ledger.entry_pages import Asked, all_rows
from gateway.ledger.entry_wire import csv_head, csv_lines, entries_of, json_lines
from gateway.ledger.export_ends import csv_end, json_end
from gateway.store.archived_reads import ArchivedReads

Form = Literal["csv", "jsonl"]
PART = 500
"""Entries of one part."""


class IndexEmptied(GatewayError):
    """The index of entries was emptied while an export was read off it: what was given out may be short."""


@dataclass(slots=True)
class Export:
    """One export. `rows` and `answer_hash` are of what was given out so far, the last line not counted. `known_at`: the
    instant (RFC 3339) as of which it was asked for, or None."""

    reads: ArchivedReads
    asked: Asked
    form: Form
    query_id: str
    known_at: str | None = None
    rows: int = 0
    _hash: Any = field(default_factory=sha256)
    _archived: set[str] = field(default_factory=set)

    @property
    def answer_hash(self) -> str:
        """In hexadecimal."""
        return str(self._hash.hexdigest())

    async def parts(self) -> AsyncIterator[bytes]:
        """All but the last line. Raises EntriesMissing, StoreUnavailable, IndexEmptied."""
        if self.form == "csv":
            yield self._counted(csv_head())
        async for rows in all_rows(self.reads, self.asked):
            for start in range(0, len(rows), PART):
                entries = await entries_of(self.reads, rows[start : start + PART])
                self.rows += len(entries)
                self._archived.update(one["archivedMonth"] for one in entries if "archivedMonth" in one)
                yield self._counted(self._lines(entries))
        indexed = await self.reads.indexed_size()
        if indexed < self.asked.end:
            raise IndexEmptied(f"the index of entries was emptied meanwhile: {indexed} of {self.asked.end} are there")

    def last_line(self) -> bytes:
        """Count and hash of what was given out, how many entries of the log it looked at, and the months in whose
        archives the bytes of some of it are."""
        told: dict[str, object] = {"queryId": self.query_id, "rows": self.rows, "sha256": self.answer_hash}
        told["logSize"] = self.asked.end
        if self.known_at is not None:
            told["knownAt"] = self.known_at
        end = csv_end if self.form == "csv" else json_end
        return end(told, sorted(self._archived))

    def _lines(self, entries: Iterable[Mapping[str, Any]]) -> bytes:
        return csv_lines(entries) if self.form == "csv" else json_lines(entries)

    def _counted(self, part: bytes) -> bytes:
        self._hash.update(part)
        return part
