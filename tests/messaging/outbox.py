"""An outbox in memory with the promises of `gateway.messaging.ports.Outbox`, and events to fill it with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import islice

from gateway.domain.events import status_event
from gateway.domain.records import OutboxRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.messaging.ports import Published, StreamMemory

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def now() -> int:
    return time.time_ns() // 1_000


class RealClock:
    def now(self) -> int:
        return now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def transaction(lineage: str, status: Status = Status.POSTED, **changes: object) -> TransactionRecord:
    record = TransactionRecord(
        transaction_id=f"tx_{lineage}",
        lineage_id=lineage,
        document_id=f"doc_{lineage}",
        domain="orders",
        operation="create",
        status=status,
        client="salesforce",
        source="salesforce",
        external_id="0068d000001",
        business_unit="BU-1",
        geography="DE",
        company_code="1000",
        document_type="TA",
        currency_code="EUR",
        amount="100.00",
        posting_date="2026-11-23",
        content_hash="00" * 32,
        payload_id=f"pl_{lineage}",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        parent_transaction_id=None,
        replaces=None,
        accepted_at=1,
        updated_at=2,
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def event(lineage: str, sequence: int, kind: str = "posted") -> OutboxRecord:
    return status_event(
        transaction(lineage),
        kind=kind,
        event_id=f"ev_{lineage}_{sequence}",
        sequence=sequence,
        at=now(),
        gateway_name="test",
        traceparent=TRACEPARENT,
        external_reference="0123456789ABCDEF",
    )


class MemoryOutbox:
    """Rows in the order of their commits. `relay_wake` is called by a commit, as the gateway does."""

    def __init__(self) -> None:
        self.rows: dict[str, OutboxRecord] = {}
        self.memory: StreamMemory | None = None
        self.relay_wake: Callable[[], None] = lambda: None
        self.failures: list[Exception] = []

    def commit(self, events: Sequence[OutboxRecord]) -> None:
        for record in events:
            self.rows[record.event_id] = record
        self.relay_wake()

    def unpublished(self) -> int:
        return sum(record.published_at is None for record in self.rows.values())

    async def pending(self, limit: int, without: Collection[str] = ()) -> Sequence[OutboxRecord]:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        waiting = (record for record in self.rows.values() if record.published_at is None)
        return list(islice((record for record in waiting if record.lineage_id not in without), limit))

    async def mark_published(self, published: Sequence[Published], at: int) -> None:
        await asyncio.sleep(0)
        for one in published:
            record = self.rows.get(one.event_id)
            if record is not None:
                self.rows[one.event_id] = replace(record, published_at=at, stream_sequence=one.stream_sequence)

    async def stream_memory(self, stream: str) -> StreamMemory | None:
        return self.memory

    async def remember_stream(self, memory: StreamMemory) -> None:
        self.memory = memory

    async def republish_after(self, stream_sequence: int) -> int:
        found = [
            record
            for record in self.rows.values()
            if record.published_at is not None and (record.stream_sequence or 0) > stream_sequence
        ]
        for record in found:
            self.rows[record.event_id] = replace(record, published_at=None, stream_sequence=None)
        return len(found)

    async def forget_published_before(self, at: int) -> int:
        old = [key for key, record in self.rows.items() if record.published_at is not None and record.published_at < at]
        for key in old:
            del self.rows[key]
        return len(old)
