"""A record of any size to ask questions of: orders with their invoices and payments in two ERPs over two years,
refusals, unknown outcomes, and the acts of those who changed the rules. The same size gives the same record.

Written in bulk: the entries have their places and the tree its tiles; of the checkpoints the last is signed, of the
others the times are kept. So is the index, up to `indexed` entries, with the rows of the gateway's own program
(tests/ledger/test_bulk_index.py), to which the rest is left.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Table
from sqlalchemy.types import LargeBinary, Text

from benchmarks.ledger_bulk import Bulk
from benchmarks.ledger_bulk_index import BulkIndex
from gateway.domain.identity import crockford, external_reference, key_commitment, person_commitment
from gateway.domain.indexed_entries import PlacedBody
from gateway.ledger.hashing import perfect_root
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import TILE_HEIGHT
from gateway.store import schema
from gateway.store.log_schema import log_checkpoints, log_entries, log_tiles

START = 1_700_000_000_000_000
STEP_US = 6_000_000  # between two entries; ten million are two years
UNITS = [f"BU{number:02d}" for number in range(24)]
PLACES = ["DE", "AT", "CH", "FR", "ES", "IT", "NL", "BE", "PL", "SE", "US", "CA", "MX", "BR", "JP", "KR", "IN", "AU"]
CURRENCIES = ["EUR", "USD", "CHF", "JPY"]
ACTIVATIONS = 40
CUSTOMERS = 20_000
CLERKS = [f"clerk-{number}" for number in range(60)]
PERSONS = [person_commitment(b"b" * 32, name) for name in CLERKS]
VERSIONS = [sha256(f"rules {number}".encode()).hexdigest() for number in range(ACTIVATIONS)]
TYPES = {"orders": "standard_order", "invoices": "invoice", "payments": "incoming_payment"}
PARTS = 20_000
"""Rows that are written at once."""
ORIGIN = "bench.example/ledger"
KEY = SigningKey(ORIGIN, b"b" * 32)
CHECKPOINT_EVERY = 2_000
CHAPTER = 1 << 19
"""Entries that are made one after the other; a whole number of tiles and of the index's blocks."""
MOST = 1 << 24
"""Entries of the largest record: it has no full tile above a chapter's."""
LONGEST = 40
"""No lineage has so many entries."""
JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
UNSAID: dict[Table, dict[str, Any]] = {}
NOWHERE = (None, None, None, None, None)

Where = tuple[str | None, ...]
"""Domain, business unit, geography, company code and operation of an entry's transaction."""


