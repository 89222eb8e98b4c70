"""Small in-memory parts that implement the protocols of the HTTP application."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.api.problems import KINDS
from gateway.domain.facts import wire_members
from gateway.domain.queries import QueueDepth
from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    LineageRecord,
    PayloadRecord,
    PinRecord,
    RelationRecord,
    StepRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.errors import Problem, StoreUnavailable
from gateway.transactions.commands import Answer, Cancel, Change, Create, DecisionView, Reverse
from gateway.transactions.queries import (
    DocumentFilter,
    LineageView,
    QueueState,
    TransactionFilter,
    Visible,
)
from routing_rules import Facts, decide
from tests.api.rules import rulebook

T0 = 1_795_000_000_000_000
WAIT = {409, 429, 503}
"""Statuses of which some problems say when to come again."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def an_id(prefix: str, number: int) -> str:
    """Later numbers sort later."""
    digits = ""
    for _ in range(26):
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
    return f"{prefix}_{digits}"


def transaction(number: int, **changes: object) -> TransactionRecord:
    record = TransactionRecord(
        transaction_id=an_id("txn", number),
        lineage_id=an_id("lin", number),
        document_id=an_id("doc", number),
        domain="orders",
        operation="create",
        status=Status.POSTED,
        client="salesforce",
        source="salesforce",
        external_id=f"SO-{number}",
        business_unit="Western",
        geography="DE",
        company_code="1000",
        document_type="standard_order",
        currency_code="EUR",
        amount="30.94",
        posting_date="2026-11-23",
        content_hash="00" * 32,
        payload_id=an_id("pay", number),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        parent_transaction_id=None,
        replaces=None,
        accepted_at=T0 + number * 1_000_000,
        updated_at=T0 + number * 1_000_000 + 5,
        system_id="legacy-main",
        side="legacy",
        stage="legacy",
        table_version="ab" * 32,
        rule_row="r1",
        activation_number=1,
        erp_document_type="sales_order",
        erp_document_number=f"45{number:08d}",
    )
    return replace(record, **changes)  # type: ignore[arg-type]


@dataclass
class FakeLine:
    """Answers every submission and operation with a transaction in `status`, or raises `failure`."""

    status: Status = Status.POSTED
    failure: Exception | None = None
    replayed: bool = False
    problem: str | None = None
    retry_after_s: int | None = None
    seen: list[Create] = field(default_factory=list)
    operations_seen: list[Change | Cancel | Reverse] = field(default_factory=list)
    explained: list[Facts] = field(default_factory=list)

    async def submit(self, command: Create) -> Answer:
        self.seen.append(command)
        if self.failure is not None:
            raise self.failure
        posted = self.status is Status.POSTED
        document = command.document
        record = transaction(
            len(self.seen),
            domain=document.domain,
            status=self.status,
            external_id=document.external_id,
            source=command.caller.source,
            trace_id=command.traceparent[3:35],
            problem=self.problem,
            retry_after_s=self.retry_after_s,
            erp_document_type="sales_order" if posted else None,
            erp_document_number="4500000001" if posted else None,
        )
        return Answer(record, "0123456789ABCDEF", self.replayed)

    async def accept_many(self, commands: Sequence[Create]) -> list[Answer | Problem]:
        return [await self.submit(one) for one in commands]

    async def change(self, command: Change) -> Answer:
        return self._operated("change", command)

    async def cancel(self, command: Cancel) -> Answer:
        return self._operated("cancel", command)

    async def reverse(self, command: Reverse) -> Answer:
        return self._operated("reverse", command)

    def _operated(self, operation: str, command: Change | Cancel | Reverse) -> Answer:
        self.operations_seen.append(command)
        if self.failure is not None:
            raise self.failure
        record = transaction(
            len(self.operations_seen),
            domain=command.domain,
            operation=operation,
            document_id=command.document_id,
            status=self.status,
            source=command.caller.source,
            trace_id=command.traceparent[3:35],
            problem=self.problem,
            retry_after_s=self.retry_after_s,
        )
        return Answer(record, "0123456789ABCDEF", self.replayed)

    async def answer(self, transaction: TransactionRecord) -> Answer:
        return Answer(transaction, "0123456789ABCDEF", replayed=False)

    def explain(self, facts: Facts) -> DecisionView:
        if self.failure is not None:
            raise self.failure
        self.explained.append(facts)
        body: dict[str, object] = wire_members(decide(rulebook(), facts).explanation.as_json())
        return DecisionView(body | {"activationNumber": 1})


def _sees(visible: Visible, unit: str, place: str) -> bool:
    return (visible.business_units is None or unit in visible.business_units) and (
        visible.geographies is None or place in visible.geographies
    )


