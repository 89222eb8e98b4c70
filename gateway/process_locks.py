"""A lock that a process holds as long as it lives: whoever gets it next knows that the one before has ended.

In a container a process cannot see those of another one, but the kernel below is the same, and it gives a lock free
only when the process ends (flock(2): with the last descriptor of the open file). A process that stands still keeps its
lock. Each lock file names its last holder. It is believed only for a process of the same boot of the machine, in the
very file that it wrote (a copy of the directory is another file), and on a disk of this machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Final

import psutil
import structlog

FOLDER: Final = "processes"
MOST: Final = 256
"""Processes that share one data directory at most; beyond, they hold no lock and prove nothing."""
_CONTENT_BYTES: Final = 65_536
_log = structlog.get_logger(__name__)
_OVER_A_NETWORK: Final = frozenset(
    "9p afs beegfs ceph cifs gfs2 glusterfs lustre nfs nfs4 ocfs2 smb3 smbfs virtiofs".split()
)
"""File systems whose locks are given by another machine, which may take a living process for ended."""


class ProcessLock:
    """This process's lock. `ended`: the processes whose locks were free, until `noted` says that this is on record."""

    def __init__(self, process_id: str, own: int | None, ended: tuple[str, ...], free: tuple[int, ...]) -> None:
        self.ended = tuple(dict.fromkeys(ended))
        self._process_id = process_id
        self._own = own
        self._free = free

    def noted(self) -> None:
        """Others need not learn it from the files any more."""
        if self._own is not None:
            _write(self._own, self._process_id)
        for descriptor in self._free:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)
        self._free = ()

    async def release(self) -> None:
        """The process ends. What was not noted, the next one finds."""
        for descriptor in (*self._free, self._own):
            if descriptor is not None:
                os.close(descriptor)
        self._free, self._own = (), None


def hold_lock(data: Path, process_id: str) -> ProcessLock:
    """Take a lock in the data directory for this process's life, and see which others have ended.

    Where it cannot be written, or another machine gives its locks, there is none, and nothing is proven.
    """
    folder = data / FOLDER
    if is_over_a_network(data):
        _log.info("no_process_lock", folder=str(folder), why="its file system is not of this machine")
        return ProcessLock(process_id, None, (), ())
    free: list[int] = []
    ended: list[str] = []
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in (folder / f"{number}.lock" for number in range(MOST)):
            if free and not path.exists():
                break
            descriptor = _taken(path)
            if descriptor is not None:
                free.append(descriptor)
                ended += _holders(descriptor)
        if free:
            # together, until it is on record: a process that ends in between must not take the knowledge with it
            _write(free[0], process_id, *ended)
    except OSError as error:
        for descriptor in free:
            os.close(descriptor)
        _log.warning("no_process_lock", folder=str(folder), why=str(error))
        return ProcessLock(process_id, None, (), ())
    return ProcessLock(process_id, free[0] if free else None, tuple(ended), tuple(free[1:]))


def holders(data: Path) -> frozenset[str]:
    """The processes that hold a lock of the data directory now."""
    found: set[str] = set()
    for path in (data / FOLDER).glob("*.lock"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.update(_holders(descriptor)[:1])
            finally:
                os.close(descriptor)
    return frozenset(found)


def _taken(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _holders(descriptor: int) -> list[str]:
    about = os.fstat(descriptor)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        content = json.loads(os.pread(descriptor, _CONTENT_BYTES, 0))
        if content["file"] == [about.st_dev, about.st_ino]:
            return [str(one) for one in content["processIds"]]
    return []


def _write(descriptor: int, *process_ids: str) -> None:
    about = os.fstat(descriptor)
    content = {"processIds": process_ids, "file": [about.st_dev, about.st_ino]}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)


def is_over_a_network(path: Path) -> bool:
    """Whether another machine gives the locks there; what nobody knows counts as such."""
    places = [(Path(one.mountpoint), one.fstype) for one in psutil.disk_partitions(all=True)]
    resolved = path.resolve()
    above = [(len(place.parts), kind) for place, kind in places if resolved.is_relative_to(place)]
    kind = max(above, default=(0, ""))[1]
    return not kind or kind in _OVER_A_NETWORK or kind.startswith("fuse")
