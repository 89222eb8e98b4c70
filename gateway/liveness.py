"""Proving that a process ended, so that what it may have sent can be judged.

A process id alone proves nothing (they are used again); with the start time that the kernel recorded it does. Only
processes of the same machine and the same pid namespace can be judged from here; of others it is on record, by their
lock (`gateway.process_locks`) or by their supervisor's word, or nothing is proven.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

from gateway.domain.processes import ProcessRecord

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = Path("/etc/machine-id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def this_host() -> str:
    """Names this machine and pid namespace: host name, machine id, namespace."""
    try:
        namespace = _PID_NAMESPACE.readlink().name
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{_text(_MACHINE_ID)}/{namespace}"


def this_boot() -> str:
    """Changes with every start of the machine."""
    return _text(_BOOT_ID) or f"{psutil.boot_time():.0f}"


def this_process(process_id: str, now: int) -> ProcessRecord:
    """The record by which others can prove later that this process ended."""
    pid = os.getpid()
    return ProcessRecord(
        process_id=process_id,
        host=this_host(),
        boot_id=this_boot(),
        pid=pid,
        started=_started(pid),
        registered_at=now,
    )


def _started(pid: int) -> str:
    return f"{psutil.Process(pid).create_time():.2f}"


class HostLiveness:
    """Judges processes of this host."""

    def __init__(self) -> None:
        self._host = this_host()
        self._boot = this_boot()

    def has_ended(self, process: ProcessRecord) -> bool:
        """True if the process is proven ended. The same machine started anew proves it for all before."""
        if process.ended_at is not None:
            return True
        if process.host != self._host:
            return False
        if process.boot_id != self._boot:
            return "//" not in process.host  # without a machine id, equal host names prove nothing
        return not self.is_seen(process)

    def is_seen(self, process: ProcessRecord) -> bool:
        """True if the process is seen here, running or standing still, whatever is on record of it."""
        if (process.host, process.boot_id) != (self._host, self._boot):
            return False
        try:
            return _started(process.pid) == process.started and not self._is_zombie(process.pid)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    @staticmethod
    def _is_zombie(pid: int) -> bool:
        """A zombie runs no more; it only waits for its parent to ask."""
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
