"""The demo's child processes: started so that they end with it, recorded so that a later start finds what is left."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

STOP_LIMIT_S: Final = 10.0
"""How long a child may take to end after SIGTERM before it is killed, in seconds. The gateway finishes what it has
sent to an ERP in that time, or finds out at its next start."""

_STARTS_S: Final = 2.0
"""How long a process may be on its way from one program to the next."""

_START_TOLERANCE_S: Final = 1.0
"""A process start time is boot time plus ticks; the boot time moves when the clock is set."""


class ChildEnded(RuntimeError):
    """A child that should run has ended; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    pid: int
    started: float
    mark: str


class Child:
    """One running child process. Its output goes to `log`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise `ChildEnded` unless it runs."""
        if self.exit_code is not None:
            raise ChildEnded(f"{self.name} ended with {self.exit_code}; its log {self.log} ends with:\n{self.tail()}")

    def tail(self, size: int = 2_000) -> str:
        """The last bytes of its log."""
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - size))
            return stream.read().decode("utf-8", "replace")

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """End it: SIGTERM, and SIGKILL after `limit_s`. Returns when it is gone."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


class Children:
    """All children of one demo, recorded in `record`. `mark` occurs in each one's command line (the data directory),
    so that a process that got an old pid is never taken for ours."""

    def __init__(self, record: Path, mark: str) -> None:
        self._record = record
        self._mark = mark
        self._running: dict[str, tuple[Child, _Record]] = {}
        # Children are started and stopped in threads, two at a time.
        self._recording = threading.Lock()

    def end_orphans(self) -> list[str]:
        """End what an earlier demo left running, e.g. because it was killed; the names of what was ended."""
        ended = []
        for record in self._recorded():
            process = _process_of(record)
            if process is not None:
                _end(process)
                ended.append(record.name)
        self._record.unlink(missing_ok=True)
        return ended

    def start(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start `command` (its first word an absolute path), tied to this process.

        In a session of its own: a Ctrl-C at the terminal reaches the demo alone, which then ends its children in
        order.
        """
        with log.open("ab") as stream:
            process = subprocess.Popen(  # noqa: S603 - the demo's own commands, no shell
                [sys.executable, "-m", "gateway.demo.tether", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        child = Child(name, process, log)
        started = psutil.Process(process.pid).create_time()
        with self._recording:
            self._running[name] = (child, _Record(name, process.pid, started, self._mark))
            self._write()
        return child

    def stop(self, name: str) -> None:
        """End one child, if it runs."""
        with self._recording:
            found = self._running.pop(name, None)
        if found is not None:
            found[0].stop()
            with self._recording:
                self._write()

    def stop_all(self) -> None:
        """End all children, the latest first."""
        for name in reversed(list(self._running)):
            self.stop(name)

    def _recorded(self) -> list[_Record]:
        try:
            return [_Record(**row) for row in json.loads(self._record.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return []

    def _write(self) -> None:
        text = json.dumps([asdict(record) for _, record in self._running.values()], indent=1)
        fresh = self._record.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._record)


def _process_of(record: _Record) -> psutil.Process | None:
    """The recorded process if it still runs; None if it ended, whoever has its pid now."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.started) > _START_TOLERANCE_S:
            return None
        return process if any(record.mark in word for word in _command_line(process)) else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _command_line(process: psutil.Process) -> list[str]:
    """Its words. One that is just being started has none for a moment (execve), one that has ended has none ever."""
    until = time.monotonic() + _STARTS_S
    while True:
        words = process.cmdline()
        if words or process.status() == psutil.STATUS_ZOMBIE or time.monotonic() > until:
            return words
        time.sleep(0.01)


def _end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_LIMIT_S)
