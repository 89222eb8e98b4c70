"""A process of the simulation: the real line and worker, on a store and ERPs that it loses when it is killed."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from adapters.canonical import ErpNumber
from adapters.port import Posted, Posting
from gateway.domain.ids import TimeOrderedIds
from gateway.domain.processes import ProcessRecord
from gateway.errors import StoreUnavailable
from gateway.store.errors import CommitUnknown
from gateway.store.store import Store
from gateway.transactions import closing
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, LineLimits, LineParts, SystemPolicy, Tools
from gateway.worker import Worker
from tests.simulation.erp import CALL_LIMIT_S, FIRST_BYTE, INQUIRY_DELAY_S, LONGEST_EXECUTION_S, SimErp
from tests.simulation.leading import Leading
from tests.simulation.lives import Killed, Life
from tests.simulation.sendings import Inquiry, Sending

T = TypeVar("T")

START = 1_700_000_000_000_000
SAYING: Final = closing._close
"""The unit by which a sender says that its attempt is over."""
LIMITS = LineLimits(lease_margin_s=5.0, waiting_recheck_s=60.0, first_retry_s=0.5, longest_retry_s=30.0)


class Clock:
    """Microseconds on the loop's virtual time; every look moves it a little, so that no two times are equal."""

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> int:
        self._looks += 1
        return START + int(asyncio.get_running_loop().time() * 1_000_000) + self._looks

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Seeded:
    """Randomness of the seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def salt(self) -> bytes:
        return self._chance.randbytes(16)

    def jitter(self) -> float:
        return self._chance.random()

    def bits(self, bits: int) -> int:
        return self._chance.getrandbits(bits)


@dataclass
class Morgue:
    """Which processes are proven ended. On another host nobody could tell: then it proves nothing."""

    dead: set[str] = field(default_factory=set)
    tells: bool = True

    def has_ended(self, process: ProcessRecord) -> bool:
        return self.tells and process.process_id in self.dead


class FaultyStore:
    """The store as one process sees it: it may be away, and it may lose the answer to a commit."""

    def __init__(self, store: Store, life: Life, chance: random.Random, world: Any) -> None:
        self._store, self._life, self._chance, self._world = store, life, chance, world
        self.reads, self.outbox = store.reads, store.outbox

    async def write(self, fn: Callable[[Any], Awaitable[T]]) -> T:
        await self._life.step()
        await asyncio.sleep(self._chance.uniform(0, 0.01))
        await self._life.step()
        fault = self._chance.random()
        if fault < self._world.store_trouble:
            raise StoreUnavailable("the database is away")
        value = await self._store.write(fn)
        self._world.committed()
        if value is True and isinstance(fn, partial) and fn.func is SAYING:
            self._world.said_closed(fn.keywords["step"])
        if fault < 2 * self._world.store_trouble:
            raise CommitUnknown("the answer to the commit was lost")
        self._world.strike(self._life, self._chance)
        await self._life.step()
        return value


class MortalPort:
    """An ERP as one process sees it: the process may die or stand still before, between and after.

    What is under way when it dies goes on at the ERP, as a request on the wire does.
    """

    def __init__(self, erp: SimErp, life: Life, chance: random.Random, world: Any) -> None:
        self._erp, self._life, self._chance, self._world = erp, life, chance, world
        self._calls: set[asyncio.Task[Any]] = set()
        self.system_id = erp.system_id

    def capabilities(self) -> Any:
        return self._erp.capabilities()

    def expectation(self, posting: Posting) -> Any:
        return self._erp.expectation(posting)

    async def submit(self, posting: Any, permit: Callable[[], None]) -> Posted:
        return await self._posts(self._erp.submit, posting, permit)

    async def change(self, posting: Any, permit: Callable[[], None]) -> Posted:
        return await self._posts(self._erp.change, posting, permit)

    async def cancel(self, posting: Any, permit: Callable[[], None]) -> Posted:
        return await self._posts(self._erp.cancel, posting, permit)

    async def reverse(self, posting: Any, permit: Callable[[], None]) -> Posted:
        return await self._posts(self._erp.reverse, posting, permit)

    async def _posts(self, call: Callable[..., Awaitable[Posted]], posting: Any, permit: Callable[[], None]) -> Posted:
        await self._life.step()

        clock = self._world.clock
        can = self._erp.capabilities()[posting.domain, posting.operation]
        sending = Sending(self._life, unique=can.reference_unique)

        def ask() -> None:
            # what a killed process had not sent by now is never sent
            if not self._life.alive:
                raise Killed
            permit()
            sending.begun = clock.now()
            self._world.first_byte(self._life.name, posting.external_reference, sending.begun)
            self._world.sendings[posting.external_reference].append(sending)

        context = contextvars.copy_context()
        context.run(FIRST_BYTE.set, self._point)
        task: asyncio.Task[Posted] = asyncio.get_running_loop().create_task(
            sending.told(call(posting, ask), clock.now), context=context
        )
        self._calls.add(task)
        task.add_done_callback(self._done)
        try:
            return await asyncio.shield(task)
        finally:
            # however it ended: what is known of it is not written down yet
            await self._point()

    async def _point(self) -> None:
        """One of the instants at which standing still hurts most."""
        self._world.strike(self._life, self._chance)
        await self._life.step()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()

    async def inquire(self, posting: Posting) -> Any:
        await self._life.step()
        asked = self._world.clock.now()
        found = await self._erp.inquire(posting)
        self._world.inquiries[posting.external_reference].append(Inquiry(asked, self._world.clock.now(), len(found)))
        await self._life.step()
        return found

    async def read(self, number: ErpNumber) -> Any:
        await self._life.step()
        found = await self._erp.read(number)
        await self._life.step()
        return found


class Process:
    """One gateway process with its worker."""

    def __init__(self, name: str, world: Any) -> None:
        self.name, self.life = name, Life(name)
        chance = random.Random(f"{world.seed}/{name}")
        self._world = world
        store: Any = FaultyStore(world.store, self.life, chance, world)
        policy = SystemPolicy(
            call_limit_s=CALL_LIMIT_S, longest_execution_s=LONGEST_EXECUTION_S, inquiry_delay_s=INQUIRY_DELAY_S
        )
        systems: Mapping[str, Any] = {
            name: ErpSystem(MortalPort(erp, self.life, chance, world), policy)  # type: ignore[arg-type]
            for name, erp in world.erps.items()
        }
        randomness = Seeded(chance)
        ids = TimeOrderedIds(world.clock.now, randomness.bits)
        tools = Tools(world.clock, ids, randomness, world.morgue, name, "sim", b"commitment key of the simulation")
        self.tools, self.store = tools, store
        self.parts = LineParts(tools, world.rules, systems, LIMITS)
        self.line = Line(
            store,
            store.reads,
            self.parts,
            events_left=self._events_left,
            jobs_due=self._wake,
        )
        self.worker = Worker(self.line, poll_s=5.0)
        self.leading = Leading(world, name, self.life, tools, self.parts, self._wake) if world.relays else None
        self._tasks: list[asyncio.Task[None]] = []

    def _wake(self) -> None:
        self.worker.wake()

    def _events_left(self) -> None:
        if self.leading is not None:
            self.leading.relay.wake()

    async def start(self) -> None:
        record = ProcessRecord(self.name, "host", "boot", 1, "1.00", self._world.clock.now())
        await self._world.store.write(lambda unit: unit.insert_process(record))
        for dead in sorted(self._world.morgue.dead) if self._world.morgue.tells else []:
            await self._world.store.write(_Free(dead, self._world.clock.now()))
        self._tasks = [asyncio.create_task(self.worker.run())]
        if self.leading is not None:
            self.leading.start()

    def kill(self) -> None:
        """kill -9: nothing of it runs on, and it is known that it ended."""
        if self.life.alive:
            self.life.killed_at = self._world.clock.now()
        self.life.alive = False
        self.life.moving.set()
        for task in [*self._tasks, *self.line._tasks, *self.line._jobs]:
            task.cancel()
        if self.leading is not None:
            self.leading.kill()
        self._world.morgue.dead.add(self.name)

    def thaw(self) -> None:
        """SIGCONT."""
        self.life.moving.set()


@dataclass(frozen=True)
class _Free:
    """The leases of a process that is proven ended are free at once."""

    owner: str
    now: int

    async def __call__(self, unit: Any) -> int:
        freed: int = await unit.release_leases_of(self.owner, self.now)
        return freed
