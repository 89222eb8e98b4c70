"""What a witness remembers: for each log the newest checkpoint that it cosigned, as the log signed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.durable_files import held_alone, read_limited, write_durably
from gateway.ledger.errors import Malformed, StateBroken
from gateway.ledger.notes import MAX_NOTE_BYTES, Note, parse_note


class WitnessedLog(Protocol):
    """A witness's memory of one log, held by nobody else meanwhile."""

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that was cosigned, None if none ever was. Raises `StateBroken`."""
        ...

    def remember(self, note: Note) -> None:
        """Put a newer one in its place; durable when this returns."""
        ...


class WitnessState(Protocol):
    """A witness's memory."""

    def log(self, origin: str) -> AbstractContextManager[WitnessedLog]:
        """One log's part. MUST keep every other holder away until the context ends: reading, checking and
        remembering are one step (tlog-witness)."""
        ...


class WitnessFiles:
    """A `WitnessState` in a directory: a file for each log, named by the SHA-256 of its origin.

    The file is the log's own signed note: should the log ever fork, it is the evidence. A file that is lost makes the
    witness forget, and it would then cosign anything of that log: keep it where its key is kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def log(self, origin: str) -> Iterator[WitnessedLog]:
        """See `WitnessState`. Waits for other holders, which are done in milliseconds."""
        path = self._directory / f"{sha256(origin.encode()).hexdigest()}.checkpoint"
        with held_alone(path.with_suffix(".lock"), wait=True):
            yield _LogFile(path, origin)


class _LogFile:
    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin

    def latest(self) -> Checkpoint | None:
        try:
            data = read_limited(self._path, MAX_NOTE_BYTES)
            if data is None:
                return None
            checkpoint = parse_checkpoint(parse_note(data).text)
        except Malformed as error:
            raise StateBroken(f"{self._path}: {error}; restore it, a witness must not forget") from error
        if checkpoint.origin != self._origin:
            raise StateBroken(f"{self._path} is of {checkpoint.origin}, not of {self._origin}")
        return checkpoint

    def remember(self, note: Note) -> None:
        write_durably(self._path, bytes(note))
