"""Connections are cut half-way through a request or an answer: those of the callers, and those to the ERPs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tests.faults.cutting_proxy import cutting
from tests.faults.world import World

KINDS: Final = 2
"""Of cuts in a proxy: a request's, an answer's."""


@dataclass
class Cuts:
    """What was seen."""

    of_callers: Counter[str] = field(default_factory=Counter)
    to_erps: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def cuts(self) -> int:
        """All of them."""
        return self.of_callers.total() + self.to_erps.total()

    def report(self) -> str:
        """For people."""
        said = (
            f"{self.cuts} connections cut half-way in {self.seconds:.0f} s (of callers {dict(self.of_callers)}, to ERPs"
            f" {dict(self.to_erps)}): {self.accepted} documents accepted"
        )
        return "\n".join([said, *(f"VIOLATED: {one}" for one in self.violations)])


async def cut_rounds(world: World, *, cuts: int, limit_s: float = 600.0) -> Cuts:
    """Go on under load until so many were cut, of each kind one at least: requests and answers, on either side."""
    seen, began = Cuts(), time.monotonic()
    erp_port = urlsplit(world.erp).port
    assert erp_port is not None
    async with (
        cutting(world.port, world.chance) as (of_callers, callers_port),
        cutting(erp_port, world.chance) as (to_erps, seen_port),
    ):
        world.erp_seen = f"http://127.0.0.1:{seen_port}"
        async with world.begun():
            world.callers.urls = [f"http://127.0.0.1:{callers_port}"]
            life = await world.start(None)
            assert await world.is_ready(life), life.said()
            enough = asyncio.Event()
            calling = asyncio.create_task(world.callers.call(enough))
            async with asyncio.timeout(limit_s):
                while (  # noqa: ASYNC110 - nobody tells
                    of_callers.cuts.total() + to_erps.cuts.total() < cuts
                    or min(len(of_callers.cuts), len(to_erps.cuts)) < KINDS
                ):
                    await asyncio.sleep(0.05)
            enough.set()
            await calling
            await life.kill()
            of_callers.share = to_erps.share = 0.0
            seen.violations += await world.end()
            seen.accepted = len(world.callers.accepted)
        seen.of_callers, seen.to_erps = of_callers.cuts, to_erps.cuts
    seen.seconds = time.monotonic() - began
    return seen
