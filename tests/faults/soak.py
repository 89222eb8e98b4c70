"""A gateway under a steady load and a fault every ten seconds, in one process from the beginning to the end: its memory
and its open files stay as they are, and everything holds."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tests.faults.cutting_proxy import cutting
from tests.faults.nursery import Life
from tests.faults.rows import number, rows
from tests.faults.soak_faults import FAULTS, USUAL, Scene
from tests.faults.soak_load import SteadyCallers
from tests.faults.soak_samples import DESCRIPTORS, MEMORY_SHARE, Sample, not_flat, of_process, quantile, table
from tests.faults.world import ENDS_S, World

EVERY_S: Final = 10.0
"""Between the beginnings of two faults."""
LASTS: Final = 0.4
"""Of that time a fault lasts."""
LOOKS_S: Final = 5.0
PER_SECOND: Final = 12.0
TELLS_S: Final = 60.0
_MB: Final = 1_000_000


@dataclass
class Soaked:
    """What was seen. `processes`: the samples of each, by its role."""

    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    left_out: int = 0
    again: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    processes: dict[str, list[Sample]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def report(self) -> str:
        """For people."""
        said = [
            f"{self.seconds:.0f} s of load, {self.faults.total()} faults: "
            + ", ".join(f"{name} {count}" for name, count in self.faults.items()),
            f"{self.accepted} documents accepted, {self.again} sent more than once; answers: "
            + ", ".join(f"{status} {count}" for status, count in sorted(self.answers.items()))
            + f"; left out because too many were under way: {self.left_out}",
            "came to rest: " + ", ".join(f"{status} {count}" for status, count in self.statuses.most_common()),
        ]
        for role, samples in self.processes.items():
            said += ["", f"`{role}`, {len(samples)} looks:", "", table(samples)]
        return "\n".join([*said, *(f"VIOLATED: {one}" for one in self.violations)])


async def soak(
    world: World,
    *,
    seconds: float,
    every_s: float = EVERY_S,
    looks_s: float = LOOKS_S,
    per_second: float = PER_SECOND,
    memory_share: float = MEMORY_SHARE,
    descriptors: int = DESCRIPTORS,
    tell: bool = False,
) -> Soaked:
    """Do that to one `serve`, with a `work` beside it where the world has PostgreSQL, and let it come to rest.
    There, what is in doubt is at rest. `memory_share`, `descriptors`: how much more resident memory, and how many
    more open files, count as flat."""
    seen = Soaked()
    erp_port = urlsplit(world.erp).port
    assert erp_port is not None
    async with AsyncExitStack() as stack:
        of_callers, callers_port = await stack.enter_async_context(cutting(world.port, world.chance, 0.0))
        to_erps, seen_port = await stack.enter_async_context(cutting(erp_port, world.chance, 0.0))
        world.erp_seen = f"http://127.0.0.1:{seen_port}"
        await stack.enter_async_context(world.begun())
        callers = SteadyCallers(
            [f"http://127.0.0.1:{callers_port}"], world.callers.tokens, world.chance, per_second=per_second
        )
        # as where workers are frozen: what several processes cannot prove is in doubt, and what follows it would wait
        callers.invoices, allowed = not world.store, frozenset({"in_doubt"} if world.store else ())
        world.callers = callers
        await world.behave(USUAL)
        if world.store:
            # what a busy machine puts off is no reason here to take a call from a process that lives
            world.settings["ERP_GATEWAY_LINE__LEASE_MARGIN_S"] = "8"
        lives = {"serve": await world.start(None)}
        if world.store:
            lives["work"] = await world.start(None, "work")
        assert await world.is_ready(lives["serve"]), lives["serve"].said()
        enough = asyncio.Event()
        begun = time.monotonic()
        looking = asyncio.create_task(_look(world, callers, lives, seen, looks_s, tell))
        calling = asyncio.create_task(callers.call(enough))
        try:
            scene = Scene(world, callers, of_callers, to_erps, every_s * LASTS)
            await _one_after_the_other(scene, seen, begun, seconds, every_s)
        finally:
            enough.set()
            await calling
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        seen.seconds = time.monotonic() - begun
        seen.violations += [f"{role} ended by itself:\n{life.said()}" for role, life in lives.items() if life.is_over]
        for samples in seen.processes.values():
            seen.violations += not_flat(samples, memory_share, descriptors)
        await world.behave({"fine": 1.0})
        callers.urls = [f"http://127.0.0.1:{world.port}"]
        if not lives["serve"].is_over:
            seen.violations += await world.rest(lives["serve"], allowed)
        for role, life in lives.items():
            life.signal(signal.SIGTERM)
            if (code := await asyncio.wait_for(asyncio.shield(life.ended), ENDS_S)) != 0:
                seen.violations.append(f"{role} ended with {code}:\n{life.said()}")
        seen.statuses.update(dict(await rows(world.url, "SELECT status, count(*) FROM transactions GROUP BY status")))
        seen.again = await number(world.url, "SELECT count(*) FROM steps WHERE attempt > 1")
        seen.accepted, seen.answers, seen.left_out = len(callers.accepted), callers.answers, callers.left_out
    return seen


async def _one_after_the_other(scene: Scene, seen: Soaked, begun: float, seconds: float, every_s: float) -> None:
    for turn, (name, happens) in enumerate(itertools.cycle(FAULTS.items()), 1):
        until = begun + turn * every_s
        if until > begun + seconds:
            return
        await happens(scene)
        seen.faults[name] += 1
        await asyncio.sleep(max(0.0, until - time.monotonic()))


async def _look(
    world: World, callers: SteadyCallers, lives: dict[str, Life], seen: Soaked, looks_s: float, tell: bool
) -> None:
    begun = time.monotonic()
    for turn in itertools.count(1):
        await asyncio.sleep(max(0.0, begun + turn * looks_s - time.monotonic()))
        took, callers.took = callers.took, []
        wal = world.data / "gateway.db-wal"
        for role, life in lives.items():
            if life.is_over:
                return
            seen.processes.setdefault(role, []).append(
                Sample(
                    time.monotonic() - begun,
                    *of_process(life.pid),
                    wal=wal.stat().st_size if wal.exists() else 0,
                    queue=await number(world.url, "SELECT count(*) FROM jobs"),
                    waiting=await number(world.url, "SELECT count(*) FROM outbox WHERE published_at IS NULL"),
                    p50=quantile(took, 0.5),
                    p99=quantile(took, 0.99),
                )
            )
        if tell and turn % round(TELLS_S / looks_s) == 0:
            _progress(seen, callers)


def _progress(seen: Soaked, callers: SteadyCallers) -> None:
    last = {role: samples[-1] for role, samples in seen.processes.items()}
    print(
        f"{last['serve'].at:.0f} s, {seen.faults.total()} faults, {len(callers.asked)} documents; "
        + "; ".join(
            f"{role} {one.memory / _MB:.1f} MB, {one.descriptors} files, {one.threads} threads, {one.queue} jobs,"
            f" p50 {one.p50 * 1_000:.0f} ms"
            for role, one in last.items()
        ),
        file=sys.stderr,
        flush=True,
    )
