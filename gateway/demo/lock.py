"""One process at a time on a data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

GATEWAY_LOCK: Final = "gateway.lock"
"""The file that a gateway locks in its data directory while it runs."""


class DataInUse(RuntimeError):
    """Another process holds the data directory; `holder` is its process id as it wrote it, or "" if unreadable."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(f"another process{f' ({holder})' if holder else ''} is using {directory}")
        self.holder = holder


class NoLock(RuntimeError):
    """The file of the lock cannot be written; the text names it."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}; it keeps others out of the directory beside it")


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold the directory as long as the context is open. Raises `DataInUse`, `NoLock`.

    The lock is the kernel's (flock): it ends with the process, whatever becomes of the file. The file lies beside
    the directory, so that the directory can be emptied under the lock.
    """
    path = directory.parent / f".{directory.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NoLock(path, error) from error
    try:
        _take(descriptor, directory)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def refuse_if_served(directory: Path) -> None:
    """Raise `DataInUse` while a gateway that was started by hand writes this directory."""
    try:
        descriptor = os.open(directory / GATEWAY_LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        _take(descriptor, directory)
    finally:
        os.close(descriptor)


def _take(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DataInUse(directory, os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()) from error
