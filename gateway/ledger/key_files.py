"""Key files: one per purpose, outside the database, mode 0600, in a directory of their own or the data directory.

    log.key           signs checkpoints                      PRIVATE+KEY+… (one line)
    log.next.key      the same, while one key follows another
    evidence.key      signs evidence packages                PRIVATE+KEY+…
    commitments.key   keys the commitments in entries        32 bytes

A file is made once and never overwritten. Whoever reads `log.key` can write another history, though not unnoticed by
those who hold a checkpoint; whoever loses it needs a new log.
"""

from __future__ import annotations

import os
import secrets
import stat
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.ledger.durable_files import make_folder, sync_folder
from gateway.ledger.errors import KeyMisused
from gateway.ledger.log_keys import announce_key
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.ledger.notes import Note

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAX_FILE: Final = 1_000
_COMMITMENT_KEY_BYTES: Final = 32


class KeyPurpose(StrEnum):
    """What a key may be used for, and nothing else."""

    LOG = "log"
    EVIDENCE = "evidence"
    COMMITMENTS = "commitments"


class KeyFiles:
    """The key files of one log."""

    def __init__(self, directory: Path, origin: str) -> None:
        """`origin`: the log's; the name of its keys, with `/evidence` for the one that signs evidence."""
        self._directory = directory
        self._origin = origin

    def path(self, purpose: KeyPurpose) -> Path:
        """Where the key of that purpose lies."""
        return self._directory / f"{purpose}.key"

    def create(self, purpose: KeyPurpose) -> None:
        """Make the key of that purpose. Raises `KeyMisused` if there is one: a key is never overwritten."""
        if purpose is KeyPurpose.COMMITMENTS:
            secret = secrets.token_bytes(_COMMITMENT_KEY_BYTES)
        else:
            secret = _secret_line(SigningKey.generate(self._name(purpose)))
        _create(self.path(purpose), secret)

    def signer(self, purpose: KeyPurpose) -> SigningKey:
        """The key that signs for that purpose: LOG or EVIDENCE. Raises `KeyMisused`."""
        return _signing_key(self.path(purpose), self._name(purpose))

    @property
    def log_paths(self) -> tuple[Path, Path]:
        """Where the log's key and the one that will follow it lie."""
        return self.path(KeyPurpose.LOG), self._next

    def log_signers(self) -> tuple[SigningKey, ...]:
        """All keys that sign checkpoints now: two while one follows the other. Raises `KeyMisused`."""
        current = self.signer(KeyPurpose.LOG)
        if not self._next.exists():
            return (current,)
        return (current, _signing_key(self._next, self._origin))

    def commitment_key(self) -> bytes:
        """The 32 bytes that key the commitments in entries. Raises `KeyMisused`."""
        try:
            secret = _read(self.path(KeyPurpose.COMMITMENTS))
        except KeyMisused as error:
            raise KeyMisused(f"{self.path(KeyPurpose.COMMITMENTS)}: {error}") from None
        if len(secret) != _COMMITMENT_KEY_BYTES:
            raise KeyMisused(f"{self.path(KeyPurpose.COMMITMENTS)} does not hold {_COMMITMENT_KEY_BYTES} bytes")
        return secret

    def begin_rotation(self, size: int) -> Note:
        """Make the next log key, or take the one that is there, and announce it for trees of at least `size` leaves.

        From now on both sign. Publish the announcement, tell auditors and witnesses, and `finish_rotation` when they
        have taken the new key over. Repeating this after a crash gives the same key.
        """
        current = self.signer(KeyPurpose.LOG)
        if not self._next.exists():
            _create(self._next, _secret_line(SigningKey.generate(self._origin)))
        return announce_key(current, _signing_key(self._next, self._origin), size)

    def finish_rotation(self) -> None:
        """Put the next log key in the place of the current one, which is gone then. Raises `KeyMisused`."""
        _signing_key(self._next, self._origin)
        self._next.replace(self.path(KeyPurpose.LOG))
        sync_folder(self._directory)

    @property
    def _next(self) -> Path:
        return self._directory / "log.next.key"

    def _name(self, purpose: KeyPurpose) -> str:
        if purpose is KeyPurpose.COMMITMENTS:
            raise KeyMisused("the commitment key signs nothing")
        return self._origin if purpose is KeyPurpose.LOG else f"{self._origin}/{purpose}"


class WitnessKeyFile:
    """The key file of a witness, which lies with the auditor who runs it."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    def made_or_read(self) -> SigningKey:
        """The key; it is made where there is none. Raises `KeyMisused`, `Malformed`."""
        if not self._path.exists():
            _create(self._path, _secret_line(SigningKey.generate(self._name, SignatureType.COSIGNATURE)))
        return _signing_key(self._path, self._name)


def _signing_key(path: Path, name: str) -> SigningKey:
    try:
        text = _read(path).decode("ascii").removesuffix("\n")
        key = SigningKey.parse_secret(text)
    except (KeyMisused, UnicodeDecodeError) as error:
        raise KeyMisused(f"{path}: {error if isinstance(error, KeyMisused) else 'holds no signing key'}") from None
    if key.key.name != name:
        raise KeyMisused(f"{path}: its key is {key.key.name}, not {name}; a key has one purpose")
    return key


def _secret_line(key: SigningKey) -> bytes:
    return f"{key.secret_text()}\n".encode("ascii")


def _create(path: Path, secret: bytes) -> None:
    """Write aside and link into place: of two that create one wins, and nobody ever reads half a key."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            raise KeyMisused(f"{path} is there already; a key is never overwritten") from None
    finally:
        draft.unlink()
    sync_folder(path.parent)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise KeyMisused(f"cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & _OTHERS:
            raise KeyMisused("is no file that only its owner can read: chmod 600 it")
        return file.read(_MAX_FILE)
