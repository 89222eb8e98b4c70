"""The leaf hashes of archived entries by their places, for who verifies a log whose gateway has these no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Self

from gateway.ledger.hashing import leaf_hash
from gateway.ledger.months.lines import ArchivedEntry
from gateway.ledger.months.verify import verify_archive
from gateway.ledger.note_keys import VerifierKey

_HASH: Final = 32
_NONE: Final = bytes(_HASH)


class ArchivedLeaves:
    """Implements `gateway.ledger.recomputation.Archives`. A file that is never seen holds them, so that memory does not
    grow with the months: 32 bytes at each place, and nothing where no archive has an entry."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, directory: Path, keys: Sequence[VerifierKey], evidence_key: VerifierKey | None) -> None:
        """Take the entries of an archive, which is verified: each of them is in the log of these keys, as signed.

        Raises as `verify_archive` does.
        """
        verify_archive(directory, keys, evidence_key=evidence_key, on_entry=self._take)

    def leaves(self, first: int, end: int) -> Sequence[bytes | None]:
        """See `Archives`."""
        self._file.seek(first * _HASH)
        found = self._file.read((end - first) * _HASH).ljust((end - first) * _HASH, b"\0")
        each = [found[at : at + _HASH] for at in range(0, len(found), _HASH)]
        return [None if one == _NONE else one for one in each]

    def _take(self, entry: ArchivedEntry) -> None:
        self._file.seek(entry.log_index * _HASH)
        self._file.write(leaf_hash(entry.body))
