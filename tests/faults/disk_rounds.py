"""The disk is full, and then it is not: what was accepted is there, and the gateway goes on.

The kernel refuses every write of the gateway behind a few pages of a file (RLIMIT_FSIZE, set on the running process
from outside), so the database and its log meet a full disk in the middle of a write.
"""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass, field
from typing import Final

from tests.faults.world import World

PAGES_LEFT: Final = (0, 5, 40)
_PAGE: Final = 4_096


@dataclass
class Full:
    """What was seen."""

    rounds: int = 0
    accepted: int = 0
    refused: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def report(self) -> str:
        """For people."""
        said = (
            f"the disk was full {self.rounds} times in {self.seconds:.0f} s: {self.accepted} documents accepted,"
            f" {self.refused} requests refused with 503"
        )
        return "\n".join([said, *(f"VIOLATED: {one}" for one in self.violations)])


async def disk_rounds(world: World, *, rounds: int) -> Full:
    """Fill it so often while the world's gateway lives and takes documents."""
    seen, began = Full(), time.monotonic()
    async with world.begun():
        life = await world.start(None)
        assert await world.is_ready(life), life.said()
        enough = asyncio.Event()
        calling = asyncio.create_task(world.callers.call(enough))
        try:
            for turn in range(rounds):
                await _more_accepted(world)
                left = PAGES_LEFT[turn % len(PAGES_LEFT)] * _PAGE
                log = world.data / "gateway.db-wal"
                known = world.callers.answers[503]
                resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + left, -1))
                async with asyncio.timeout(120):
                    while world.callers.answers[503] == known and not life.is_over:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                await asyncio.sleep(world.chance.uniform(0.0, 0.5))
                if life.is_over:
                    break
                resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                seen.rounds += 1
            if not life.is_over:
                await _more_accepted(world)
        except TimeoutError:
            seen.violations.append(f"it does not go on:\n{life.said()}")
        finally:
            enough.set()
            await calling
            if life.is_over:
                seen.violations.append(f"the gateway ended:\n{life.said()}")
            await life.kill()
        seen.violations += await world.end()
        seen.accepted, seen.refused = len(world.callers.accepted), world.callers.answers[503]
    seen.seconds = time.monotonic() - began
    return seen


async def _more_accepted(world: World) -> None:
    known = len(world.callers.accepted)
    async with asyncio.timeout(120):
        while len(world.callers.accepted) < known + 2:  # noqa: ASYNC110 - callers tell nobody
            await asyncio.sleep(0.02)