@dataclass
class Chapter:
    """Makes a part of the record: the places [size, end) of one that has `entries`; the first `indexed` of these are
    put into the index. `sample`: what can be asked for. `edge`: the tree of this part alone."""

    end: int
    entries: int
    indexed: int
    size: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)
    edge: TileEdge = field(default_factory=TileEdge)
    rows: dict[Table, list[tuple[Any, ...]]] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = self.size
        self.chance = random.Random(self.first)
        self.ids = self.first * 2 + CUSTOMERS
        self.at = START + self.first * STEP_US
        self.index = BulkIndex(self.indexed)

    async def make(self, bulks: Sequence[Bulk]) -> None:
        """Its rows into each of these."""
        acts_every = max(2_000, self.entries // 5_000)
        next_act, next_checkpoint = self.first + acts_every, self.first + CHECKPOINT_EVERY
        activation = -(-self.first * ACTIVATIONS // self.entries)
        if self.first == 0:
            for number in range(CUSTOMERS):
                self._customer(number)
        while self.size < self.end:
            if activation * self.entries < self.size * ACTIVATIONS or activation == 0:
                activation += 1
                rule = {"tableVersion": VERSIONS[activation - 1], "activationNumber": activation}
                self._act("activated", f"act_{activation:026d}", {"rule": rule})
            elif self.end - self.size < LONGEST or self.size >= next_act:
                next_act += acts_every
                self._somebody_acts(activation)
            else:
                self._lineage(activation)
            if next_checkpoint <= self.size < self.end:
                next_checkpoint += CHECKPOINT_EVERY
                self._put(log_checkpoints, origin=ORIGIN, size=self.size, note=b"", kept_at=self.at)
            if len(self.rows.get(schema.ledger_entries, ())) >= PARTS:
                await self._flush(bulks)
        self.index.end()
        await self._flush(bulks)

    def _tiles(self) -> None:
        """Those that have become full."""
        for tile, hashes in self.edge.extend(self.leaves):
            index = tile.index + (self.first >> TILE_HEIGHT * (tile.level + 1))
            root = perfect_root(hashes)
            self._put(log_tiles, tile_level=tile.level, tile_index=index, root=root, hashes=b"".join(hashes))
        self.leaves.clear()

    async def _flush(self, bulks: Sequence[Bulk]) -> None:
        self._tiles()
        for table, rows in self.index.taken():
            self.rows.setdefault(table, []).extend(rows)
        # parents before their children, as foreign keys ask
        for table in schema.METADATA.sorted_tables:
            rows = self.rows.pop(table, ())
            if rows:
                await asyncio.gather(*(bulk.insert(table, rows) for bulk in bulks))

    def _put(self, table: Table, **values: Any) -> None:
        unsaid = UNSAID.get(table)
        if unsaid is None:
            unsaid = UNSAID[table] = {c.name: None if c.nullable else _nothing(c.type) for c in table.columns}
        row = {**unsaid, **values}
        assert len(row) == len(unsaid), f"{table.name} has no such column: {sorted(set(values) - set(unsaid))}"
        self.rows.setdefault(table, []).append(tuple(row.values()))

    def _new(self, prefix: str) -> str:
        self.ids += 1
        return f"{prefix}_{crockford(self.at // 1_000 << 80 | self.ids, 26)}"

    def _customer(self, number: int) -> None:
        """A master that was imported."""
        document = f"doc_{crockford(number, 26)}"
        self._put(
            schema.documents, document_id=document, domain="customers", source="salesforce", external_id=f"C-{number}",
            lineage_id=f"lin_{crockford(number, 26)}", business_unit="group", geography="DE", created_at=START,
            state="active", version=1,
        )  # fmt: skip

    def _lineage(self, activation: int) -> None:
        """An order, mostly with its invoice and payment."""
        pick, chance = self.chance.choice, self.chance
        cloud = chance.random() < activation / ACTIVATIONS
        place = {"business_unit": pick(UNITS), "geography": pick(PLACES)}
        system = "cloud-eu" if cloud else "legacy-main"
        lineage = self._new("lin")
        customer = f"doc_{crockford(chance.randrange(CUSTOMERS), 26)}"
        amount = f"{min(chance.expovariate(1 / 2_000), 10**7):.2f}"
        told = {"lineage": lineage, "system": system, "customer": customer, "amount": amount, **place}
        parent, root = None, None
        for domain in ("orders", "invoices", "payments"):
            parent, posted = self._document(domain, activation, told, parent)
            if root is None:
                root = parent
                self._put(schema.lineages, lineage_id=lineage, root_document_id=root, event_count=9)
            if not posted or chance.random() < 0.1:
                return

    def _document(self, domain: str, activation: int, told: Mapping[str, Any], parent: str | None) -> tuple[str, bool]:
        chance = self.chance
        trace, document = self._new("txn"), self._new("doc")
        source = "salesforce" if domain == "orders" else "billing"
        name = f"{domain[:3].upper()}-{self.ids}"
        version, row = VERSIONS[activation - 1], f"{domain[0]}-{told['business_unit']}-{chance.randrange(4)}"
        side = "cloud" if told["system"] == "cloud-eu" else "legacy"
        currency = CURRENCIES[sum(told["geography"].encode()) % len(CURRENCIES)]
        rule = {"tableVersion": version, "row": row, "activationNumber": activation}
        number, reference = f"{4_500_000_000 + self.ids}", external_reference(trace, 1, "do")
        day = f"{2023 + self.ids % 3}-{1 + self.ids // 7 % 12:02d}-{1 + self.ids // 3 % 28:02d}"
        place = {"businessUnit": told["business_unit"], "geography": told["geography"]}
        money = {"amount": told["amount"], "currencyCode": currency}
        facts = {"domain": domain, "operation": "create", **place, **money, "companyCode": "C100", "postingDate": day}
        luck, system = chance.random(), told["system"]
        steps: list[tuple[str, dict[str, Any]]] = [
            ("accepted", {"domain": domain, "operation": "create", "documentId": document,
                          "keyHash": key_commitment(b"b" * 32, source, domain, name), "payloadHash": "5e" * 32}),
            ("routed", {"systemId": system, "stage": "live", "rule": rule, "facts": facts, "pinned": parent is not None,
                        "explanation": f"row {row} decides: {system} at stage live"}),
        ]  # fmt: skip
        if parent is None:
            steps.append(("pinned", {"systemId": system}))
        if luck < 0.01:
            steps.append(("held", {"overlayId": "ovl_0", "explanation": "an overlay holds it"}))
            steps.append(("released", {"systemId": system}))
        erp = {"reference": reference, "documentType": TYPES[domain], "documentNumber": number}
        steps.append(
            ("dispatched", {"systemId": system, "step": 1, "attempt": 1, "epoch": 1, "erp": {"reference": reference}})
        )
        status = "posted"
        if luck > 0.9999:
            status = "in_doubt"
            steps += [("unknown", {"code": "cut"}), ("inquired", {"hits": 2}), ("in_doubt", {"code": "two-hits"})]
        elif luck > 0.97:
            status = "rejected"
            steps.append(("rejected", {"code": "rejected-by-erp", "problemHash": "7a" * 32}))
        else:
            if luck > 0.965:
                steps += [("unknown", {"code": "cut"}), ("inquired", {"hits": 1})]
            steps.append(
                (
                    "posted",
                    {
                        "systemId": system,
                        "step": 1,
                        "attempt": 1,
                        "erp": erp,
                        "confirmed": {**money, "companyCode": "C100", "postingDate": day},
                    },
                )
            )
            steps.append(("linked", {"documentId": document, "systemId": system}))
        accepted_at = self.at
        where = (domain, told["business_unit"], told["geography"], "C100", "create")
        for seq, (kind, members) in enumerate(steps, 1):
            self._entry(kind, trace, seq, source, told["lineage"], members, where)
        posted = status == "posted"
        common = {
            "lineage_id": told["lineage"], "document_id": document, "domain": domain, "source": source,
            "external_id": name, "business_unit": told["business_unit"], "geography": told["geography"],
            "company_code": "C100", "document_type": TYPES[domain], "currency_code": currency,
            "amount": told["amount"], "posting_date": day, "payload_id": f"pay_{trace[4:]}", "transaction_id": trace,
        }  # fmt: skip
        self._put(
            schema.transactions, **common, operation="create", status=status, client=source, content_hash="5e" * 32,
            trace_id="0" * 32, accepted_at=accepted_at, updated_at=self.at, entry_count=len(steps), system_id=system,
            side=side, stage="live", table_version=version, rule_row=row, activation_number=activation,
            pinned=int(parent is not None), erp_document_type=TYPES[domain] if posted else None,
            erp_document_number=number if posted else None, explanation=f"row {row} decides",
        )  # fmt: skip
        self._put(
            schema.documents, **common, created_at=accepted_at, customer_id=told["customer"], state="active", version=1
        )
        self._put(
            schema.natural_keys, source=source, domain=domain, external_id=name, document_id=document,
            transaction_id=trace, content_hash="5e" * 32,
        )  # fmt: skip
        self._put(
            schema.steps, transaction_id=trace, step=1, direction="do", system_id=system, external_reference=reference,
            state="posted" if posted else "rejected", attempt=1, epoch=1, process_id="prc", dispatched_at=accepted_at,
        )  # fmt: skip
        if posted:
            self._put(
                schema.cross_references, document_id=document, system_id=system, document_type=TYPES[domain],
                document_number=number, valid_from=self.at,
            )  # fmt: skip
        if parent is not None:
            self._put(
                schema.relations, document_id=document, field="reference", target_document_id=parent, kind="follows"
            )
        if self.ids % 997 < 3:
            self.sample.append({**common, "system_id": system, "number": number if posted else None,
                                "reference": reference, "customer_id": told["customer"], "row": row,
                                "version": version, "at": accepted_at})  # fmt: skip
        return document, posted

    def _somebody_acts(self, activation: int) -> None:
        pick = self.chance.choice
        person, version = pick(PERSONS), VERSIONS[min(activation, ACTIVATIONS - 1)]
        kind = pick(
            ["draft_saved", "checked", "approved", "gate_passed", "gate_waived", "overlay_set", "overlay_lifted"]
        )
        members: dict[str, Any] = {"person": person, "rule": {"tableVersion": version}}
        if kind.startswith("overlay"):
            members = {"person": person, "slice": f"orders.{pick(UNITS)}.{pick(PLACES)}"}
        self._act(kind, self._new("drf"), members)

    def _act(self, kind: str, trace: str, members: Mapping[str, Any]) -> None:
        self._entry(kind, trace, 1, "console", "control", members)

    def _entry(
        self, kind: str, trace: str, seq: int, actor: str, lineage: str, members: Mapping[str, Any],
        where: Where = NOWHERE,
    ) -> None:  # fmt: skip
        self.at += self.chance.randrange(STEP_US * 2)
        content = {"v": 1, "at": self.at, "trace": trace, "seq": seq, "kind": kind, "actor": actor}
        body = JSON.encode(content | {"lineageId": lineage, **members}).encode()
        leaf = sha256(b"\x00" + body).digest()
        self._put(
            schema.ledger_entries, trace=trace, seq=seq, kind=kind, at=self.at, lineage_id=lineage, body=body,
            leaf_hash=leaf,
        )  # fmt: skip
        self._put(log_entries, log_index=self.size, trace=trace, seq=seq)
        self.leaves.append(leaf)
        self.index.add(PlacedBody(self.size, trace, seq, kind, self.at, body, *where))
        self.size += 1


def _nothing(kind: Any) -> Any:
    if isinstance(kind, LargeBinary):
        return b""
    return "" if isinstance(kind, Text) else 0
