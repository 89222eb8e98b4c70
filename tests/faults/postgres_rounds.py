"""PostgreSQL is stopped with `-m immediate` under load: no 2xx without a durable row, and everything ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.world import World
from tests.store.postgres import RunningServer, _as, _stop, _unprivileged_user, _wait_until_ready, running_server


@dataclass
class Stops:
    """What was seen."""

    stops: int = 0
    accepted: int = 0
    refused: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def report(self) -> str:
        """For people."""
        said = (
            f"PostgreSQL stopped with -m immediate {self.stops} times in {self.seconds:.0f} s:"
            f" {self.accepted} documents accepted, {self.refused} requests refused with 503"
        )
        return "\n".join([said, *(f"VIOLATED: {one}" for one in self.violations)])


@contextmanager
def restartable_server() -> Iterator[RunningServer]:
    """A durable server that may be another process in the end than in the beginning."""
    with running_server(durable=True) as server:
        try:
            yield server
        finally:
            _stop(server.process)


async def postgres_rounds(world: World, server: RunningServer, *, stops: int) -> Stops:
    """Stop it so often, and start it again, while the world's gateway lives."""
    seen, began = Stops(), time.monotonic()
    async with world.begun():
        life = await world.start(None)
        assert await world.is_ready(life), life.said()
        enough = asyncio.Event()
        calling = asyncio.create_task(world.callers.call(enough))
        try:
            for _ in range(stops):
                known = len(world.callers.accepted)
                await _more_accepted(world, known + 2)
                await asyncio.sleep(world.chance.uniform(0.0, 0.3))
                await stop_immediately(server)
                seen.stops += 1
                await asyncio.sleep(world.chance.uniform(0.0, 0.4))
                await asyncio.to_thread(start_again, server)
                if life.is_over:
                    seen.violations.append(f"the gateway ended:\n{life.said()}")
                    break
        except TimeoutError:
            seen.violations.append(f"it takes nothing any more:\n{life.said()}")
        finally:
            enough.set()
            await calling
            await life.kill()
        seen.violations += await world.end()
        seen.accepted, seen.refused = len(world.callers.accepted), world.callers.answers[503]
    seen.seconds = time.monotonic() - began
    return seen


async def _more_accepted(world: World, count: int) -> None:
    async with asyncio.timeout(120):
        while len(world.callers.accepted) < count:  # noqa: ASYNC110 - callers tell nobody
            await asyncio.sleep(0.02)


async def stop_immediately(server: RunningServer) -> None:
    """What `pg_ctl stop -m immediate` does: every process of the server quits without a checkpoint."""
    server.process.send_signal(signal.SIGQUIT)
    await asyncio.to_thread(server.process.wait, 60)


def start_again(server: RunningServer) -> None:
    """The same server on the same data; it recovers from its log."""
    data, log = server.directory / "data", server.directory / "log"
    command: Any = server.process.args
    (data / "postmaster.pid").unlink(missing_ok=True)
    with log.open("ab") as output:
        server.process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=Path("/"), **_as(_unprivileged_user())
        )
    _wait_until_ready(server.process, data, log)
