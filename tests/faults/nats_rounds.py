"""NATS is killed, and its store wiped, under load: every event arrives, in order, and soon."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from typing import Final

from gateway.messaging.jetstream import NatsStream
from tests.faults.checks import once_each, received
from tests.faults.rows import number
from tests.faults.world import World

DRAINED_S: Final = 60.0
"""After NATS is back, what waited for it has gone within this."""
_MICROS: Final = 1_000_000


@dataclass
class Rounds:
    """What was seen. `drained`: seconds from the return of NATS until what had waited was published."""

    kills: int = 0
    wipes: int = 0
    accepted: int = 0
    events: int = 0
    drained: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def report(self) -> str:
        """For people."""
        slowest = max(self.drained, default=0.0)
        said = (
            f"NATS killed {self.kills} times and wiped {self.wipes} times in {self.seconds:.0f} s:"
            f" {self.accepted} documents accepted, {self.events} events, drained after {slowest:.1f} s at most"
        )
        return "\n".join([said, *(f"VIOLATED: {one}" for one in self.violations)])


async def nats_rounds(world: World, *, kills: int, wipes: int) -> Rounds:
    """Do that to the world's NATS while its gateway lives and takes documents."""
    seen, began = Rounds(), time.monotonic()
    async with world.begun():
        life = await world.start(None)
        assert await world.is_ready(life), life.said()
        enough = asyncio.Event()
        calling = asyncio.create_task(world.callers.call(enough))
        before: list[dict[str, object]] = []
        turns = ["kill"] * kills + ["wipe"] * wipes
        world.chance.shuffle(turns)
        try:
            for turn in turns:
                await asyncio.sleep(world.chance.uniform(0.2, 0.8))
                if turn == "kill":
                    await _killed(world)
                    seen.kills += 1
                else:
                    before += await received(NatsStream(world.connection))
                    await world.nats.stop()
                    shutil.rmtree(world.nats_directory / "jetstream")
                    await asyncio.sleep(world.chance.uniform(0.0, 0.5))
                    await world.nats.start()
                    seen.wipes += 1
                seen.drained.append(await _drained(world))
        finally:
            enough.set()
            await calling
            await life.kill()
        seen.violations += await world.end()
        everything = before + await received(NatsStream(world.connection))
        seen.events = len(once_each(everything))
        seen.violations += _out_of_order(everything)
        seen.accepted = len(world.callers.accepted)
    seen.violations += [f"it took {one:.0f} s" for one in seen.drained if one > DRAINED_S]
    seen.seconds = time.monotonic() - began
    return seen


async def _killed(world: World) -> None:
    """kill -9; it is started again by whoever started it."""
    pid = world.nats.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while world.nats.pid in {pid, None}:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)


async def _drained(world: World) -> float:
    """Seconds until all that was committed before now is published."""
    back = time.time()
    while oldest := await number(
        world.url, "SELECT coalesce(min(created_at), 0) FROM outbox WHERE published_at IS NULL"
    ):
        if oldest > back * _MICROS:
            break
        if time.time() - back > DRAINED_S:
            break
        await asyncio.sleep(0.05)
    return time.time() - back


def _out_of_order(events: list[dict[str, object]]) -> list[str]:
    """Over the wipes as well, what came twice left out."""
    last: dict[str, int] = {}
    found = []
    for event in once_each(events):
        lineage, sequence = str(event["lineageid"]), int(str(event["sequence"]))
        if sequence != last.get(lineage, 0) + 1:
            found.append(f"lineage {lineage}: {sequence} came after {last.get(lineage, 0)}")
        last[lineage] = sequence
    return found
