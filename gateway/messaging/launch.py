"""Becomes the nats-server. Run as a script: `python -I -S launch.py <parent pid> <record> <program> <argument>...`

A program between gateway and server, because three things must be true before the server's first instruction, and a
function run between fork and exec of a process with threads may deadlock:

- the kernel ends the server when the gateway ends, however that happens (Linux, prctl(2) PR_SET_PDEATHSIG, kept over
  exec; elsewhere the next start of the gateway ends the orphan);
- the record of its process exists, so that no instant is left in which a server runs that nobody knows;
- the descriptor of the directory's lock, inherited from the gateway, is the server's own: the lock stands exactly as
  long as the server lives.

Only the standard library, without site-packages: it starts in some 20 ms.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_STARTTIME_FIELD = 22 - 3
"""Field 22 of /proc/<pid>/stat (proc(5)), counted after the program's name, which is field 2 and may hold blanks."""


def started(pid: int) -> str:
    """The operating system's start time of a process, in clock ticks since boot; empty where it cannot be known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_STARTTIME_FIELD]


def main(arguments: list[str]) -> None:
    """Never returns: execs the program or ends with status 1 when the parent is gone already."""
    parent, record, program = int(arguments[0]), Path(arguments[1]), arguments[2]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew what to do about it
        sys.exit(1)
    pid = os.getpid()
    fresh = record.with_suffix(".new")
    words = {"pid": pid, "started": started(pid), "parentPid": parent, "parentStarted": started(parent)}
    fresh.write_text(json.dumps(words), encoding="utf-8")
    fresh.replace(record)
    os.execv(program, arguments[2:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
