"""Checking the archive of a month offline: with nothing but the log's verifier key.

Every entry is compared with its hash, every hash leads to the signed checkpoint. That no transaction of the month is
left out is vouched for by who signed the manifest: hashes do not tell what they are of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway.domain.months import Month, NoMonth
from gateway.ledger.cosignature import Cosignature, WitnessPolicy
from gateway.ledger.durable_files import read_limited
from gateway.ledger.errors import Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.evidence.manifest import MANIFEST, opened_manifest
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.lines import base64_text
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.months.lines import (
    FORMAT,
    MOST_PART_BYTES,
    MOST_TOLD_BYTES,
    TOLD,
    ArchivedEntry,
    part_path,
)
from gateway.ledger.months.tally import MonthTally
from gateway.ledger.months.trusted_tiles import TrustedTiles
from gateway.ledger.months.wrong import ArchiveWrong
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.notes import MAX_NOTE_BYTES
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_store import CHECKPOINT, MAX_ANNOUNCEMENTS, announcement_path

Progress = Callable[[int, int], None]
"""Called with (entries checked, entries in all)."""
_NO_WITNESSES: Final = WitnessPolicy()


@dataclass(frozen=True, slots=True)
class ArchiveFound:
    """A sound archive. `manifest` are the bytes that stand for all of it; `vouched`: whether its signature was
    checked."""

    month: Month
    told: Mapping[str, Any]
    told_bytes: bytes
    manifest: bytes
    signed: SignedCheckpoint
    cosignatures: tuple[Cosignature, ...]
    entries: int
    vouched: bool

    def as_json(self) -> dict[str, Any]:
        """For `--json`, in wire words."""
        return {
            "ok": True,
            "month": str(self.month),
            "origin": self.signed.checkpoint.origin,
            "entriesVerified": self.entries,
            "logSize": self.signed.checkpoint.size,
            "rootHash": base64_text(self.signed.checkpoint.root),
            "signedBy": [key.text for key in self.signed.keys],
            "cosignedBy": [{"key": one.key.text, "timeS": one.time} for one in self.cosignatures],
            "manifestHash": sha256(self.manifest).hexdigest(),
            "manifestChecked": self.vouched,
            "amounts": self.told["amounts"],
        }


class MonthArchive:
    """The files of one archive."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, path: str, limit: int) -> bytes:
        """Raises ArchiveWrong."""
        try:
            data = read_limited(self._directory / path, limit)
        except Malformed as error:
            raise ArchiveWrong(path, str(error)) from error
        if data is None:
            raise ArchiveWrong(path, "it is missing")
        return data

    def entries(self, hashes: Mapping[str, str], parts: int) -> Iterator[tuple[str, int, ArchivedEntry]]:
        """The entries with the file and the line that each stands on; each file is compared with the manifest once
        its lines were given. Raises ArchiveWrong."""
        for number in range(parts):
            yield from self.part(number, hashes)

    def part(self, part: int, hashes: Mapping[str, str]) -> Iterator[tuple[str, int, ArchivedEntry]]:
        """The same of one file."""
        path = part_path(part)
        data = self.read(path, MOST_PART_BYTES)
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
            yield path, number, ArchivedEntry.parse(line, path, number)
        check_hash(path, data, hashes)


def verify_archive(
    directory: Path,
    keys: Sequence[VerifierKey],
    *,
    evidence_key: VerifierKey | None = None,
    witnesses: WitnessPolicy = _NO_WITNESSES,
    progress: Progress | None = None,
    on_entry: Callable[[ArchivedEntry], None] | None = None,
) -> ArchiveFound:
    """Check an archive.

    Args:
        directory: where the files are.
        keys: the log's, as they were handed over.
        evidence_key: of who signs manifests; without it nobody vouches for what no entry tells.
        witnesses: whose cosignatures are wanted.
        progress: called now and then.
        on_entry: called with each entry once it is proven, in the order of trace and seq.

    Raises:
        ArchiveWrong: it names the first thing that is wrong.
        KeyMisused: the keys cannot be those of a log.
    """
    archive = MonthArchive(directory)
    manifest = archive.read(MANIFEST, MAX_NOTE_BYTES)
    try:
        hashes, _ = opened_manifest({MANIFEST: manifest}, evidence_key)
    except PackWrong as error:
        raise ArchiveWrong(MANIFEST, error.detail) from error
    signed, cosignatures = _checkpoint(archive, LogKeys.pinned(*keys), witnesses, hashes)
    told_bytes = archive.read(TOLD, MOST_TOLD_BYTES)
    month, told = _told(told_bytes)
    check_hash(TOLD, told_bytes, hashes)
    trusted = TrustedTiles(DirectoryTiles(directory), signed.checkpoint)
    tally, before = MonthTally(), ("", 0)
    for path, number, entry in archive.entries(hashes, int(told["parts"])):
        said = _proven(entry, trusted, f"line {number}", path)
        before = _in_order(entry, month, before, f"line {number}", path)
        tally.add(entry, said)
        if on_entry is not None:
            on_entry(entry)
        if progress is not None:
            progress(tally.entries, int(told["entries"]))
    if tally.told(month, signed.checkpoint, int(told["parts"])) != told:
        raise ArchiveWrong(TOLD, "its counts and sums are not those of the entries and of the checkpoint")
    _nothing_else(directory, hashes, int(told["parts"]))
    return ArchiveFound(
        month, told, told_bytes, manifest, signed, cosignatures, tally.entries, evidence_key is not None
    )


