"""The other end of `tests.faults.gateway_under_fault`: gateways are ordered, watched, killed, frozen and woken here."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
CONTAINER = "FAULTS_CONTAINER"
"""In the environment of a life: it takes itself for the only process of its machine."""
LOADED_S = 120.0
"""For the program to be loaded, once; some seconds on a machine that has nothing else to do."""


@dataclass
class Life:
    """One gateway process from its fork to its end."""

    number: int
    log: Path
    pid: int = 0
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def is_over(self) -> bool:
        return self.ended.done()

    def signal(self, number: signal.Signals) -> None:
        """Send it, unless the process has ended."""
        if not self.is_over:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await asyncio.shield(self.ended)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:] if self.log.exists() else ""


class Nursery:
    """The process that forks gateways. Use it as a context."""

    def __init__(self) -> None:
        self._lives: dict[int, Life] = {}
        self._numbers = itertools.count(1)
        self._born: dict[int, asyncio.Future[None]] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.faults.gateway_under_fault"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), LOADED_S)
        assert line, "the program could not be loaded"
        self._reading = asyncio.create_task(self._read(self._process.stdout))
        return self

    async def __aexit__(self, *_raised: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 60)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def bear(
        self,
        data: Path,
        environment: Mapping[str, str],
        log: Path,
        *,
        trap: Mapping[str, Any] | None = None,
        planted: str = "",
        role: str = "serve",
    ) -> Life:
        """Start a gateway on `data`."""
        life = Life(next(self._numbers), log)
        self._lives[life.number] = life
        born = self._born[life.number] = asyncio.get_running_loop().create_future()
        order = {
            "life": life.number,
            "data": str(data),
            "environment": dict(environment),
            "log": str(log),
            "trap": None if trap is None else dict(trap),
            "planted": planted,
            "role": role,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await asyncio.wait_for(born, 60)
        return life

    async def _read(self, told: asyncio.StreamReader) -> None:
        while line := await told.readline():
            said = json.loads(line)
            life = self._lives[said["life"]]
            if "pid" in said:
                life.pid = said["pid"]
                self._born.pop(life.number).set_result(None)
            else:
                life.ended.set_result(said["status"])
                del self._lives[life.number]
