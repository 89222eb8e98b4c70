"""One gateway with its database, its events and its ERPs, through many lives: it is killed, and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

import httpx

from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.server import EmbeddedServer
from tests.faults.books import booked
from tests.faults.callers import Callers
from tests.faults.checks import SIDES, Rest, check, check_between, posted_once
from tests.faults.directory import tokens, write_directory
from tests.faults.fault_erp import POSTING_WAYS
from tests.faults.nursery import Life, Nursery
from tests.faults.rows import number
from tests.ports import reserved_port

READY_S: Final = 120.0
REST_S: Final = 120.0
"""For everything to end once the ERPs behave; it takes a few seconds where nothing else keeps the machine busy."""
ENDS_S: Final = 90.0
"""For a process to end when asked to: the 45 s that it may take, and as much for a busy machine."""
PATIENCE_S: Final = 30.0
"""For an answer of what the test itself asks."""
LOAD_S: Final = (0.5, 2.5)
LONG_LOAD_S: Final = 5.0
"""Of a life that waits for a point which few documents come by."""
RARE: Final = frozenset({"inquiry-begins", "inquired", "resolve-ran", "claimed"})
OPEN: Final = (
    "SELECT count(*) FROM transactions WHERE status IN"
    " ('accepted', 'routed', 'dispatched', 'unknown', 'waiting', 'compensating')"
)

UNPLACED: Final = "SELECT (SELECT count(*) FROM ledger_entries) - (SELECT count(*) FROM log_entries)"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a life: killed at hit number `hit` of `point` ("" is any instant), while most postings end
    in `way`."""

    point: str
    hit: int
    way: str


@dataclass
class Lived:
    """What became of it."""

    plan: Plan
    at_point: bool
    ready: bool


