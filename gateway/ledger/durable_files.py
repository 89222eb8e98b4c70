"""Files that are whole or not there, and that stay after a power cut: written aside, synced, renamed, synced again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from gateway.ledger.errors import Malformed, StateBroken

SYNCS_AT_ONCE: Final = 8
"""Syncs under way together: the file system commits them as one, more gain nothing."""
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a file in place of whatever is there."""
    write_all_durably({path: data}, mode)


def write_all_durably(files: Mapping[Path, bytes], mode: int = 0o644) -> None:
    """Put many files in their places; each is whole or not there, and all are durable when this returns.

    Their folders are made. Syncs wait for the disk, not for each other, and a folder is synced once: many files at once
    are much cheaper than one after the other.
    """
    drafts = {path.with_name(f".{path.name}.{secrets.token_hex(8)}"): path for path in files}
    for folder in {path.parent for path in files}:
        make_folder(folder)
    try:
        _side_by_side(lambda draft: _write_synced(draft, files[drafts[draft]], mode), list(drafts))
        for draft, path in list(drafts.items()):
            draft.replace(path)
            del drafts[draft]
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    _side_by_side(sync_folder, list({path.parent for path in files}))


def _side_by_side(work: Callable[[Path], None], paths: Sequence[Path]) -> None:
    if len(paths) == 1:
        work(paths[0])
    elif paths:
        with ThreadPoolExecutor(min(len(paths), SYNCS_AT_ONCE)) as threads:
            list(threads.map(work, paths))


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    """Write and sync through one descriptor: a disk's error on what was written is told to that one for certain."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that their names stay after a power cut."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_limited(path: Path, limit: int) -> bytes | None:
    """The bytes of a plain file, None if there is none.

    Raises:
        Malformed: there are more than `limit`, or it is a link, a folder or a pipe, or it cannot be read.
    """
    try:
        # O_NONBLOCK: a pipe in somebody's directory would otherwise hold the reader for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | _NO_FOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Malformed(f"{path} is no plain file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise Malformed(f"{path} is larger than the {limit} bytes that its format allows")
    return data


@contextlib.contextmanager
def held_alone(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock file while the context is open (flock: it ends with the process).

    Raises:
        StateBroken: another process, or another holder in this one, has it, and `wait` is false; or it cannot be made.
    """
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | _NO_FOLLOW, 0o600)
    except OSError as error:
        raise StateBroken(f"{path} cannot be made: {error.strerror} ({error.filename})") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateBroken(f"{path} is held by another run; wait until it has ended") from error
        yield
    finally:
        os.close(descriptor)
