"""Verifying a published log: everything is recomputed from the entries, and compared with every file and signature.

Only verifier keys and what was seen of the log before are trusted. The log is read once from its first entry to its
last; memory does not grow with it (one bundle, and one tile for each level).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.errors import Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.held import Held, held_file
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.recomputation import Archives, Gaps, Recomputation
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_store import CHECKPOINT, TileReader, announcements
from gateway.ledger.verification import Reason, Verification, Wrong, WrongFound

Progress = Callable[[int, int], None]
"""Called with (entries recomputed, entries in all)."""
_NO_WITNESSES = WitnessPolicy()


def verify_directory(
    directory: Path,
    keys: Sequence[VerifierKey],
    state: Path,
    *,
    witnesses: WitnessPolicy = _NO_WITNESSES,
    progress: Progress | None = None,
) -> Verification:
    """Verify what is published in a directory, and remember it if all is well.

    Args:
        directory: `checkpoint`, `tile/…` and, where keys have changed, `keys/…`.
        keys: the log's, as they were handed over; their name is its origin.
        state: the file with what was seen before, made at first sight. A log that is smaller than it, or does not
            continue it, is wrong for ever.
        witnesses: whose cosignatures are wanted.
        progress: called now and then.

    Raises:
        KeyMisused: the keys cannot be those of a log, or of a witness.
        StateBroken: the state file is damaged, of another log, or in use; nothing was judged.
    """
    return verify_tiles(DirectoryTiles(directory), keys, state, witnesses=witnesses, progress=progress)


def verify_tiles(
    tiles: TileReader,
    keys: Sequence[VerifierKey],
    state: Path,
    *,
    witnesses: WitnessPolicy = _NO_WITNESSES,
    progress: Progress | None = None,
    archives: Archives | None = None,
) -> Verification:
    """As `verify_directory`, wherever the files are read. `archives`: of months that who serves the log has no more."""
    log = LogKeys.pinned(*keys)
    with held_file(state, log.origin) as file:
        found = verify_log(tiles, log, file.read(), witnesses=witnesses, progress=progress, archives=archives)
        if found.seen is not None:
            file.write(found.seen)
    return found


def verify_log(
    tiles: TileReader,
    log: LogKeys,
    held: Held | None,
    *,
    witnesses: WitnessPolicy = _NO_WITNESSES,
    progress: Progress | None = None,
    gaps: Gaps | None = None,
    archives: Archives | None = None,
) -> Verification:
    """Verify a published log against its keys and what was seen of it before; see `verify_directory`.

    `gaps`: of a log in a database, which entries are in the archives of their months. `archives`: of the log of a
    gateway, those that whoever verifies has.

    Raises:
        KeyMisused: a witness's key is the log's own.
    """
    found = Verification(log.origin, held.checkpoint.size if held else 0)
    try:
        log, signed = _opened(tiles, log)
    except WrongFound as stop:
        return replace(found, wrong=stop.wrong)
    size = signed.checkpoint.size
    found = replace(found, checkpoint=signed.checkpoint, keys=signed.keys)
    if size < found.held_size:
        detail = f"the log has {size} entries, it had {found.held_size} when it was last seen"
        return replace(found, wrong=Wrong(Reason.SMALLER, detail, CHECKPOINT))
    try:
        found = replace(found, cosignatures=witnesses.check(signed, log))
    except (NoteUnsigned, SignatureInvalid) as error:
        return replace(found, wrong=Wrong(Reason.COSIGNATURES, str(error), CHECKPOINT))
    walk = Recomputation(tiles, signed.checkpoint, held, progress or _silent, gaps, archives)
    try:
        frontier = walk.walk()
    except WrongFound as stop:
        return replace(found, entries=walk.entries, wrong=stop.wrong)
    seen = Held(signed.checkpoint, frontier, bytes(signed.note)) if size else None
    return replace(found, entries=walk.entries, seen=seen, hashed=walk.hashed, archived_months=walk.archived_months)


def _opened(tiles: TileReader, log: LogKeys) -> tuple[LogKeys, SignedCheckpoint]:
    """The published checkpoint, and the log's keys with those that they announced."""
    try:
        data = tiles.read(CHECKPOINT)
    except Malformed as error:
        raise WrongFound(Wrong(Reason.CHECKPOINT, str(error), CHECKPOINT)) from error
    if data is None:
        raise WrongFound(Wrong(Reason.CHECKPOINT, "no checkpoint is published there", CHECKPOINT))
    try:
        log = log.following(announcements(tiles))
    except (Malformed, SignatureInvalid) as error:
        raise WrongFound(Wrong(Reason.KEYS, str(error), "keys")) from error
    try:
        return log, log.open_checkpoint(data)
    except (Malformed, NoteUnsigned, SignatureInvalid) as error:
        raise WrongFound(Wrong(Reason.CHECKPOINT, str(error), CHECKPOINT)) from error


def _silent(done: int, total: int) -> None:
    """No progress is wanted."""