@dataclass
class World:
    """`name` is its directory, `seed` what its chance is drawn from. `erp` is where the ERPs listen, `erp_seen` where
    the gateway believes that they do. `settings`: of its gateways, as environment variables."""

    name: str
    seed: str
    root: Path
    erp: str
    nursery: Nursery
    planted: str = ""
    store: str = ""
    erp_seen: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    lives: list[Lived] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.data = self.root / self.name / "data"
        self.log = self.root / self.name / "gateway.log"
        self.nats_directory = self.root / self.name / "nats"
        self.url = self.store or f"sqlite:///{self.data / 'gateway.db'}"
        self.port = reserved_port()

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Its events' server runs, and its directory is there."""
        nats = EmbeddedServer(self.nats_directory, port=reserved_port())
        address = await nats.start()
        secret = (address.url, f"{address.user}:{address.password}")
        erp = f"{self.erp_seen or self.erp}/{self.name}"
        write_directory(self.data, erp=erp, nats=secret, store=self.store)
        self.nats = nats
        settings = NatsSettings((address.url,), "tests", address.user, address.password)
        self.connection = NatsConnection(replace(settings, connect_timeout_s=PATIENCE_S, answer_timeout_s=PATIENCE_S))
        self.callers = Callers([f"http://127.0.0.1:{self.port}"], tokens(self.data, time.time()), self.chance)
        try:
            yield
        finally:
            await self.connection.close()
            await nats.stop()

    async def live(self, plan: Plan) -> None:
        """One life: started, put under load, killed."""
        rest = 0.25 / (len(POSTING_WAYS) - 1)
        weights = dict.fromkeys(POSTING_WAYS, rest) | {"refused": 0.01, "fine": 0.3}
        await self.behave(weights | {plan.way: 0.5})
        life = await self.start(plan)
        ready = await self.is_ready(life)
        at_point = life.is_over
        if ready:
            at_point = await self._load(life, LONG_LOAD_S if plan.point in RARE else self.chance.uniform(*LOAD_S))
        await life.kill()
        if at_point and life.ended.result() != -signal.SIGKILL:
            self.callers.violations.append(f"the gateway ended by itself:\n{life.said()}")
        self.lives.append(Lived(plan, at_point, ready))
        if self.callers.accepted:
            self.callers.violations += await check_between(self._rest)

    async def end(self, allowed: frozenset[str] = frozenset()) -> list[str]:
        """A last life, in which nothing fails: everything ends. What was violated in this world. `allowed`: ends beside
        posted and rejected."""
        await self.behave({"fine": 1.0})
        return await self.rest(await self.start(None), allowed)

    async def rest(self, life: Life, allowed: frozenset[str] = frozenset()) -> list[str]:
        """That life comes to rest by itself and ends when asked to. What was violated in this world."""
        try:
            if not await self.is_ready(life):
                return [f"it does not start:\n{life.said()}"]
            await self.callers.ask_again()
            late = await self._until_rest()
            life.signal(signal.SIGTERM)
            code = await asyncio.wait_for(asyncio.shield(life.ended), ENDS_S)
        finally:
            await life.kill()
        found = [*self.callers.violations, *late]
        if code != 0:
            found.append(f"the last life ended with {code}:\n{life.said()}")
        if self.callers.unanswered:
            found.append(f"{len(self.callers.unanswered)} documents got no answer at all")
        return found + await check(self._rest, allowed)

    def posted_twice(self) -> list[str]:
        """What stands twice in the books now."""
        books = self.root / "books" / self.name
        return posted_once({f"{side}-main": booked(books / f"{side}.jsonl") for side in SIDES})

    @property
    def _rest(self) -> Rest:
        books = self.root / "books" / self.name
        return Rest(self.url, self.data, books, self.callers.asked, NatsStream(self.connection))

    async def behave(self, weights: dict[str, float]) -> None:
        """Tell the ERPs how."""
        said = {"world": self.name, "seed": self.chance.random(), "weights": weights}
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            await http.post(f"{self.erp}/control", json=said)

    async def start(self, plan: Plan | None, role: str = "serve") -> Life:
        trap = None
        if plan is not None and plan.point:
            told = self.root / self.name / "trapped"
            trap = {"point": plan.point, "hit": plan.hit, "act": int(signal.SIGKILL), "told": str(told)}
        environment = {"ERP_GATEWAY_HTTP__PORT": str(self.port), **self.settings}
        return await self.nursery.bear(self.data, environment, self.log, trap=trap, planted=self.planted, role=role)

    async def is_ready(self, life: Life) -> bool:
        """Once it is; False if it ended before."""
        until = time.monotonic() + READY_S
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=5) as http:
            while not life.is_over:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get("/health/live")).status_code == 200:
                        return True
                if time.monotonic() > until:
                    self.callers.violations.append(f"not ready after {READY_S} s:\n{life.said()}")
                    return False
                await asyncio.sleep(0.03)
        return False

    async def _load(self, life: Life, seconds: float) -> bool:
        """Until it runs into its trap, or for so many seconds; then it is killed while requests are under way. Whether
        it was the trap."""
        enough = asyncio.Event()
        calling = asyncio.create_task(self.callers.call(enough))
        await asyncio.wait({life.ended}, timeout=seconds)
        trapped = life.is_over
        await life.kill()
        enough.set()
        await calling
        return trapped

    async def _until_rest(self) -> list[str]:
        """Until nothing is open, everything is published, and every entry has its place in the tree."""
        until = time.monotonic() + REST_S
        while True:
            left = await number(self.url, OPEN)
            waiting = await number(self.url, "SELECT count(*) FROM outbox WHERE published_at IS NULL")
            unplaced = await number(self.url, UNPLACED)
            if not left and not waiting and not unplaced:
                return []
            if time.monotonic() > until:
                return [f"{left} transactions, {waiting} events and {unplaced} entries are left after {REST_S} s"]
            await asyncio.sleep(0.1)


def shown(plan: Plan) -> str:
    """A plan in one word, as replays take it."""
    return json.dumps([plan.point, plan.hit, plan.way])
