"""Many worlds, some beside each other: kills at every named point × hit × what the ERP does, and at any instant."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.fault_erp import POSTING_WAYS
from tests.faults.nursery import CONTAINER, Nursery
from tests.faults.points import POINTS
from tests.faults.rows import rows
from tests.faults.setting import fault_erp
from tests.faults.world import Plan, World, shown

LIVES: Final = 12
"""Of a world. A longer one tells no more, and is audited at each of its starts."""
BESIDE: Final = 4
"""Worlds at once: most of a life is waiting."""
HITS: Final = (1, 2, 5)
BY_CHANCE: Final = 0.2
"""Of the lives are killed at any instant."""


@dataclass
class Seen:
    """What a campaign saw. `failed`: what was violated, by world."""

    kills: int = 0
    starts_cut: int = 0
    at_points: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    again: int = 0
    worlds: int = 0
    accepted: int = 0
    seconds: float = 0.0
    failed: dict[str, list[str]] = field(default_factory=dict)
    plans: dict[str, list[Plan]] = field(default_factory=dict)

    @property
    def missing(self) -> set[str]:
        """Points at which nobody was killed."""
        return POINTS.keys() - self.at_points.keys()


def plans(seed: int, lives: int) -> list[Plan]:
    """So many lives: every point × hit × way in a new order each round, and kills by chance between them."""
    chance = Random(seed)
    return list(itertools.islice(_endless(chance), lives))


def _endless(chance: Random) -> Iterator[Plan]:
    while True:
        whole = [Plan(*one) for one in itertools.product(POINTS, HITS, POSTING_WAYS)]
        # first hits first, each point once in a row, so that a short campaign comes by every point
        chance.shuffle(whole)
        turns: dict[str, list[Plan]] = {}
        for plan in whole:
            turns.setdefault(plan.point, []).append(plan)
        for row in zip(*turns.values(), strict=True):
            for plan in chance.sample(row, len(row)):
                if chance.random() < BY_CHANCE:
                    yield Plan("", 1, chance.choice(POSTING_WAYS))
                yield plan


async def campaign(
    root: Path,
    *,
    kills: int,
    seed: int,
    planted: str = "",
    beside: int = BESIDE,
    until_failed: bool = False,
    lives: int = LIVES,
    limit_s: float = float("inf"),
    tell: bool = False,
    world: int | None = None,
) -> Seen:
    """Kill so often. `until_failed`: stop at the first violation. `limit_s`: begin no world after so many seconds.
    `world`: only that one of them, once more."""
    seen, began = Seen(), time.monotonic()
    planned = plans(seed, kills)
    parts = [planned[at : at + lives] for at in range(0, len(planned), lives)]
    waiting = iter(part for part in enumerate(parts) if world in {None, part[0]})

    async def one_after_the_other() -> None:
        for number, part in waiting:
            if (until_failed and seen.failed) or time.monotonic() - began > limit_s:
                return
            begun = World(f"w{number}", f"{seed}/{number}", root, erp, nursery, planted)
            if number % 2:
                # every second world's processes see nothing of each other, as in containers
                begun.settings[CONTAINER] = "yes"
            await _lived(begun, part, seen)
            seen.seconds = time.monotonic() - began
            if tell:
                _progress(seen)

    async with Nursery() as nursery, fault_erp(root / "books") as erp:
        await asyncio.gather(*(one_after_the_other() for _ in range(beside)))
    seen.seconds = time.monotonic() - began
    return seen


async def _lived(world: World, part: Sequence[Plan], seen: Seen) -> None:
    """A world's whole story, and what was seen of it."""
    try:
        async with world.begun():
            for plan in part:
                await world.live(plan)
                if world.callers.violations:
                    break
            violations = world.callers.violations or await world.end()
            for status, count in await rows(world.url, "SELECT status, count(*) FROM transactions GROUP BY status"):
                seen.statuses[status] += count
            seen.again += (await rows(world.url, "SELECT count(*) FROM steps WHERE attempt > 1"))[0][0]
    except Exception as error:
        violations = [f"it broke off: {error!r}\n{world.log.read_text(errors='replace')[-2_000:]}"]
    for lived in world.lives:
        seen.kills += 1
        seen.starts_cut += not lived.ready
        seen.ways[lived.plan.way] += 1
        if lived.at_point:
            seen.at_points[lived.plan.point] += 1
    seen.worlds += 1
    seen.accepted += len(world.callers.accepted)
    seen.plans[world.name] = list(part)
    if violations:
        seen.failed[world.name] = violations
    else:
        shutil.rmtree(world.root / world.name)


def _progress(seen: Seen) -> None:
    print(
        f"{seen.kills} kills, {len(seen.at_points)} of {len(POINTS)} points, {seen.accepted} accepted,"
        f" {len(seen.failed)} worlds failed, {seen.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )


def report(seen: Seen) -> str:
    """For people."""
    lines = [
        f"{seen.kills} kills in {seen.worlds} worlds and {seen.seconds:.0f} s",
        f"{seen.accepted} documents accepted, {seen.again} sent more than once",
        "killed at: " + ", ".join(f"{point} {count}" for point, count in seen.at_points.most_common()),
        f"killed at any instant: {seen.kills - seen.at_points.total()}, before they were ready: {seen.starts_cut}",
        "mostly: " + ", ".join(f"{way} {count}" for way, count in seen.ways.most_common()),
        "came to rest: " + ", ".join(f"{status} {count}" for status, count in seen.statuses.most_common()),
    ]
    for name, violations in seen.failed.items():
        lines.append(f"{name} FAILED: " + "; ".join(violations))
        lines.append("  its lives: " + " ".join(shown(plan) for plan in seen.plans[name]))
    return "\n".join(lines)
