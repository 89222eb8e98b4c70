"""The line on a real store, two ERPs that keep books, and a clock that only moves when told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from opentelemetry.trace import NoOpTracer

from adapters.canonical import DOMAINS
from gateway.cutover.activation import put_in_force
from gateway.cutover.draft_files import stored
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.caller import Caller
from gateway.domain.ids import TimeOrderedIds
from gateway.domain.processes import ProcessRecord
from gateway.domain.queries import Visible
from gateway.domain.records import DocumentRecord, EntryRecord, TransactionRecord
from gateway.intake.cross_references import CrossReferenceRow, import_cross_references
from gateway.transactions.commands import Answer, Cancel, Change, Create, Reverse
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, LineLimits, LineParts, SystemPolicy, Tools
from routing_rules import Rulebook, parse_rulebook
from tests.line.book_erp import BookErp

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"
START = 1_700_000_000_000_000
SALESFORCE = Caller("salesforce", "salesforce", frozenset({"documents:submit", "documents:read"}))
BILLING = Caller("billing", "billing", frozenset({"documents:submit", "documents:read"}))


class HandClock:
    """Stands still until moved; every look moves it by a microsecond, so that no two times are equal."""

    def __init__(self) -> None:
        self.micros = START

    def now(self) -> int:
        self.micros += 1
        return self.micros

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        self.micros += int(seconds * 1_000_000)


class Counting:
    """Randomness that is none."""

    def __init__(self, seed: int = 0) -> None:
        self.count = seed

    def salt(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(16, "big")

    def jitter(self) -> float:
        return 0.5

    def bits(self, bits: int) -> int:
        self.count += 1
        return self.count << 40


@dataclass
class Dead:
    """Which processes are proven ended."""

    ended: set[str] = field(default_factory=set)

    def has_ended(self, process: ProcessRecord) -> bool:
        return process.process_id in self.ended


@dataclass
class Rig:
    store: Any
    clock: HandClock
    liveness: Dead
    legacy: BookErp
    cloud: BookErp
    parts: LineParts
    line: Line
    rules: RulesHolder
    woken: list[str]
    keys: int = 0

    @classmethod
    async def on(cls, store: Any, process_id: str = "prc_1", **erp: Any) -> Rig:
        """A first process on a store; masters of the documents below are imported into both ERPs.

        `edits`: by file of the sample rulebook, what is replaced in it by what. `seed`: another one for a second rig on
        the same store.
        """
        clock, randomness = HandClock(), Counting(erp.pop("seed", 0))
        tracer, edits = erp.pop("tracer", NoOpTracer()), erp.pop("edits", {})
        legacy, cloud = BookErp("legacy-main", **erp), BookErp("cloud-main", **erp)
        liveness = Dead()
        tools = _tools(clock, randomness, liveness, process_id)
        await _register(store, process_id, clock)
        rules = await put_in_force(store, tools, sample_rulebook(edits), "test", stored(sample_files(edits)))
        policy = SystemPolicy(call_limit_s=10.0, longest_execution_s=100.0, inquiry_delay_s=1.0)
        parts = LineParts(
            tools,
            rules,
            {"legacy-main": ErpSystem(legacy, policy), "cloud-main": ErpSystem(cloud, policy)},
            LineLimits(lease_margin_s=5.0, waiting_recheck_s=60.0),
            tracer=tracer,
        )
        rig = cls._made(store, clock, liveness, legacy, cloud, parts)
        rows = [
            CrossReferenceRow(domain, "salesforce", name, system, domain.rstrip("s"), f"{number:06d}")
            for system in ("legacy-main", "cloud-main")
            for domain, name, number in (("customers", "VINET", 900), ("products", "11", 911))
        ]
        await import_cross_references(store, tools, rules, rows)
        return rig

    @classmethod
    def _made(cls, store: Any, clock: HandClock, liveness: Dead, *rest: Any) -> Rig:
        legacy, cloud, parts = rest
        woken: list[str] = []
        rules = RulesHolder(store.reads, parts.rules, fits=lambda _rulebook: None)
        line = Line(
            store,
            store.reads,
            parts,
            events_left=lambda: woken.append("events"),
            jobs_due=lambda: woken.append("jobs"),
            rules=rules,
        )
        return cls(store, clock, liveness, legacy, cloud, parts, line, rules, woken)

    async def another_process(self, process_id: str) -> Rig:
        """A second process on the same store, clock and ERPs."""
        tools = _tools(self.clock, Counting(1_000_000), self.liveness, process_id)
        await _register(self.store, process_id, self.clock)
        parts = LineParts(tools, self.rules.current, self.parts.systems, self.parts.limits)
        return self._made(self.store, self.clock, self.liveness, self.legacy, self.cloud, parts)

    async def send(self, body: dict[str, Any], domain: str = "orders", **changes: Any) -> Answer:
        """Submit as Salesforce (orders, masters) or billing would, without waiting longer than the calls take."""
        caller = changes.pop("caller", BILLING if domain in {"invoices", "payments", "journal_entries"} else SALESFORCE)
        document = DOMAINS[domain].model_validate_json(json.dumps(body))
        return await self.line.submit(Create(caller, document, wait_s=changes.pop("wait_s", 0.0), **changes))

    async def change(self, document_id: str, patch: dict[str, Any], domain: str = "orders", **how: Any) -> Answer:
        """Change as Salesforce would; each call has a key of its own unless it says one."""
        return await self.line.change(Change(*self._whose(how), domain, document_id, patch, **self._how(how)))

    async def cancel(self, document_id: str, domain: str = "orders", **how: Any) -> Answer:
        return await self.line.cancel(Cancel(*self._whose(how), domain, document_id, **self._how(how)))

    async def reverse(self, document_id: str, domain: str = "invoices", **how: Any) -> Answer:
        return await self.line.reverse(Reverse(*self._whose(how), domain, document_id, **self._how(how)))

    @staticmethod
    def _whose(how: dict[str, Any]) -> tuple[Caller]:
        return (how.pop("caller", SALESFORCE),)

    def _how(self, how: dict[str, Any]) -> dict[str, Any]:
        self.keys += 1
        return {"idempotency_key": f"key-{self.keys}", "wait_s": 5.0} | how

    async def document(self, document_id: str) -> DocumentRecord:
        found = await self.store.reads.document(document_id, Visible())
        assert found is not None
        return found

    async def content(self, document_id: str) -> dict[str, Any]:
        """What the document says now, as the gateway keeps it."""
        payload = await self.store.reads.payload((await self.document(document_id)).payload_id)
        body: dict[str, Any] = json.loads(payload.body)
        return body

    async def settle(self, rounds: int = 20) -> None:
        """Let everything that is due now be done."""
        for _ in range(rounds):
            assert await self.line.drain(30)
            if await self.line.work(100) == 0:
                return
        raise AssertionError("there is always something due")

    async def until(self, seconds: float) -> None:
        """Move the clock and do what became due."""
        self.clock.forward(seconds)
        await self.settle()

    async def record(self, transaction_id: str) -> TransactionRecord:
        found = await self.store.reads.transaction(transaction_id, Visible())
        assert found is not None
        return found

    async def kinds(self, transaction_id: str) -> list[str]:
        return [entry.kind for entry in await self.entries(transaction_id)]

    async def entries(self, transaction_id: str) -> list[EntryRecord]:
        return list(await self.store.reads.entries(transaction_id))

    async def statuses(self) -> dict[str, str]:
        """What consumers would see last, by transaction."""
        events = [json.loads(event.body) for event in await self.store.outbox.pending(100_000)]
        return {event["subject"]: event["data"]["status"] for event in events if "status" in event.get("data", {})}


def sample_rulebook(edits: Mapping[str, tuple[str, str]]) -> Rulebook:
    """The sample rulebook, with something replaced in some of its files. Nobody can change a rulebook: tests that ask
    for the same one share it."""
    return _parsed(tuple(sample_files(edits).items()))


@cache
def _parsed(files: tuple[tuple[str, str], ...]) -> Rulebook:
    return parse_rulebook({name: text.encode() for name, text in files})


def sample_files(edits: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    files = {path.name: path.read_text(encoding="utf-8") for path in TABLES.iterdir()}
    for name, (old, new) in edits.items():
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return files


def _tools(clock: HandClock, randomness: Counting, liveness: Dead, process_id: str) -> Tools:
    ids = TimeOrderedIds(clock.now, randomness.bits)
    return Tools(clock, ids, randomness, liveness, process_id, "test", b"commitment key of the tests")


async def _register(store: Any, process_id: str, clock: HandClock) -> None:
    record = ProcessRecord(process_id, "host", "boot", 1, "1.00", clock.now())
    await store.write(lambda unit: unit.insert_process(record))


def order(external_id: str = "10248", **changes: Any) -> dict[str, Any]:
    """An order of 168.00 USD; Northern and FR stay in the legacy ERP, Western and US go to the cloud."""
    return {
        "externalId": external_id,
        "businessUnit": "Northern",
        "geography": "FR",
        "companyCode": "NW01",
        "postingDate": "1996-07-04",
        "currencyCode": "USD",
        "customer": {"externalId": "VINET"},
        "lines": [
            {
                "lineNumber": 1,
                "product": {"externalId": "11"},
                "quantity": {"value": "12"},
                "unitPrice": "14.00",
                "netAmount": "168.00",
            }
        ],
        "totals": {"netAmount": "168.00", "grossAmount": "168.00"},
    } | changes


def invoice(external_id: str = "INV-10248", of_order: str = "10248", **changes: Any) -> dict[str, Any]:
    body = order(external_id, orderReference={"externalId": of_order, "source": "salesforce"})
    body["customer"] = {"externalId": "VINET", "source": "salesforce"}
    body["lines"][0]["product"] = {"externalId": "11", "source": "salesforce"}
    return body | changes


def payment(external_id: str = "PAY-10248", of: tuple[str, ...] = ("INV-10248",), **changes: Any) -> dict[str, Any]:
    head = {
        name: value for name, value in invoice(external_id).items() if name not in {"lines", "totals", "orderReference"}
    }
    total = 168 * len(of)
    return (
        head
        | {
            "amount": f"{total}.00",
            "allocations": [{"invoiceReference": {"externalId": one}, "amount": "168.00"} for one in of],
        }
        | changes
    )
