"""Workers are frozen (SIGSTOP) at named points until their leases are over, while others carry on, and then they wake.

They wake, do what they were about to do, and are ended; so each of them may still send, write and publish under a lease
that is another's by then.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.nursery import Life
from tests.faults.rows import rows
from tests.faults.world import World
from tests.ports import reserved_port
from tests.simulation.epochs import TOLD, under_old_epochs

WORKERS: Final = 3
POINTS: Final = (
    *("accepted", "before-permit", "permitted", "sent", "answered", "settle-ran", "claimed", "inquired"),
    "committed",
)
"""`accepted` to `permitted` lie between `dispatched` and the first byte. The worker that is never frozen leads: what
only leaders come by is tried in `test_frozen_leader`."""
BEFORE_THE_FIRST_BYTE: Final = ("permitted",)
"""The lease was looked at; who is frozen here sends when it wakes."""
TRAPPED_S: Final = 5.0
"""A worker that comes by its point no sooner is frozen where it is."""
HOLDS_S: Final = (3.0, 8.5)
"""Past the lease; and past the quiet time behind it, when others have given it up."""
LONG_S: Final = (12.0,)
"""Long enough that another one sends, if it may, however busy the machine."""
AWAKE_S: Final = 1.0


@dataclass
class Freezes:
    """What was seen."""

    rounds: int = 0
    at_points: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    taken_over: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def report(self) -> str:
        """For people."""
        said = [
            f"{self.rounds} workers frozen past their leases and woken, {WORKERS} at work, in {self.seconds:.0f} s",
            f"{self.accepted} documents accepted, {self.taken_over} of them were unknown for a while",
            "frozen at: " + ", ".join(f"{point} {count}" for point, count in self.at_points.most_common()),
            "came to rest: " + ", ".join(f"{status} {count}" for status, count in self.statuses.most_common()),
        ]
        return "\n".join([*said, *(f"VIOLATED: {one}" for one in self.violations)])


async def frozen_rounds(
    world: World,
    *,
    rounds: int,
    seed: int = 0,
    points: Sequence[str] = POINTS,
    holds_s: Sequence[float] = HOLDS_S,
    until_failed: bool = False,
) -> Freezes:
    """Freeze so often, at these points in turn from number `seed` on, with WORKERS on the world's database, of which
    one is never frozen. `holds_s`: how long each is. `until_failed`: stop at the first document that stands twice in
    the books."""
    seen, began = Freezes(), time.monotonic()
    async with world.begun():
        world.callers.invoices, world.callers.patience_s = False, 2.5
        ports = [reserved_port() for _ in range(WORKERS - 1)]
        world.callers.urls = [f"http://127.0.0.1:{port}" for port in (world.port, *ports)]
        weights = {"fine": 0.5, "slow": 0.1, "late": 0.15, "answer_lost": 0.15, "unavailable": 0.1}
        await world.behave(weights)
        steady = await world.start(None)
        assert await world.is_ready(steady), steady.said()
        enough = asyncio.Event()
        calling = asyncio.create_task(world.callers.call(enough))
        turns = itertools.takewhile(lambda _: not (until_failed and world.callers.violations), range(rounds))
        places = itertools.islice(itertools.cycle(points), seed, None)
        try:
            await asyncio.gather(*(_slot(world, port, turns, places, holds_s, seen) for port in ports))
        finally:
            enough.set()
            await calling
            _ended_by_itself(steady, world)
            await steady.kill()
        world.callers.urls = [f"http://127.0.0.1:{world.port}"]
        world.callers.patience_s = 12.0
        seen.violations += await world.end(frozenset({"in_doubt"}))
        seen.violations += await _epochs(world)
        for status, count in await rows(world.url, "SELECT status, count(*) FROM transactions GROUP BY status"):
            seen.statuses[status] += count
        seen.accepted = len(world.callers.accepted)
        taken = "SELECT count(*) FROM (SELECT trace FROM ledger_entries WHERE kind = 'unknown' GROUP BY trace) t"
        seen.taken_over = (await rows(world.url, taken))[0][0]
    seen.seconds = time.monotonic() - began
    return seen


async def _slot(
    world: World,
    port: int,
    turns: Iterator[int],
    places: Iterator[str],
    holds_s: Sequence[float],
    seen: Freezes,
) -> None:
    """One of the workers after the other, on one port."""
    for turn in turns:
        point = next(places)
        told = world.root / world.name / f"frozen-{turn}"
        trap = {"point": point, "hit": world.chance.randint(1, 2), "act": int(signal.SIGSTOP), "told": str(told)}
        environment = {"ERP_GATEWAY_HTTP__PORT": str(port)}
        life = await world.nursery.bear(world.data, environment, world.log, trap=trap, planted=world.planted)
        until = time.monotonic() + TRAPPED_S + 5.0
        while not told.exists() and not life.is_over and time.monotonic() < until:  # noqa: ASYNC110 - it stands still
            await asyncio.sleep(0.02)
        seen.at_points[point if told.exists() else "any instant"] += 1
        life.signal(signal.SIGSTOP)
        await asyncio.sleep(world.chance.choice(holds_s))
        life.signal(signal.SIGCONT)
        await asyncio.sleep(AWAKE_S)
        _ended_by_itself(life, world)
        await life.kill()
        seen.rounds += 1
        world.callers.violations += [] if world.callers.violations else world.posted_twice()


def _ended_by_itself(life: Life, world: World) -> None:
    if life.is_over:
        world.callers.violations.append(f"a worker ended by itself:\n{life.said()}")


async def _epochs(world: World) -> list[str]:
    """Nothing was appended under an old epoch, as far as the ledger tells (`tests.simulation.epochs`); and each step is
    on record under the epoch of its last `dispatched`."""
    traces: dict[str, list[dict[str, Any]]] = {}
    kinds = ", ".join(f"'{kind}'" for kind in TOLD)
    sql = f"SELECT trace, body FROM ledger_entries WHERE kind IN ({kinds}) ORDER BY trace, seq"  # noqa: S608  our words
    for trace, body in await rows(world.url, sql):
        traces.setdefault(trace, []).append(json.loads(bytes(body)))
    found = [one for trace, entries in traces.items() for one in under_old_epochs(trace, entries)]
    for trace, step, direction, attempt, epoch in await rows(
        world.url, "SELECT transaction_id, step, direction, attempt, epoch FROM steps"
    ):
        told = [
            (int(one["attempt"]), int(one["epoch"]))
            for one in traces.get(trace, [])
            if one["kind"] == "dispatched" and (one["step"], one.get("direction", "do")) == (step, direction)
        ]
        if told[-1:] != [(attempt, epoch)]:
            found.append(f"{trace}: step {step} is attempt {attempt} under epoch {epoch}, dispatched were {told}")
    return found
