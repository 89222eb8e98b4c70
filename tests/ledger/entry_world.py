"""A record with transactions of several slices and the acts of persons, and the same entries for a filter that is slow
and simple."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.identity import person_commitment
from gateway.domain.records import EntryRecord, TransactionRecord
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.store.store import Store, StoreUnit
from tests.ledger.live import Live, live
from tests.store.made import a_transaction, new_id

START = 1_790_000_000_000_000
UNITS, PLACES, DOMAINS = (
    ("Northern", "Western", "Eastern"),
    ("DE", "FR", "US", "JP"),
    ("orders", "invoices", "payments"),
)
PERSONS = [person_commitment(b"k" * 32, name) for name in ("ada", "bob", "eve")]
VERSIONS = ["ab" * 32, "cd" * 32, "ef" * 32]
ENDS = {"posted", "rejected", "compensated", "cancelled"}


@dataclass
class EntryWorld:
    """`transactions`: by trace."""

    store: Store
    log: Live
    chance: random.Random
    transactions: dict[str, TransactionRecord] = field(default_factory=dict)
    at: int = START

    @classmethod
    def on(cls, store: Store, tmp_path: Path, seed: int) -> EntryWorld:
        return cls(store, live(store, tmp_path), random.Random(seed))

    @property
    def indexer(self) -> EntryIndexer:
        return EntryIndexer(self.store)

    async def grow(self, transactions: int, *, indexed: bool = True) -> None:
        """So many transactions more, and now and then somebody's act; then sequenced."""
        for first in range(0, transactions, 50):
            made = [self._transaction() for _ in range(min(50, transactions - first))]
            acts = [entry for _ in made if self.chance.random() < 0.1 for entry in self._act()]

            async def unit(unit: StoreUnit, made: Any = made, acts: Any = acts) -> None:
                for record, entries in made:
                    await unit.insert_transaction(record)
                    await unit.insert_entries(entries)
                await unit.insert_entries(acts)

            await self.store.write(unit)
        await self.log.settle()
        if indexed:
            await self.indexer.finish()

    def _now(self) -> int:
        self.at += self.chance.randrange(1, 2_000_000)
        # Now and then somebody writes what bears an earlier time.
        return self.at - (5_000_000 if self.chance.random() < 0.05 else 0)

    def _transaction(self) -> tuple[TransactionRecord, list[EntryRecord]]:
        pick = self.chance.choice
        record = a_transaction(
            transaction_id=new_id("txn"),
            lineage_id=new_id("lin"),
            document_id=new_id("doc"),
            domain=pick(DOMAINS),
            business_unit=pick(UNITS),
            geography=pick(PLACES),
            company_code=pick(["1000", "2000"]),
            operation=pick(["create", "create", "change"]),
            client=pick(["salesforce", "billing"]),
        )
        self.transactions[record.transaction_id] = record
        number = pick([1, 2, 3])
        system = pick(["legacy-main", "cloud-main"])
        rule = {"tableVersion": VERSIONS[number - 1], "row": f"r{pick([1, 2, 3])}", "activationNumber": number}
        amount = f"{self.chance.randrange(10**6)}.{self.chance.randrange(100):02d}"
        money = {"amount": amount, "currencyCode": pick(["EUR", "USD"])}
        steps: list[tuple[str, dict[str, Any]]] = [
            ("accepted", {"domain": record.domain, "operation": record.operation}),
            ("routed", {"systemId": system, "rule": rule, "facts": money, "stage": "live"}),
            ("dispatched", {"systemId": system, "attempt": 1}),
        ]
        last = self.chance.random()
        if last < 0.8:
            steps.append(("posted", {"systemId": system, "confirmed": money}))
        elif last < 0.9:
            steps.append(("rejected", {"code": "rejected-by-erp"}))
        return record, list(self._entries(record.transaction_id, record.client, record.lineage_id, steps))

    def _act(self) -> Iterator[EntryRecord]:
        pick = self.chance.choice
        person, trace = pick(PERSONS), new_id("act")
        kind, members = pick(
            [
                ("gate_waived", {"gate": "control_totals", "person": person, "rule": {"tableVersion": pick(VERSIONS)}}),
                ("overlay_set", {"slice": f"{pick(DOMAINS)}.{pick(UNITS)}.{pick(PLACES)}", "person": person}),
                ("overlay_lifted", {"askedPerson": pick(PERSONS), "person": person}),
                ("activated", {"rule": {"tableVersion": pick(VERSIONS), "activationNumber": 3}}),
            ]
        )
        return self._entries(trace, "console", "control", [(kind, members)])

    def _entries(
        self, trace: str, actor: str, lineage: str, steps: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> Iterator[EntryRecord]:
        for seq, (kind, members) in enumerate(steps, 1):
            yield ledger_entry(
                EntryKind(kind), trace=trace, seq=seq, at=self._now(), actor=actor, lineage=lineage, members=members
            )

    async def decoded(self) -> list[dict[str, Any]]:
        """All that has a place, in order, as JSON; with the members of its transaction."""
        found = []
        for one in await self.store.log.placed(0, 10**6):
            assert one.body is not None
            body = json.loads(one.body)
            record = self.transactions.get(one.trace)
            place = (body.get("slice") or "..").split(".")
            found.append(
                body
                | {
                    "logIndex": one.log_index,
                    "domain": record.domain if record else place[0] or None,
                    "businessUnit": record.business_unit if record else place[1] or None,
                    "geography": record.geography if record else place[2] or None,
                    "companyCode": record.company_code if record else None,
                    "operation": record.operation if record else None,
                    "persons": {body[name] for name in ("person", "askedPerson") if name in body},
                }
            )
        return found
