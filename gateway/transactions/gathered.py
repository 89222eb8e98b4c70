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
    RelationRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.transactions.ports import DocumentName, WriteUnit

_NamedKey = tuple[str, str, str]


class Gathered:
    """Implements `WriteUnit` on one. `flush` MUST be called at the end.

    Rows appear in the record in the order of what refers to what, not in that of the calls.
    """

    def __init__(self, unit: WriteUnit) -> None:
        self._unit = unit
        self._rules: RulesState | None = None
        self._masters: dict[DocumentName, DocumentRecord] = {}
        self._numbers: dict[tuple[str, str], ErpNumber] = {}
        self._posted: dict[str, TransactionRecord] = {}
        self._empty()

    def _empty(self) -> None:
        self._lineages: dict[str, LineageRecord] = {}
        self._documents: dict[str, DocumentRecord] = {}
        self._names: dict[_NamedKey, NaturalKeyRecord] = {}
        self._keys: dict[tuple[str, str, str, str], IdempotencyKeyRecord] = {}
        self._payloads: list[PayloadRecord] = []
        self._relations: list[RelationRecord] = []
        self._transactions: dict[str, TransactionRecord] = {}
        self._jobs: list[JobRecord] = []
        self._entries: list[EntryRecord] = []
        self._events: list[OutboxRecord] = []

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
        relations, entries, events = self._relations, self._entries, self._events
        self._empty()
        for records in gathered:
            if records:
                await unit.insert_many(records)
        if relations:
            await unit.insert_relations(relations)
        if entries:
            await unit.insert_entries(entries)
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
        gathered = self._keys.get((client, operation, resource, key))
        return gathered or await self._unit.idempotency_key(client, operation, resource, key)

    async def natural_key(self, source: str, domain: str, external_id: str) -> NaturalKeyRecord | None:
        gathered = self._names.get((source, domain, external_id))
        return gathered or await self._unit.natural_key(source, domain, external_id)

    async def documents_named(self, names: Sequence[DocumentName]) -> Mapping[DocumentName, DocumentRecord]:
        found = {name: self._masters[name] for name in names if name in self._masters}
        missing = [name for name in names if name not in found]
        if any(self._has(name) for name in missing):
            await self.flush()
        if missing:
            read = await self._unit.documents_named(missing)
            self._masters.update((name, one) for name, one in read.items() if name.domain in MASTER_DOMAINS)
            found |= read
        return found

    def _has(self, name: DocumentName) -> bool:
        if name.document_id is not None:
            return name.document_id in self._documents
        return name.external_id is not None and (name.source, name.domain, name.external_id) in self._names

    async def document(self, document_id: str, *, alone: bool) -> DocumentRecord | None:
        if document_id in self._documents:
            await self.flush()
        return await self._unit.document(document_id, alone=alone)

    async def transactions(self, transaction_ids: Sequence[str]) -> Mapping[str, TransactionRecord]:
        found = {one: self._posted[one] for one in transaction_ids if one in self._posted}
        missing = [one for one in transaction_ids if one not in found]
        if any(one in self._transactions for one in missing):
            await self.flush()
        if missing:
            read = await self._unit.transactions(missing)
            # an end: it stays so
            self._posted.update((key, one) for key, one in read.items() if one.status is Status.POSTED)
            found |= read
        return found

    async def pin(self, lineage_id: str) -> Any:
        return await self._unit.pin(lineage_id)

    async def numbers_in(self, document_ids: Sequence[str], system_id: str) -> Mapping[str, ErpNumber]:
        found = {one: self._numbers[one, system_id] for one in document_ids if (one, system_id) in self._numbers}
        missing = [one for one in document_ids if one not in found]
        if missing:
            read = await self._unit.numbers_in(missing, system_id)
            self._numbers.update(((one, system_id), number) for one, number in read.items())
            found |= read
        return found

    async def update_document(self, record: DocumentRecord) -> None:
        """What was found under its names before is not what it says now."""
        await self.flush()
        self._masters = {name: one for name, one in self._masters.items() if one.document_id != record.document_id}
        await self._unit.update_document(record)

    # what is inserted

    async def insert_idempotency_key(self, record: IdempotencyKeyRecord) -> None:
        self._keys[record.client, record.operation, record.resource, record.idempotency_key] = record

    async def insert_natural_key(self, record: NaturalKeyRecord) -> None:
        self._names[record.source, record.domain, record.external_id] = record

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
        if lineage is None:
            return await self._unit.take_event_sequences(lineage_id, count)
        self._lineages[lineage_id] = replace(lineage, event_count=lineage.event_count + count)
        return lineage.event_count + 1
