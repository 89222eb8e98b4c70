"""The keys that sign checkpoints now; a rotation is taken over by a running process when the key files change."""

from __future__ import annotations

from pathlib import Path

from gateway.ledger.errors import KeyMisused
from gateway.ledger.key_files import KeyFiles, KeyPurpose
from gateway.ledger.note_keys import SigningKey

_Stamp = tuple[tuple[int, int, int] | None, ...]


class CurrentKeys:
    """The log's signers: two while one key follows another."""

    def __init__(self, files: KeyFiles) -> None:
        """Raises `KeyMisused`."""
        self._files = files
        self._stamp: _Stamp = ()
        self._signers: tuple[SigningKey, ...] = ()
        self.signers()

    def signers(self) -> tuple[SigningKey, ...]:
        """Those of the files as they are now. Raises `KeyMisused`."""
        stamp = self._look()
        if stamp != self._stamp:
            try:
                self._signers = self._files.log_signers()
            except KeyMisused:
                # one key has followed the other between two looks: as they are now
                stamp = self._look()
                self._signers = self._files.log_signers()
            self._stamp = stamp
        return self._signers

    def _look(self) -> _Stamp:
        return tuple(_stamp(path) for path in self._files.log_paths)


def make_missing(files: KeyFiles) -> None:
    """Make the log's key and the evidence key at the first start. Raises `KeyMisused`."""
    for purpose in (KeyPurpose.LOG, KeyPurpose.EVIDENCE):
        if not files.path(purpose).exists():
            try:
                files.create(purpose)
            except KeyMisused:  # another process was faster: its key is ours too
                files.signer(purpose)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
