"""The files of an archived month, and the lines that hold its entries.

::

    archive.json            what it is: month, log, counts and sums
    checkpoint              the signed checkpoint that covers all of it, with the cosignatures
    keys/1 …                announcements of the log's new keys
    tile/<level>/<number>   those hash tiles of the log (C2SP tlog-tiles) that lead from the entries to the checkpoint
    entries/000.jsonl …     the entries, one on a line, in the order of trace and seq
    manifest                SHA-256 of all but the tiles, signed by `<origin>/evidence` (C2SP signed-note)

The tiles need no line in the manifest: they are proven by the checkpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.entries import MAX_ENTRY_BYTES
from gateway.domain.records import EntryRecord
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.months.wrong import ArchiveWrong

TOLD: Final = "archive.json"
FORMAT: Final = "ledger-month/v1"
ENTRIES: Final = "entries"
PART_ENTRIES: Final = 10_000
PART_BYTES: Final = 16 * 1024 * 1024
"""A file ends with the entry that reaches one of both."""
MOST_PART_BYTES: Final = PART_BYTES + 7 * MAX_ENTRY_BYTES
"""Escapes make six bytes of one at most, and names and ids come beside."""
MOST_TOLD_BYTES: Final = 1_000_000
MOST_PARTS: Final = 8_000
"""The manifest is a signed note of a million bytes at most: some 80 million entries."""


def part_path(number: int) -> str:
    """Where the entries of a part are."""
    return f"{ENTRIES}/{number:03d}.jsonl"


@dataclass(frozen=True, slots=True)
class ArchivedEntry:
    """An entry with its place in the log."""

    log_index: int
    trace: str
    seq: int
    body: bytes

    def line(self) -> bytes:
        """As it stands in a file, with its newline."""
        told = {
            "logIndex": self.log_index,
            "trace": self.trace,
            "seq": self.seq,
            "entry": self.body.decode(),
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes, path: str, number: int) -> ArchivedEntry:
        """Read a line without its newline. Raises ArchiveWrong for any but the one form."""
        try:
            told: dict[str, Any] = json.loads(line)
            values = [told[name] for name in ("logIndex", "trace", "seq", "entry")]
            if [type(value) for value in values] != [int, str, int, str] or values[0] < 0:
                raise ArchiveWrong(path, f"line {number} is no entry: a member is of another kind")
            found = cls(values[0], values[1], values[2], values[3].encode())
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ArchiveWrong(path, f"line {number} is no entry: {error}") from error
        if found.line() != line + b"\n":
            raise ArchiveWrong(path, f"line {number} is no entry as an archive writes them")
        return found

    def told(self) -> dict[str, Any]:
        """What the entry says. Raises ValueError."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
        return found

    def record(self) -> EntryRecord:
        """The row of the database. Raises KeyError, ValueError for bytes that are no entry of ours."""
        told = self.told()
        kind, at, lineage_id = str(told["kind"]), int(told["at"]), told.get("lineageId")
        return EntryRecord(self.trace, self.seq, kind, at, lineage_id, self.body, leaf_hash(self.body))
