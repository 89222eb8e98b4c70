"""Where a running Python process spends its time: py-spy's samples, added up by the part of the program.

py-spy is no dependency of the project: it is used where it is on the path or named, and must be allowed to look into
the process (same user and ptrace, or root). It sees Python threads only, not the Rust threads of the HTTP server.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

RATE_HZ: Final = 100

PARTS: Final = (
    ("the call to the ERP: transport and aiohttp", re.compile(r"adapters/transport|/aiohttp/|aiohttp/|yarl|multidict")),
    ("events: relay and NATS client", re.compile(r"gateway/messaging|nats/(aio|js|protocol)|nats/")),
    ("record: statements, group commit, reads", re.compile(r"gateway/store|sqlite3|aiosqlite|sqlalchemy")),
    ("entries, events and their hashes", re.compile(r"gateway/domain|rfc8785|uuid|hashlib|hmac")),
    ("the line: accept, route, dispatch, settle", re.compile(r"gateway/transactions|routing_rules|gateway/worker")),
    (
        "body and canonical document",
        re.compile(
            r"gateway/api/(body|strict_json|complaints|submission|submitting|shapes|documents|wire)|adapters/canonical|pydantic|json/"
        ),
    ),
    ("token and door", re.compile(r"gateway/auth|gateway/api/(guard|door|visibility)|/jwt/|opentelemetry|prometheus")),
    ("answer", re.compile(r"gateway/api|gateway/telemetry|structlog|logging/")),
    ("Litestar: routing, middleware, response", re.compile(r"litestar|msgspec")),
    ("granian's Python side", re.compile(r"granian")),
    ("the rulebook's stub driver", re.compile(r"benchmarks/")),
)
"""Part and the source files that belong to it. A sample belongs to the part of its innermost known frame."""

_LOOP: Final = "event loop itself: sockets, wake-ups, waiting"
_IDLE: Final = re.compile(
    r"^(_worker \(concurrent|_connection_worker_thread \(aiosqlite|SqliteWriter._work |wait \(threading|\s*$)"
)
"""Innermost frames of threads that wait for work; py-spy does not always know."""


def costs(py_spy: str, pid: int, seconds: int) -> list[tuple[str, float]]:
    """Share of the samples in which a thread was running, by part, largest first. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        raw = Path(directory) / "stacks"
        command = [
            py_spy,
            "record",
            "--nonblocking",
            "--format",
            "raw",
            "--rate",
            str(RATE_HZ),
            "--duration",
            str(seconds),
        ]
        subprocess.run([*command, "--output", str(raw), "--pid", str(pid)], check=True, capture_output=True, timeout=60)
        return _by_part(raw.read_text(encoding="utf-8").splitlines())


def _by_part(stacks: list[str]) -> list[tuple[str, float]]:
    found: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        stack = frames.split(";")
        if _IDLE.match(stack[-1]) is None:
            found[_part(stack)] += int(count)
    whole = sum(found.values()) or 1
    return [(part, count / whole) for part, count in found.most_common()]


def _part(frames: list[str]) -> str:
    for frame in reversed(frames):
        for part, pattern in PARTS:
            if pattern.search(frame):
                return part
    return _LOOP
