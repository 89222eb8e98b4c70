"""Rows of one kind, many at once: on SQLite one compiled statement for all, on PostgreSQL one pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.domain.records import (
    DocumentRecord,
    IdempotencyKeyRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    PayloadRecord,
    TransactionRecord,
)
from gateway.store.documents import DOCUMENTS
from gateway.store.jobs import JOBS
from gateway.store.kept import Kept
from gateway.store.keys import IDEMPOTENCY_KEYS, NATURAL_KEYS, PAYLOADS
from gateway.store.lineages import LINEAGES
from gateway.store.transactions import TRANSACTIONS
from gateway.store.unit import Unit

_KEPT: Final[Mapping[type, Kept[Any]]] = {
    LineageRecord: LINEAGES,
    DocumentRecord: DOCUMENTS,
    NaturalKeyRecord: NATURAL_KEYS,
    IdempotencyKeyRecord: IDEMPOTENCY_KEYS,
    PayloadRecord: PAYLOADS,
    TransactionRecord: TRANSACTIONS,
    JobRecord: JOBS,
}


class ManyWrites:
    """Many new rows of a unit."""

    __slots__ = ()
    _unit: Unit

    async def insert_many(self, records: Sequence[object]) -> None:
        if records:
            kept = _KEPT[type(records[0])]
            await self._unit.run_many(kept.insert, [kept.params(record) for record in records])