def check_hash(path: str, data: bytes, hashes: Mapping[str, str]) -> None:
    """Raises ArchiveWrong unless the manifest lists the file with these bytes."""
    if path not in hashes:
        raise ArchiveWrong(path, "it is not listed in the manifest")
    if sha256(data).hexdigest() != hashes[path]:
        raise ArchiveWrong(path, "it is not the file that the manifest lists: its SHA-256 is another one")


def _checkpoint(
    archive: MonthArchive, log: LogKeys, witnesses: WitnessPolicy, hashes: Mapping[str, str]
) -> tuple[SignedCheckpoint, tuple[Cosignature, ...]]:
    announced = [path for n in range(1, MAX_ANNOUNCEMENTS + 1) if (path := announcement_path(n)) in hashes]
    notes = {path: archive.read(path, MAX_NOTE_BYTES) for path in announced}
    note = archive.read(CHECKPOINT, MAX_NOTE_BYTES)
    for path, data in notes.items():
        check_hash(path, data, hashes)
    try:
        known = log.following(notes.values())
        signed = known.open_checkpoint(note)
        cosignatures = witnesses.check(signed, known)
    except (Malformed, NoteUnsigned, SignatureInvalid) as error:
        raise ArchiveWrong(CHECKPOINT, str(error)) from error
    check_hash(CHECKPOINT, note, hashes)
    return signed, cosignatures


def _told(data: bytes) -> tuple[Month, dict[str, Any]]:
    try:
        told: Any = json.loads(data)
        if told["format"] != FORMAT:
            raise ArchiveWrong(TOLD, f"its format is {str(told['format'])[:40]!r}, not {FORMAT}")
        numbers = [told[name] for name in ("parts", "entries", "logSize")]
        if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in numbers):
            raise ArchiveWrong(TOLD, "a count is no whole number")
        return Month.parse(str(told["month"])), told
    except (ValueError, KeyError, TypeError, RecursionError, NoMonth) as error:
        raise ArchiveWrong(TOLD, f"it is not what this program writes: {error}") from error


def _proven(entry: ArchivedEntry, trusted: TrustedTiles, line: str, path: str) -> dict[str, Any]:
    """What the entry says, once it is the one that was signed."""
    name = f"{line}: entry {entry.seq} of {entry.trace} (place {entry.log_index})"
    try:
        hash_signed = trusted.leaf(entry.log_index)
    except ArchiveWrong as error:
        raise ArchiveWrong(error.path, f"{error.detail} (needed for {path}, {name})") from error
    if leaf_hash(entry.body) != hash_signed:
        raise ArchiveWrong(path, f"{name} is not the one that was signed")
    try:
        told = entry.told()
    except (ValueError, RecursionError) as error:
        raise ArchiveWrong(path, f"{name} is no entry: {error}") from error
    if (told.get("trace"), told.get("seq")) != (entry.trace, entry.seq):
        raise ArchiveWrong(path, f"{name} says that it is entry {told.get('seq')} of {told.get('trace')}")
    return told


def _in_order(entry: ArchivedEntry, month: Month, before: tuple[str, int], line: str, path: str) -> tuple[str, int]:
    """Every trace begins with 1 and has no gap; none is of another month."""
    trace, seq = before
    wanted = seq + 1 if entry.trace == trace else 1
    if entry.trace < trace or entry.seq != wanted:
        raise ArchiveWrong(path, f"{line}: entry {entry.seq} of {entry.trace} does not follow entry {seq} of {trace}")
    if not month.first_trace <= entry.trace < month.following.first_trace:
        raise ArchiveWrong(path, f"{line}: {entry.trace} is not of {month}")
    return entry.trace, entry.seq


def _nothing_else(directory: Path, hashes: Mapping[str, str], parts: int) -> None:
    """No file that is neither listed nor a tile."""
    listed = {path for path in hashes if path.startswith("entries/")}
    if listed != {part_path(number) for number in range(parts)}:
        raise ArchiveWrong(MANIFEST, f"it lists {len(listed)} files of entries, {TOLD} says {parts}")
    try:
        there = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    except OSError as error:
        raise ArchiveWrong(".", f"it cannot be listed: {error.strerror}") from error
    for path in sorted(there - {MANIFEST, *hashes}):
        if not path.startswith("tile/"):
            raise ArchiveWrong(path, "it is not listed in the manifest")
    for path in sorted({*hashes} - there):
        raise ArchiveWrong(path, "it is listed in the manifest and missing")
