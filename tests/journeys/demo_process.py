"""The demo as a process of its own, as a person starts it, and looks at it from outside."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import reserved_port

COMMAND = Path(sys.executable).with_name("erp-gateway")
LIMIT_S = 600.0
"""Longest that a whole run may take on a busy machine."""

FIGURES = {"orders": (830, "1265793.02"), "invoices": (809, "1303810.62"), "payments": (809, "1303810.62")}


@dataclass
class Demo:
    """A running (or ended) demo."""

    data: Path
    process: subprocess.Popen[str]

    def finish(self) -> tuple[int, dict[str, Any]]:
        """Wait for its end; exit code and summary."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        assert out.strip(), f"no summary; stderr ends with:\n{err[-3000:]}\n{self.log()}"
        return self.process.returncode, json.loads(out)

    def log(self) -> str:
        """The end of the gateway's log."""
        path = self.data / "gateway.log"
        return path.read_text(encoding="utf-8", errors="replace")[-3000:] if path.exists() else ""

    def gateway_pid(self) -> int | None:
        """The process id of the gateway that runs now."""
        with suppress(OSError, ValueError):
            records = json.loads((self.data / "children.json").read_text(encoding="utf-8"))
            found = records if isinstance(records, list) else records.get("children", [])
            for record in found:
                if record["name"] == "gateway":
                    return int(record["pid"])
        return None

    def accepted(self) -> int:
        """How many transactions the SQLite record holds, read beside the running gateway."""
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True, timeout=5)
            try:
                return int(connection.execute("SELECT count(*) FROM transactions").fetchone()[0])
            finally:
                connection.close()
        return 0

    def wait_until_accepted(self, count: int) -> None:
        """Until so many transactions are on record, or the demo ended."""
        deadline = time.monotonic() + LIMIT_S
        while self.accepted() < count:
            assert self.process.poll() is None, f"the demo ended early:\n{self.log()}"
            assert time.monotonic() < deadline, f"{self.accepted()} of {count} accepted:\n{self.log()}"
            time.sleep(0.05)

    def kill_gateway(self) -> None:
        """kill -9, and wait until it is gone."""
        pid = self.gateway_pid()
        assert pid is not None
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while self.gateway_pid() == pid:
            assert time.monotonic() < deadline, "the demo did not start its gateway again"
            time.sleep(0.05)


@contextmanager
def demo(data: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Demo]:
    """Start `erp-gateway demo`; at the end it and its children are gone."""
    own = ("--port", str(reserved_port()))  # the gateway starts long after a demo has chosen one, and again and again
    process = subprocess.Popen(
        [COMMAND, "demo", "--data", data, "--exit-when-done", "--json", *own, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
    )
    running = Demo(data, process)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
