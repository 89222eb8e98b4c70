"""Whether a month may be taken out of the database, judged before anything is locked; and reading it back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.ledger.evidence.manifest import MANIFEST, opened_manifest
from gateway.ledger.months.lines import ArchivedEntry
from gateway.ledger.months.verify import ArchiveFound, MonthArchive, verify_archive
from gateway.ledger.months.wrong import MonthRefused
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.tiles import TILE_WIDTH
from gateway.store.month_reads import ArchivedMonth
from gateway.store.store import Store

KEEP_MONTHS: Final = 12
"""Months that stay in the database after they ended, unless the operator says otherwise: control totals, recorded
traffic and views look back that far."""


async def detachable(
    store: Store,
    keys: Sequence[VerifierKey],
    evidence_key: VerifierKey,
    month: Month,
    directory: Path,
    now: int,
    keep_months: int = KEEP_MONTHS,
) -> ArchivedMonth:
    """The record under which the month may be taken out; the database is asked once more when it is locked.

    Raises:
        ArchiveWrong: the archive is not sound, or not signed by our evidence key.
        MonthRefused: it is not the archive of what is stored, or the month is needed where it is.
    """
    oldest_kept = Month.at(now)
    for _ in range(keep_months):
        oldest_kept = _before(oldest_kept)
    if month >= oldest_kept:
        raise MonthRefused(f"{month} ended less than {keep_months} months ago; what looks back still reads it")
    archived = sha256()
    found = await asyncio.to_thread(
        verify_archive, directory, keys, evidence_key=evidence_key, on_entry=lambda one: archived.update(one.line())
    )
    if found.month != month:
        raise MonthRefused(f"{directory} is the archive of {found.month}, not of {month}")
    stored, count = sha256(), 0
    async for part in store.log.month_entries(month):
        for one in part:
            count += 1
            place = -1 if one.log_index is None else one.log_index
            stored.update(ArchivedEntry(place, one.trace, one.seq, one.body).line())
    if (count, stored.digest()) != (found.entries, archived.digest()):
        raise MonthRefused(
            f"{count} entries of {month} are stored, and the {found.entries} in {directory} are not the same: archive "
            "it again into another directory"
        )
    last = int(found.told["lastIndex"])
    if await store.log.tile_hashes(0, last // TILE_WIDTH) is None:
        raise MonthRefused(
            f"the last entry of {month} stands in a tile of the log that is not full yet; wait for some more entries"
        )
    if await store.ledger.indexed_size() <= last:
        raise MonthRefused(f"not all entries of {month} are in the index by which they are found; wait until they are")
    return ArchivedMonth(str(month), now, found.entries, found.manifest, found.told_bytes)


async def attachable(
    record: ArchivedMonth | None, keys: Sequence[VerifierKey], evidence_key: VerifierKey, month: Month, directory: Path
) -> ArchiveFound:
    """The archive out of which the month may be put back: the very one with which it was taken out.

    Raises:
        ArchiveWrong: it is not sound.
        MonthRefused: the month was not taken out, or with another archive.
    """
    if record is None:
        raise MonthRefused(f"{month} was not taken out of the database")
    found = await asyncio.to_thread(verify_archive, directory, keys, evidence_key=evidence_key)
    if found.month != month or found.manifest != record.manifest:
        raise MonthRefused(f"{directory} is not the archive with which {month} was taken out")
    return found


def rows_of(directory: Path, found: ArchiveFound) -> Iterator[EntryRecord]:
    """The rows of an archive that was verified; each file is compared with its manifest once more. Raises
    ArchiveWrong."""
    hashes, _ = opened_manifest({MANIFEST: found.manifest}, None)
    for _path, _line, entry in MonthArchive(directory).entries(hashes, int(found.told["parts"])):
        yield entry.record()


def _before(month: Month) -> Month:
    return Month(month.year - (month.number == 1), (month.number - 2) % 12 + 1)
