"""Business of some months on a rig with much going wrong, and views of it by a reckoning that is slow and simple."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.domain.operational_views import Grouping, ViewFilter, ViewKey
from gateway.domain.queries import DocumentFilter, TransactionFilter, Visible
from gateway.domain.records import DocumentRecord, EntryRecord, RelationRecord, TransactionRecord
from gateway.errors import Problem
from tests.line.documents import TO_CLOUD, credit_note
from tests.line.rig import BILLING, Rig, invoice, order, payment

EVERYTHING = Visible()
ENDS = {"posted", "rejected", "compensated", "cancelled"}
SCRIPTS = ("post", "post", "post", "reject", "down", "busy", "lost_answer", "lost_call")


@dataclass
class Operations:
    """`transactions`, `entries` by trace, `documents` by id, `relations`: all that there is, as last read."""

    rig: Rig
    chance: random.Random
    transactions: list[TransactionRecord] = field(default_factory=list)
    entries: dict[str, list[EntryRecord]] = field(default_factory=dict)
    documents: dict[str, DocumentRecord] = field(default_factory=dict)
    relations: list[RelationRecord] = field(default_factory=list)

    async def grow(self, orders: int) -> None:
        """So many orders more, some with all that may follow; the last ones are under way still."""
        for number in range(orders):
            await self._order(f"{self.chance.randrange(10**8)}-{number}")
            self.rig.clock.forward(self.chance.choice((5.0, 3_600.0, 86_400.0 * 4)))
        self._script("down")
        await self.rig.send(order(f"last-{orders}"))
        await self.rig.line.drain(30)

    async def _order(self, name: str) -> None:
        changes: dict[str, Any] = self.chance.choice(({}, TO_CLOUD))
        if await self._sent(order(name, **changes), "orders") != "posted":
            return
        bill = f"INV-{name}"
        if self.chance.random() < 0.8 and await self._sent(invoice(bill, name, **changes), "invoices") == "posted":
            if self.chance.random() < 0.3:
                await self._sent(credit_note(f"CN-{name}", bill, **changes), "invoices")
                return
            if self.chance.random() < 0.2:
                document = next(one for one in await self._documents("invoices") if one.external_id == bill)
                await self.rig.reverse(document.document_id, caller=BILLING)
                await self._rest()
                return
            if self.chance.random() < 0.8:
                await self._sent(payment(f"PAY-{name}", (bill,), **changes), "payments")

    async def _sent(self, body: dict[str, Any], domain: str, replaces: str | None = None) -> str:
        """How it ended; what was refused is sent again, more often than not."""
        self._script(self.chance.choice(SCRIPTS))
        try:
            sent = await self.rig.send(body, domain, replaces=replaces)
        except Problem:
            return "refused"
        await self._rest()
        record = await self.rig.record(sent.transaction.transaction_id)
        if record.status.value == "rejected" and self.chance.random() < 0.7:
            return await self._sent(body, domain, record.transaction_id)
        return record.status.value

    def _script(self, word: str) -> None:
        for erp in (self.rig.legacy, self.rig.cloud):
            erp.script = [word]

    async def _rest(self) -> None:
        await self.rig.settle()
        for _ in range(4):
            await self.rig.until(self.chance.choice((20.0, 150.0)))

    async def _documents(self, domain: str) -> Sequence[DocumentRecord]:
        return await self.rig.store.reads.documents(DocumentFilter(domain), EVERYTHING, 10_000, None)

    async def read(self) -> None:
        """What there is now."""
        reads = self.rig.store.reads
        self.transactions = list(await reads.transactions(TransactionFilter(), EVERYTHING, 10_000, None))
        self.entries = {one.transaction_id: await self.rig.entries(one.transaction_id) for one in self.transactions}
        for domain in ("orders", "invoices", "payments"):
            self.documents |= {one.document_id: one for one in await self._documents(domain)}
        relations: dict[tuple[str, str], RelationRecord] = {}
        for lineage_id in {one.lineage_id for one in self.documents.values()}:
            view = await reads.lineage(lineage_id, EVERYTHING)
            relations |= {(one.document_id, one.field): one for one in view.relations}
        self.relations = list(relations.values())

    def views(self, where: ViewFilter, by: Iterable[Grouping], visible: Visible) -> Mapping[str, Mapping[ViewKey, Any]]:
        """Each view's rows by key, and of API use by key, client, source and operation."""
        groups = set(by)
        asked = [one for one in self.transactions if _holds(one, where, visible, one.accepted_at)]

        def key(one: TransactionRecord, accepted_at: int) -> ViewKey:
            month = datetime.fromtimestamp(accepted_at / 1e6, UTC).strftime("%Y-%m")
            place = (one.domain, one.business_unit, one.geography) if Grouping.SLICE in groups else (None,) * 3
            return ViewKey(
                month if Grouping.MONTH in groups else None, *place, one.side if Grouping.SIDE in groups else None
            )

        return {
            "cycle-time": self._durations(self._cycles(where, visible, key)),
            "recovery-time": self._durations(
                (key(one, one.accepted_at), took) for one, took in self._recoveries(asked)
            ),
            "complete-traces": _tallied((key(one, one.accepted_at), (1, *self._trace(one))) for one in asked),
            "invoice-accuracy": _tallied(
                (key(one, one.accepted_at), (1, *self._accuracy(one)))
                for one in asked
                if (one.domain, one.document_type, one.operation, one.status.value)
                == ("invoices", "invoice", "create", "posted")
            ),
            "api-use": _tallied(
                (
                    (key(one, one.accepted_at), one.client, one.source, one.operation),
                    (1, one.status.value == "posted", one.status.value in {"rejected", "compensated"}),
                )
                for one in asked
            ),
        }

    @staticmethod
    def _durations(found: Iterable[tuple[ViewKey, int | None]]) -> dict[ViewKey, tuple[Any, ...]]:
        by_key: dict[ViewKey, list[int | None]] = defaultdict(list)
        for key, took in found:
            by_key[key].append(took)
        rows = {}
        for key, every in by_key.items():
            done = sorted(one for one in every if one is not None)
            ranks = [done[-(-percent * len(done) // 100) - 1] if done else None for percent in (50, 95, 100)]
            rows[key] = (len(every), len(done), *ranks)
        return rows

    def _cycles(
        self, where: ViewFilter, visible: Visible, key: Callable[[TransactionRecord, int], ViewKey]
    ) -> Iterable[tuple[ViewKey, int | None]]:
        created = {one.transaction_id: one for one in self.transactions}
        follows = defaultdict(set)
        for one in self.relations:
            if one.kind == "follows":
                follows[one.document_id].add(one.target_document_id)
        for paid in self.transactions:
            document = self.documents.get(paid.document_id)
            if (paid.domain, paid.operation, paid.status.value) != ("payments", "create", "posted"):
                continue
            assert document is not None
            if document.state != "active" or not _seen(paid, visible):
                continue
            for target in {end for bill in follows[paid.document_id] for end in follows[bill]}:
                bought = created[self.documents[target].transaction_id or ""]
                if _holds(bought, where, visible, paid.accepted_at):
                    posted = [one.at for one in self.entries[paid.transaction_id] if one.kind == "posted"]
                    yield key(bought, paid.accepted_at), posted[-1] - self.entries[bought.transaction_id][0].at

    def _recoveries(self, asked: Iterable[TransactionRecord]) -> Iterable[tuple[TransactionRecord, int | None]]:
        known = {one.transaction_id: one for one in self.transactions}
        for one in asked:
            failed = self._failed_at(one)
            replaced = known.get(one.replaces or "")
            if failed is None or (replaced is not None and replaced.status.value in {"rejected", "compensated"}):
                continue
            mended = [one] if one.operation != "create" else [
                other
                for other in self.transactions
                if (other.document_id, other.operation) == (one.document_id, "create")
                and other.transaction_id >= one.transaction_id
            ]  # fmt: skip
            posted = [
                entry.at
                for other in mended
                if other.status.value == "posted"
                for entry in self.entries[other.transaction_id]
                if entry.kind == "posted"
            ]
            yield one, posted[-1] - failed if posted else None

    def _failed_at(self, one: TransactionRecord) -> int | None:
        times, sent_at = [], 0
        for entry in self.entries[one.transaction_id]:
            if entry.kind in {"unknown", "in_doubt", "rejected", "compensating"}:
                times.append(entry.at)
            if entry.kind == "dispatched":
                if json.loads(entry.body).get("after") == "not-sent":
                    times.append(sent_at)
                sent_at = entry.at
        return min(times, default=None)

    def _trace(self, one: TransactionRecord) -> tuple[bool, bool, bool, bool]:
        entries = self.entries[one.transaction_id]
        kinds = [entry.kind for entry in entries]
        ended = one.status.value in ENDS
        whole = [entry.seq for entry in entries] == list(range(1, one.entry_count + 1)) and kinds[:1] == ["accepted"]
        if not whole or (ended and one.status.value not in kinds):
            return False, False, True, False
        if not ended:
            return False, True, False, False
        numbered = all(
            json.loads(entry.body).get("erp", {}).get("documentNumber") for entry in entries if entry.kind == "posted"
        )
        return numbered, False, False, not numbered

    def _accuracy(self, one: TransactionRecord) -> tuple[bool, bool, bool, bool]:
        posted = {found.transaction_id for found in self.transactions if found.status.value == "posted"}
        undone = self.documents[one.document_id].state != "active"
        credited = any(
            (link.target_document_id, link.field) == (one.document_id, "invoiceReference")
            and self.documents[link.document_id].state == "active"
            and self.documents[link.document_id].transaction_id in posted
            for link in self.relations
        )
        refused = any(
            (other.document_id, other.operation) == (one.document_id, "create")
            and other.transaction_id < one.transaction_id
            and other.status.value in {"rejected", "compensated"}
            for other in self.transactions
        )
        return not (undone or credited or refused), undone, credited, refused


def _tallied(found: Iterable[tuple[Any, tuple[int | bool, ...]]]) -> dict[Any, tuple[int, ...]]:
    rows: dict[Any, tuple[int, ...]] = {}
    for key, counts in found:
        rows[key] = tuple(map(sum, zip(rows.get(key, (0,) * len(counts)), counts, strict=True)))
    return rows


def _holds(one: TransactionRecord, where: ViewFilter, visible: Visible, accepted_at: int) -> bool:
    return (
        where.accepted_from <= accepted_at < where.accepted_until
        and (where.domain is None or one.domain == where.domain)
        and (where.side is None or one.side == where.side)
        and (where.business_units is None or one.business_unit in where.business_units)
        and (where.geographies is None or one.geography in where.geographies)
        and _seen(one, visible)
    )


def _seen(one: TransactionRecord, visible: Visible) -> bool:
    return (visible.business_units is None or one.business_unit in visible.business_units) and (
        visible.geographies is None or one.geography in visible.geographies
    )