@dataclass
class FakeReads:
    """Lists in memory, newest first."""

    transactions_held: list[TransactionRecord] = field(default_factory=list)
    documents_held: list[DocumentRecord] = field(default_factory=list)
    payloads: dict[str, PayloadRecord] = field(default_factory=dict)
    numbers: list[CrossReferenceRecord] = field(default_factory=list)
    down: bool = False
    filters: list[TransactionFilter | DocumentFilter] = field(default_factory=list)
    relations: list[RelationRecord] = field(default_factory=list)

    def hold(self, record: TransactionRecord) -> None:
        """A transaction with its document, payload and number."""
        self.transactions_held.append(record)
        self.documents_held.append(
            DocumentRecord(
                record.document_id,
                record.domain,
                record.source,
                record.external_id,
                record.lineage_id,
                record.transaction_id,
                record.payload_id,
                record.business_unit,
                record.geography,
                record.accepted_at,
                company_code=record.company_code,
                document_type=record.document_type,
                currency_code=record.currency_code,
                amount=record.amount,
                posting_date=record.posting_date,
            )
        )
        self.payloads[record.payload_id] = PayloadRecord(
            record.payload_id, b"salt", json.dumps({"externalId": record.external_id}).encode()
        )
        if record.erp_document_number and record.system_id and record.erp_document_type:
            self.numbers.append(
                CrossReferenceRecord(
                    record.document_id, record.system_id, record.erp_document_type, record.erp_document_number, T0
                )
            )

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("the disk said: secret path /var/x")

    async def transaction(self, transaction_id: str, visible: Visible) -> TransactionRecord | None:
        self._check()
        for one in self.transactions_held:
            if one.transaction_id == transaction_id and _sees(visible, one.business_unit, one.geography):
                return one
        return None

    async def transactions(
        self, where: TransactionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[TransactionRecord]:
        self._check()
        self.filters.append(where)
        found = [
            one
            for one in sorted(self.transactions_held, key=lambda one: one.transaction_id, reverse=True)
            if _sees(visible, one.business_unit, one.geography)
            and (after is None or one.transaction_id < after)
            and (where.status is None or one.status == where.status)
            and (where.geographies is None or one.geography in where.geographies)
        ]
        return found[:limit]

    async def statuses(self, transaction_ids: Sequence[str]) -> Mapping[str, Status]:
        self._check()
        return {
            one.transaction_id: one.status for one in self.transactions_held if one.transaction_id in transaction_ids
        }

    async def steps(self, transaction_id: str) -> Sequence[StepRecord]:
        return []

    async def entries(self, trace: str) -> Sequence[EntryRecord]:
        body = json.dumps({"kind": "accepted", "trace": trace, "documentVersion": 1}).encode()
        return [EntryRecord(trace, 1, "accepted", T0, None, body, hashlib.sha256(b"\x00" + body).digest())]

    async def lineage_entries(self, lineage_id: str) -> Sequence[EntryRecord]:
        return []

    async def lineage(self, lineage_id: str, visible: Visible) -> LineageView | None:
        self._check()
        members = [
            one
            for one in self.transactions_held
            if one.lineage_id == lineage_id and _sees(visible, one.business_unit, one.geography)
        ]
        if not members:
            return None
        documents = [one for one in self.documents_held if one.lineage_id == lineage_id]
        return LineageView(
            LineageRecord(lineage_id, documents[0].document_id),
            PinRecord(lineage_id, "legacy-main", "legacy", "legacy", "r1", "ab" * 32, 1, T0),
            documents,
            members,
            self.numbers,
            self.relations,
        )

    async def document(self, document_id: str, visible: Visible) -> DocumentRecord | None:
        self._check()
        for one in self.documents_held:
            if one.document_id == document_id and _sees(visible, one.business_unit, one.geography):
                return one
        return None

    async def documents(
        self, where: DocumentFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]:
        self._check()
        self.filters.append(where)
        found = [
            one
            for one in sorted(self.documents_held, key=lambda one: one.document_id, reverse=True)
            if one.domain == where.domain
            and _sees(visible, one.business_unit, one.geography)
            and (after is None or one.document_id < after)
        ]
        return found[:limit]

    async def payload(self, payload_id: str) -> PayloadRecord | None:
        return self.payloads.get(payload_id)

    async def transactions_with_payload(self, document_id: str, payload_id: str) -> Sequence[str]:
        return []

    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]:
        return [one for one in self.numbers if one.document_id in document_ids]

    async def activation(self, activation_number: int) -> ActivationRecord | None:
        return None

    async def queue_state(self, now: int) -> QueueState:
        self._check()
        depths = [
            QueueDepth("bulk", "", under_way=1, waiting=2, put_off=0, due=3, oldest_s=9.5, oldest_due_s=1.0),
            QueueDepth("interactive", "cloud-main", 1, 0, 1, 0, oldest_s=1.5, oldest_due_s=0.0),
        ]
        return QueueState(jobs=3, oldest_job_s=1.5, events=7, oldest_event_s=0.25, in_doubt=2, depths=depths)

    async def is_alive(self) -> bool:
        return not self.down


class FakeClock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.micros = T0

    def now(self) -> int:
        return self.micros

    def seconds(self) -> float:
        return self.micros / 1e6


def a_problem(slug: str) -> Problem:
    return Problem(slug, "Because.", retry_after_s=7 if KINDS[slug].status in WAIT else None)
