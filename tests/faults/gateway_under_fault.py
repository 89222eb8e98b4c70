"""Gateways that can be killed by the hundred: one process loads the program once, and forks a gateway for each life.

What is forked runs `serve` or `work` as the command line does, on the real drivers, with a process id of its own.
Nothing of it is replaced but what an order says: a trap (`tests.faults.points`), or a planted fault
(`tests.faults.planted`). Only this program reads orders; the gateway has no such switch.

Run as `python -m tests.faults.gateway_under_fault`: an order is a line of JSON on stdin; what became of it are lines on
stdout, `{"life", "pid"}` and `{"life", "status"}`. When stdin ends, everything ends.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from gateway import liveness
from gateway.cli.serve import serve, work
from gateway.transactions import claiming
from tests.faults.nursery import CONTAINER
from tests.faults.planted import PLANTED, PLANTED_AMONG_WORKERS
from tests.faults.points import Trap, lay

_PR_SET_PDEATHSIG: Final = 1
CLAIM_LEASE_S: Final = 4.0
"""Instead of two minutes, so that a life sees how the lease of a frozen process ends."""


def _live(order: dict[str, Any]) -> None:
    """Be a gateway. Never returns."""
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    patch.object(claiming, "CLAIM_LEASE_S", CLAIM_LEASE_S).start()
    if os.environ.pop(CONTAINER, ""):
        patch.object(liveness, "this_host", lambda: f"container-{os.getpid()}//").start()
    if order["planted"]:
        {**PLANTED, **PLANTED_AMONG_WORKERS}[order["planted"]]()
    if order["trap"]:
        trap = order["trap"]
        lay(Trap(trap["point"], trap["hit"], signal.Signals(trap["act"]), Path(trap["told"])))
    code = 1
    try:
        (work if order["role"] == "work" else serve)(Path(order["data"]))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        os.write(2, f"it broke off: {error!r}\n".encode())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _tell(**said: object) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


class Nursery:
    """Forks, and tells of ends."""

    def __init__(self) -> None:
        self._lives: dict[int, int] = {}
        self._ended, wakes = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(self._ended, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)

    def run(self) -> None:
        """Until stdin ends."""
        pending = b""
        while True:
            ready, _, _ = select.select([0, self._ended], [], [])
            if self._ended in ready:
                os.read(self._ended, 4_096)
                self._reap()
            if 0 in ready:
                data = os.read(0, 65_536)
                if not data:
                    break
                *lines, pending = (pending + data).split(b"\n")
                for order in lines:
                    self._fork(json.loads(order))
        for pid in self._lives:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, order: dict[str, Any]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
            _live(order)
        self._lives[pid] = order["life"]
        _tell(life=order["life"], pid=pid)

    def _reap(self) -> None:
        while self._lives:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _tell(life=self._lives.pop(pid), status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    if threading.active_count() != 1:
        raise SystemExit("what was loaded started threads: nothing can be forked from here")
    gc.freeze()
    _tell(ready=True)
    Nursery().run()
