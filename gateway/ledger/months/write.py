"""Writing the archive of a month: everything that proves its entries without a database, in one new directory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway.domain.months import Month
from gateway.ledger.durable_files import make_folder, write_all_durably, write_durably
from gateway.ledger.errors import NoteUnsigned
from gateway.ledger.evidence.manifest import MANIFEST
from gateway.ledger.log_files import LogFiles, size_of
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.months.lines import MOST_PARTS, PART_BYTES, PART_ENTRIES, TOLD, ArchivedEntry, part_path
from gateway.ledger.months.tally import MonthTally
from gateway.ledger.months.trusted_tiles import tiles_above
from gateway.ledger.months.wrong import MonthRefused
from gateway.ledger.note_keys import Signer
from gateway.ledger.notes import sign_note
from gateway.ledger.tile_store import CHECKPOINT, announcement_path
from gateway.ledger.tiles import TILE_WIDTH, Tile
from gateway.store.log_reads import LogReads

AT_ONCE: Final = 64
"""Tiles that are written together: half a megabyte."""


@dataclass(slots=True)
class _Parts:
    """The files of entries, one after the other; `hashes`: SHA-256 in hexadecimal by path."""

    directory: Path
    hashes: dict[str, str] = field(default_factory=dict)
    number: int = 0
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, line: bytes) -> bool:
        """Whether the part is full by it."""
        self.lines.append(line)
        self.size += len(line)
        return self.size >= PART_BYTES or len(self.lines) >= PART_ENTRIES

    def write(self) -> None:
        if not self.lines:
            return
        if self.number >= MOST_PARTS:
            raise MonthRefused(f"it has more entries than {MOST_PARTS} files hold")
        path, data = part_path(self.number), b"".join(self.lines)
        write_durably(self.directory / path, data)
        self.hashes[path] = sha256(data).hexdigest()
        self.number, self.lines, self.size = self.number + 1, [], 0


async def write_archive(
    log: LogReads, keys: LogKeys, month: Month, directory: Path, signer: Signer, now: int
) -> dict[str, Any]:
    """Write the archive into a directory that is empty or not there; what its `archive.json` says.

    The manifest comes last: without it, what lies there is no archive. `signer`: the evidence key; `now`: µs.

    Raises:
        MonthRefused: the month has not ended, or entries of it are not signed yet, or something is in the directory.
    """
    if now < month.following.first_at:
        raise MonthRefused(f"{month} has not ended: its entries are still being written")
    for one in await log.archived_months():
        if one.month == str(month):
            raise MonthRefused(f"{month} was taken out of the database; its archive is the one that was made then")
    if await asyncio.to_thread(_holds_something, directory):
        raise MonthRefused(f"{directory} is not empty; an archive is written into a directory of its own")
    files = LogFiles(log, keys.origin)
    note = await files.note(CHECKPOINT)
    if note is None:
        raise NoteUnsigned(f"{keys.origin} has no signed checkpoint yet")
    announced = {announcement_path(n): one for n, one in enumerate(await log.announcements(keys.origin), 1)}
    checkpoint = keys.following(announced.values()).open_checkpoint(note).checkpoint
    make_folder(directory)
    tally, parts, leaves = MonthTally(), _Parts(directory), set[int]()
    async for entry in _entries(log, month, size_of(note)):
        tally.add(entry, entry.told())
        leaves.add(entry.log_index // TILE_WIDTH)
        if parts.add(entry.line()):
            await asyncio.to_thread(parts.write)
    await asyncio.to_thread(parts.write)
    if not tally.entries:
        raise MonthRefused(f"there are no entries of {month}")
    await _write_tiles(files, tiles_above(leaves, checkpoint.size), checkpoint.size, directory)
    told = tally.told(month, checkpoint, parts.number)
    small = {TOLD: json.dumps(told, indent=2).encode() + b"\n", CHECKPOINT: note, **announced}
    hashes = {**parts.hashes, **{path: sha256(data).hexdigest() for path, data in small.items()}}
    await asyncio.to_thread(write_all_durably, {directory / path: data for path, data in small.items()})
    text = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    await asyncio.to_thread(write_durably, directory / MANIFEST, bytes(sign_note(text, [signer])))
    return told


def _holds_something(directory: Path) -> bool:
    return directory.exists() and any(directory.iterdir())


async def _entries(log: LogReads, month: Month, size: int) -> AsyncIterator[ArchivedEntry]:
    async for part in log.month_entries(month):
        for one in part:
            if one.log_index is None or one.log_index >= size:
                raise MonthRefused(
                    f"entry {one.seq} of {one.trace} is not covered by a signed checkpoint yet; the gateway signs "
                    "within a second, while it runs"
                )
            yield ArchivedEntry(one.log_index, one.trace, one.seq, one.body)


async def _write_tiles(files: LogFiles, tiles: Sequence[Tile], size: int, directory: Path) -> None:
    for start in range(0, len(tiles), AT_ONCE):
        found = {}
        for tile in tiles[start : start + AT_ONCE]:
            data = await files.tile(tile, size)
            if data is None:
                raise MonthRefused(f"{tile.path} cannot be made of what is stored: see `erp-gateway ledger audit`")
            found[directory / tile.path] = data
        await asyncio.to_thread(write_all_durably, found)
