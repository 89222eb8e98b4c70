"""Many worlds one after the other, and what was seen in them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.invariants import check, digest
from tests.simulation.virtual_time import run
from tests.simulation.world import World


@dataclass
class Seen:
    """`closings`: attempts that their senders said to be over. `events`: that streams held at the end, `wipes`: how
    often one lost what it held, or its end. `failed`: what was violated, by seed. `statuses`: how transactions ended.
    `ways`: what ERPs did to calls."""

    worlds: int = 0
    kills: int = 0
    freezes: int = 0
    commits: int = 0
    closings: int = 0
    events: int = 0
    wipes: int = 0
    sweeps: int = 0
    seconds: float = 0.0
    failed: dict[int, list[str]] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)


def live(seed: int) -> tuple[World, list[str]]:
    """One world, and what was violated in it. A world that breaks off is a violation too."""
    world = World(seed)
    try:
        run(world.live())
    except Exception as error:
        return world, [f"it broke off: {error!r}"]
    return world, check(world)


def replay(seed: int) -> str:
    """The digest of the seed's ledger and books."""
    world, _ = live(seed)
    return digest(world)


def campaign(
    seeds: Iterable[int], told: Callable[[Seen], None] = lambda _seen: None, *, first_only: bool = False
) -> Seen:
    """Live the worlds of these seeds. `first_only`: stop at the first that fails."""
    seen = Seen()
    begun = time.perf_counter()
    for seed in seeds:
        world, violations = live(seed)
        seen.worlds += 1
        seen.kills += world.kills
        seen.freezes += world.freezes
        seen.commits += world.commits
        seen.closings += len(world.closed)
        seen.events += sum(len(one.messages) for one in world.stream.streams[-1:])
        seen.wipes += world.stream.wipes + world.stream.cuts
        seen.sweeps += world.sweeps
        if violations:
            seen.failed[seed] = violations
            if first_only:
                break
        else:
            for (status,) in world.rows("SELECT status FROM transactions"):
                seen.statuses[status] += 1
        for erp in world.erps.values():
            seen.ways.update(erp.told)
        seen.seconds = time.perf_counter() - begun
        told(seen)
    seen.seconds = time.perf_counter() - begun
    return seen
