"""`python -m gateway.demo.tether PARENT_PID COMMAND...`: become COMMAND, and end when the parent ends.

On Linux the kernel then sends SIGTERM to the process when its parent dies, however it dies (prctl(2),
PR_SET_PDEATHSIG; it survives execve). Set by a program of its own, because code between fork and exec of a process
with threads may deadlock. Elsewhere an orphan is found at the next start, by its recorded process id.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then replace it by the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above took effect
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the demo's own command, no shell


if __name__ == "__main__":
    main()
