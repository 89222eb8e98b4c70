"""The real `mock-sap` process as a peer's engine: started on a free port, asked over its own control plane, stopped
by its process id.

Source of the control plane's words: `mock-sap` 0.22, `/_mock/` (requests, faults, bapi-behaviour, state).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.demo.erps import LAUNCH
from tests.contract.peer import SeenRequest
from tests.ports import reserved_port

_START_TRIES = 3
"""A port that was free a moment ago may be taken by another process of the machine before ours binds it."""


class MockSap:
    """One running `mock-sap`. `database` is its SQLite file, which may be read while it runs."""

    def __init__(self, folder: Path, arguments: Sequence[str], *, slow_ms: int = 1_500, ready_s: float = 60.0) -> None:
        """Start it with `arguments` beside host, port, database and clock, and wait until it answers.

        `slow_ms`: how long its scenario `slow` holds a request before executing it.
        Raises RuntimeError if it does not answer within `ready_s` seconds.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "peer.sqlite"
        self._log = folder / "peer.log"
        for attempt in range(_START_TRIES):
            self.port = reserved_port()
            self._start([*arguments, "--slow-ms", str(slow_ms)])
            if self._answers_within(ready_s):
                return
            self.stop()
            if attempt == _START_TRIES - 1:
                break
        raise RuntimeError(f"mock-sap did not start: {self._log.read_text()[-500:]}")

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the control plane, `path` below `/_mock/`. Raises RuntimeError unless it answers 2xx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/json"} if content else {}
            connection.request(method, f"/_mock/{path}", content, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} /_mock/{path}: {response.status} {text[:300]!r}")
        answer = json.loads(text or b"{}")
        assert isinstance(answer, dict)
        return answer

    @contextlib.contextmanager
    def rule(self, **rule: Any) -> Iterator[None]:
        """A fault rule while the context is open, e.g. `rule(method="POST", match="API_SALES", scenario="slow")`."""
        self.control("POST", "faults", rule)
        try:
            yield
        finally:
            self.control("DELETE", "faults")

    @contextlib.contextmanager
    def bapi_answers(self, **behaviour: Any) -> Iterator[None]:
        """A forced RETURN while the context is open: `function`, `type` (E, A, W, S), `id`, `number`, `message`."""
        self.control("POST", "bapi-behaviour", behaviour)
        try:
            yield
        finally:
            self.control("DELETE", "bapi-behaviour")

    def requests_seen(self) -> list[SeenRequest]:
        """Every request but those of the control plane, oldest first; it keeps 8,000 bytes of a body."""
        rows = self.control("GET", "requests?verbose=1&limit=100000")["results"]
        return [_seen(row) for row in reversed(rows)]

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def _start(self, arguments: Sequence[str]) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    LAUNCH,
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--db",
                    self.database,
                    "--quiet",
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _answers_within(self, ready_s: float) -> bool:
        end = time.monotonic() + ready_s
        while time.monotonic() < end and self._process.poll() is None:
            try:
                return bool(self.control("GET", "health")["status"] == "UP")
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        return False


def _seen(row: Mapping[str, Any]) -> SeenRequest:
    headers = row.get("headers") or {}
    if isinstance(headers, str):
        headers = json.loads(headers)
    body = row.get("body") or ""
    return SeenRequest(
        method=row["method"],
        path=row["path"],
        query=row.get("query") or "",
        headers=tuple((key.lower(), str(value)) for key, value in headers.items()),
        body=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
    )
