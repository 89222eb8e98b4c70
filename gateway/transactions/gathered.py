"""A write unit that gathers what many acceptances insert, and writes rows of one kind at once.

Documents of one run share customers and products, so what was found out for one of them holds for the next. Whatever a
plain acceptance does not do is preceded by writing what was gathered, so that it finds it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.canonical import MASTER_DOMAINS, ErpNumber
from gateway.domain.activations import RulesState
from gateway.domain.records import (
    DocumentRecord,
    EntryRecord,
    IdempotencyKeyRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    OutboxRecord,
    PayloadRecord,
    PinRecord,
    RelationRecord,
    TransactionRecord,
)
from gateway.transactions.looked_up import LookedUp, NaturalName, RequestName, natural_name, request_name
from gateway.transactions.ports import DocumentName, WriteUnit


class Gathered:
    """Implements `WriteUnit` on one. `flush` MUST be called at the end.

    Rows appear in the record in the order of what refers to what, not in that of the calls.
    """

    def __init__(self, unit: WriteUnit) -> None:
        self._unit = unit
        self.looked_up = LookedUp(unit)
        self._rules: RulesState | None = None
        self._empty()

    def _empty(self) -> None:
        self._lineages: dict[str, LineageRecord] = {}
        self._documents: dict[str, DocumentRecord] = {}
        self._names: dict[NaturalName, NaturalKeyRecord] = {}
        self._keys: dict[RequestName, IdempotencyKeyRecord] = {}
        self._payloads: list[PayloadRecord] = []
        self._relations: list[RelationRecord] = []
        self._transactions: dict[str, TransactionRecord] = {}
        self._jobs: list[JobRecord] = []
        self._entries: list[EntryRecord] = []
        self._events: list[OutboxRecord] = []
        self._counted: dict[str, LineageRecord] = {}

    async def flush(self) -> None:
        """Write what was gathered."""
        unit = self._unit
        gathered: tuple[Sequence[object], ...] = (
            list(self._lineages.values()),
            list(self._documents.values()),
            list(self._names.values()),
            list(self._keys.values()),
            self._payloads,
            list(self._transactions.values()),
            self._jobs,
        )
        relations, entries, events, counted = self._relations, self._entries, self._events, self._counted
        self._empty()
        for records in gathered:
            if records:
                await unit.insert_many(records)
        if relations:
            await unit.insert_relations(relations)
        if entries:
            await unit.insert_entries(entries)
        if counted:
            await unit.count_events(list(counted.values()))
        if events:
            await unit.insert_events(events)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Everything else is done on the unit, after what was gathered."""
        done = getattr(self._unit, name)

        async def after_flush(*args: Any, **named: Any) -> Any:
            await self.flush()
            return await done(*args, **named)

        return after_flush

    # what is asked

    async def rules_state(self) -> RulesState:
        """The lock is held from the first question on."""
        if self._rules is None:
            self._rules = await self._unit.rules_state()
        return self._rules

    async def idempotency_key(
        self, client: str, operation: str, resource: str, key: str
    ) -> IdempotencyKeyRecord | None:
        name, known = (client, operation, resource, key), self.looked_up.idempotency_keys
        if name not in known:
            known[name] = await self._unit.idempotency_key(client, operation, resource, key)
        return known[name]

    async def natural_key(self, source: str, domain: str, external_id: str) -> NaturalKeyRecord | None:
        name, known = (source, domain, external_id), self.looked_up.natural_keys
        if name not in known:
            known[name] = await self._unit.natural_key(source, domain, external_id)
        return known[name]

    async def documents_named(self, names: Sequence[DocumentName]) -> Mapping[DocumentName, DocumentRecord]:
        found: dict[DocumentName, DocumentRecord] = {}
        missing: list[DocumentName] = []
        for name in names:
            known = self.looked_up.documents.get(name)
            if known is None:
                missing.append(name)
            else:
                found[name] = known
        if any(self._has(name) for name in missing):
            await self.flush()
        if missing:
            read = await self._unit.documents_named(missing)
            masters = {name: one for name, one in read.items() if name.domain in MASTER_DOMAINS}
            self.looked_up.documents |= masters
            found |= read
        return found

    def _has(self, name: DocumentName) -> bool:
        if name.document_id is not None:
            return name.document_id in self._documents
        return name.external_id is not None and (name.source, name.domain, name.external_id) in self._names

    async def document(self, document_id: str, *, alone: bool) -> DocumentRecord | None:
        if document_id in self._documents:
            await self.flush()
        held = None if alone else self.looked_up.held.get(document_id)
        return held or await self._unit.document(document_id, alone=alone)

    async def transaction(self, transaction_id: str) -> TransactionRecord | None:
        if transaction_id in self._transactions:
            await self.flush()
        return await self._unit.transaction(transaction_id)

    async def transactions(self, transaction_ids: Sequence[str]) -> Mapping[str, TransactionRecord]:
        if any(one in self._transactions for one in transaction_ids):
            await self.flush()
        return await self.looked_up.transactions(transaction_ids)

    async def pin(self, lineage_id: str) -> PinRecord | None:
        return self.looked_up.pins.get(lineage_id) or await self._unit.pin(lineage_id)

    async def delete_pin(self, lineage_id: str) -> None:
        await self.flush()
        self.looked_up.pins.pop(lineage_id, None)
        await self._unit.delete_pin(lineage_id)

    async def numbers_in(self, document_ids: Sequence[str], system_id: str) -> Mapping[str, ErpNumber]:
        return await self.looked_up.numbers_in(document_ids, system_id)

    async def update_document(self, record: DocumentRecord) -> None:
        await self.flush()
        self.looked_up.forget(record.document_id)
        await self._unit.update_document(record)

    # what is inserted

    async def insert_idempotency_key(self, record: IdempotencyKeyRecord) -> None:
        name = request_name(record)
        self._keys[name] = self.looked_up.idempotency_keys[name] = record

    async def insert_natural_key(self, record: NaturalKeyRecord) -> None:
        name = natural_name(record)
        self._names[name] = self.looked_up.natural_keys[name] = record

    async def rebind_natural_key(self, record: NaturalKeyRecord) -> None:
        await self.flush()
        await self._unit.rebind_natural_key(record)
        self.looked_up.natural_keys[natural_name(record)] = record

    async def insert_payload(self, record: PayloadRecord) -> None:
        self._payloads.append(record)

    async def insert_lineage(self, record: LineageRecord) -> None:
        self._lineages[record.lineage_id] = record

    async def insert_document(self, record: DocumentRecord) -> None:
        self._documents[record.document_id] = record

    async def insert_relations(self, records: Sequence[RelationRecord]) -> None:
        self._relations += records

    async def insert_transaction(self, record: TransactionRecord) -> None:
        self._transactions[record.transaction_id] = record

    async def insert_job(self, record: JobRecord) -> None:
        self._jobs.append(record)

    async def insert_entries(self, records: Sequence[EntryRecord]) -> None:
        self._entries += records

    async def insert_events(self, records: Sequence[OutboxRecord]) -> None:
        self._events += records

    async def take_event_sequences(self, lineage_id: str, count: int) -> int:
        lineage = self._lineages.get(lineage_id)
        known = self.looked_up.lineages
        if lineage is not None:
            self._lineages[lineage_id] = replace(lineage, event_count=lineage.event_count + count)
            return lineage.event_count + 1
        if lineage_id not in known:
            return await self._unit.take_event_sequences(lineage_id, count)
        lineage = known[lineage_id]
        known[lineage_id] = self._counted[lineage_id] = replace(lineage, event_count=lineage.event_count + count)
        return lineage.event_count + 1
