"""One world of the simulation: everything that happens in it follows from its seed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from adapters.canonical import DOMAINS
from gateway.cutover.activation import put_in_force
from gateway.domain.ids import TimeOrderedIds
from gateway.domain.lanes import IN_BULK, RESPOND_ASYNC, SYNCHRONOUS
from gateway.domain.new_customer import take_new_customer
from gateway.domain.records import StepRecord
from gateway.errors import CommitUnknown, Problem, StoreUnavailable
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from gateway.transactions.commands import Cancel, Create, Reverse
from gateway.transactions.parts import RulesInForce, Tools
from routing_rules import Rulebook
from tests.line.rig import BILLING, SALESFORCE, invoice, order, payment, sample_rulebook
from tests.line.split import SPLIT
from tests.simulation.audit import audited
from tests.simulation.erp import SimErp
from tests.simulation.leading import RELAYING
from tests.simulation.lives import Killed, Life
from tests.simulation.memory_store import memory_store
from tests.simulation.newcomers import brought
from tests.simulation.persons import undo_by_hand
from tests.simulation.process import Clock, Morgue, Process, Seeded
from tests.simulation.sendings import Inquiry, Sending
from tests.simulation.splits import charged, paid_in_both
from tests.simulation.stream import StreamServer, disturb

QUIET_S: Final = 7_200.0
"""Virtual seconds within which everything must have ended once nothing goes wrong any more."""
LOOK_EVERY_S: Final = 20.0
COMMITMENT_KEY: Final = b"commitment key of the simulation"
TOLD_S: Final = 1_200.0
"""Virtual seconds within which every event is in the stream once nothing goes wrong any more; a stop is shorter."""
RELAYS_IN: Final = 2
"""Of so many worlds one has a stream, relays and sweeps."""
AGAIN_S: Final = 400.0
"""A caller gives up sending again after so long; what was accepted goes on without it."""


@cache
def _rulebook() -> Rulebook:
    return sample_rulebook(SPLIT)


@dataclass
class World:
    """`reference_unique`: both ERPs refuse a second document with one reference. `accepted`: what callers were told was
    accepted, by transaction. `by_hand`: steps that people did, or undid, in an ERP that had refused it. `closed`: when
    senders said that their attempts were over (µs), by transaction, step, direction and attempt. `sendings`,
    `inquiries`: what was really sent and asked, by external reference. `relays`: whether its processes relay and sweep;
    `swept`: what sweeps found that is in no sound world."""

    seed: int
    lineages: int = 4
    splits: int = 1
    newcomers: int = 1
    store: Any = field(init=False)
    rules: RulesInForce = field(init=False)

    def __post_init__(self) -> None:
        chance = self.chance = random.Random(self.seed)
        self.clock = Clock()
        self.morgue = Morgue(tells=chance.random() < 0.7)
        unique = chance.random() < 0.4
        trouble = chance.choice([0.0, 0.2, 0.5, 0.8])
        self.erps = {
            name: SimErp(name, reference_unique=unique, chance=random.Random(f"{self.seed}/{name}"), trouble=trouble)
            for name in ("legacy-main", "cloud-main")
        }
        self.store_trouble = chance.choice([0.0, 0.0, 0.02, 0.1])
        self.stops = chance.choice([0.0, 0.02, 0.1])
        self.processes: list[Process] = []
        self.accepted: dict[str, str] = {}
        self.by_hand: set[tuple[str, int]] = set()
        self.closed: dict[tuple[str, int, str, int], int] = {}
        self.sendings: defaultdict[str, list[Sending]] = defaultdict(list)
        self.inquiries: defaultdict[str, list[Inquiry]] = defaultdict(list)
        self.relays = self.seed % RELAYS_IN == 0
        at_stream = random.Random(f"{self.seed}/stream")
        self.stream = StreamServer(at_stream, self.clock.now, at_stream.choice([0.0, 0.05, 0.3]))
        self.leader_stops = at_stream.choice([0.0, 0.05, 0.1])
        self.swept: set[str] = set()
        self.sweeps = 0
        self.violations: list[str] = []
        self.kills = self.freezes = self.commits = self._started = 0

    async def live(self) -> None:
        """From the first request to the end of everything that was accepted."""
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        await self._set_up()
        for _ in range(self.chance.randint(1, 3)):
            await self._start_one()
        chaos = [asyncio.create_task(self._chaos())]
        if self.relays:
            chaos.append(asyncio.create_task(disturb(self.stream, random.Random(f"{self.seed}/at the stream"))))
        lineages = [self._lineage(number) for number in range(self.lineages)]
        charges = [charged(self, number) for number in range(2 * self.splits)]
        payments = [paid_in_both(self, number) for number in range(self.splits)]
        newcomers = [brought(self, number) for number in range(self.newcomers)]
        await asyncio.gather(*lineages, *charges, *payments, *newcomers)
        # what goes on behind the callers' backs takes longer than they do: leases, quiet times, stops
        await asyncio.sleep(self.chance.choice([0.0, 100.0, 600.0]))
        for one in chaos:
            one.cancel()
        await self._calm()
        await self.until_all_ended()
        await undo_by_hand(self)
        await self._until_all_told()
        self.violations += await audited(self, COMMITMENT_KEY)

    def strike(self, life: Life, chance: random.Random) -> None:
        """A process may come to stand still at this very point, shorter or longer than a lease or a quiet time."""
        if chance.random() < self.stops:
            self.freezes += 1
            life.freeze(chance.choice([3.0, 20.0, 200.0, 400.0, 400.0]))

    def strike_leader(self, life: Life, chance: random.Random) -> None:
        """A process that leads may come to stand still where it is about to publish or to write what it published, and
        that longer than its lease; what it knows of the stream is often wrong when it wakes."""
        if chance.random() < self.leader_stops:
            self.freezes += 1
            life.freeze(chance.choice([100.0, 200.0, 400.0]))
            meanwhile = chance.choice([self.stream.wipe, self.stream.cut_off, None])
            if meanwhile is not None:
                asyncio.get_running_loop().call_later(chance.uniform(0, 90), meanwhile)

    def committed(self) -> None:
        """A unit was committed; the process that did it may die at this very moment."""
        self.commits += 1

    def said_closed(self, step: StepRecord) -> None:
        """A sender's word that its attempt is over was put on record."""
        self.closed[step.transaction_id, step.step, step.direction, step.attempt] = self.clock.now()

    def first_byte(self, process: str, reference: str, at: int) -> None:
        """A posting is about to leave that process; it must hold the lease of what it posts then."""
        held = self.rows(
            "SELECT j.lease_owner, j.lease_until FROM jobs j JOIN steps s ON s.transaction_id = j.transaction_id"  # noqa: S608
            f" WHERE s.external_reference = '{reference}'"
        )
        if not held or held[0][0] != process or held[0][1] <= at:
            self.violations.append(f"{process} sends {reference}, whose lease is {held or 'nowhere'} at {at}")

    async def _set_up(self) -> None:
        self.store = memory_store(self.clock.now)
        randomness = Seeded(random.Random(f"{self.seed}/set-up"))
        ids = TimeOrderedIds(self.clock.now, randomness.bits)
        tools = Tools(self.clock, ids, randomness, self.morgue, "prc_0", "sim", COMMITMENT_KEY)
        self.rules = await put_in_force(self.store, tools, _rulebook(), "sim")
        rows = [
            CrossReferenceRow(domain, "salesforce", name, system, domain.rstrip("s"), f"{number:06d}")
            for system in self.erps
            for domain, name, number in (("customers", "VINET", 900), ("products", "11", 911))
        ]
        await import_cross_references(self.store, tools, self.rules, rows)

    async def _start_one(self) -> None:
        self._started += 1
        process = Process(f"prc_{self._started}", self)
        self.processes.append(process)
        await process.start()

    def _living(self) -> list[Process]:
        return [one for one in self.processes if one.life.alive]

    async def a_living_process(self) -> Process:
        """Any; a new one where none is left."""
        if not self._living():
            await self._start_one()
        return self.chance.choice(self._living())

    async def _chaos(self) -> None:
        """Kills, stops and restarts until it is cancelled."""
        chance = self.chance
        every_s = chance.choice([6.0, 30.0, 300.0, 300.0])
        while True:
            await asyncio.sleep(chance.expovariate(1 / every_s))
            victims = self._living()
            if not victims:
                await self._start_one()
                continue
            victim = chance.choice(victims)
            match chance.choice(["kill", "freeze", "thaw", "start"]):
                case "kill":
                    self.kills += 1
                    victim.kill()
                    if chance.random() < 0.8:
                        await asyncio.sleep(chance.uniform(0, 5))
                        await self._start_one()
                case "freeze":
                    self.freezes += 1
                    victim.life.freeze(chance.choice([3.0, 20.0, 150.0]))
                case "thaw":
                    for one in victims:
                        one.thaw()
                case _:
                    if len(victims) < 3:
                        await self._start_one()

    async def _calm(self) -> None:
        """Nothing goes wrong any more; what stands still goes on when its time comes."""
        self.store_trouble = self.stops = self.leader_stops = 0.0
        self.stream.come_back()
        for erp in self.erps.values():
            erp.trouble = 0.0
        if not self._living():
            await self._start_one()

    async def until_all_ended(self) -> None:
        until = asyncio.get_running_loop().time() + QUIET_S
        while self.open():
            if asyncio.get_running_loop().time() > until:
                self.violations.append(f"not ended after {QUIET_S:g} quiet seconds: {self.open()}")
                return
            await asyncio.sleep(LOOK_EVERY_S)
        # what an ERP still executes for callers that gave up
        await asyncio.sleep(LOOK_EVERY_S + 100)

    async def _until_all_told(self) -> None:
        """Whoever leads has published what is in the outbox, and swept once more."""
        if not self.relays:
            return
        await self.a_living_process()
        until, swept = asyncio.get_running_loop().time() + TOLD_S, self.sweeps
        while self.rows("SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1") or self.sweeps == swept:
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(LOOK_EVERY_S)
        # as long as a relay takes to notice that the stream is not what it was
        await asyncio.sleep(RELAYING.look_s + LOOK_EVERY_S)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the record holds."""
        found: list[tuple[Any, ...]] = self.store._reader._connection.execute(sql).fetchall()
        return found

    def open(self) -> list[tuple[Any, ...]]:
        """Transactions that have not ended and are in nobody's hands: not `in_doubt`, nor waiting for one that is."""
        return self.rows(
            "WITH RECURSIVE stuck(id) AS (SELECT transaction_id FROM transactions WHERE status = 'in_doubt'"
            " UNION SELECT j.transaction_id FROM jobs j JOIN stuck ON j.waiting_for = stuck.id)"
            " SELECT transaction_id, status FROM transactions"
            " WHERE status NOT IN ('posted', 'rejected', 'cancelled', 'compensated') AND transaction_id NOT IN stuck"
        )

    # what callers do

    async def _lineage(self, number: int) -> None:
        """An order, its invoice and its payment, as Salesforce and billing send them, with some changes of mind."""
        chance = random.Random(f"{self.seed}/lineage/{number}")
        await asyncio.sleep(chance.uniform(0, 20))
        where = chance.choice([{}, {"businessUnit": "Western", "geography": "US"}])
        name = str(20_000 + number)
        document = await self._create(chance, "orders", order(name, **where))
        if document is None:
            return
        if chance.random() < 0.15:
            await self._act(chance, Cancel(SALESFORCE, "orders", document, idempotency_key=f"c-{name}"))
            return
        billed = await self._create(chance, "invoices", invoice(f"I-{name}", name, **where))
        if billed is None:
            return
        if chance.random() < 0.2:
            await self._act(chance, Reverse(BILLING, "invoices", billed, idempotency_key=f"r-{name}"))
            return
        await self._create(chance, "payments", payment(f"P-{name}", (f"I-{name}",), **where))

    async def _create(
        self, chance: random.Random, domain: str, body: dict[str, Any], replaces: str | None = None
    ) -> str | None:
        caller = SALESFORCE if domain == "orders" else BILLING
        members = dict(body)
        new_customer = take_new_customer(DOMAINS[domain], members)
        document = DOMAINS[domain].model_validate_json(json.dumps(members))
        queueing = chance.choice([SYNCHRONOUS, SYNCHRONOUS, RESPOND_ASYNC, IN_BULK])
        wait_s = chance.choice([0.0, 2.0, 8.0])
        command = Create(
            caller, document, replaces=replaces, wait_s=wait_s, queueing=queueing, new_customer=new_customer
        )
        return await self._act(chance, command)

    async def _act(self, chance: random.Random, command: Any) -> str | None:
        """Send until answered, as a caller must; the document's id, None if it was refused or nobody answered."""
        verb = {Create: "submit", Cancel: "cancel", Reverse: "reverse"}[type(command)]
        until = asyncio.get_running_loop().time() + AGAIN_S
        while asyncio.get_running_loop().time() < until:
            living = self._living()
            if living:
                process = chance.choice(living)
                try:
                    async with asyncio.timeout(30):
                        if command.queueing is IN_BULK:
                            (answer,) = await process.line.accept_many([command])
                            if isinstance(answer, Problem):
                                raise answer
                        else:
                            answer = await getattr(process.line, verb)(command)
                except (StoreUnavailable, CommitUnknown, Killed, TimeoutError):
                    pass
                except Problem as problem:
                    if problem.slug not in {"in-flight", "document-busy", "not-ready"}:
                        return None
                else:
                    record = answer.transaction
                    self.accepted[record.transaction_id] = record.document_id
                    if chance.random() < 0.8:
                        return str(record.document_id)
                    # an answer that got lost on its way: the same again
            await asyncio.sleep(chance.uniform(0.1, 10))
        return None
