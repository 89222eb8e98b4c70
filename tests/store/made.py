"""Records with everything filled in; a test says only what it is about."""

from __future__ import annotations

import itertools
from typing import Any

from gateway.domain.processes import ProcessRecord
from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    IdempotencyKeyRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    OutboxRecord,
    PayloadRecord,
    PinRecord,
    StepRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.store.store import StoreUnit

NOW = 1_790_000_000_000_000
"""Microseconds; some day in September 2026."""

_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    """Ids of one run in the order of their making."""
    return f"{prefix}_{next(_numbers):026d}"


def a_transaction(**changes: Any) -> TransactionRecord:
    values: dict[str, Any] = {
        "transaction_id": new_id("txn"),
        "lineage_id": "lin_1",
        "document_id": "doc_1",
        "domain": "orders",
        "operation": "create",
        "status": Status.ACCEPTED,
        "client": "salesforce",
        "source": "crm",
        "external_id": None,
        "business_unit": "retail",
        "geography": "DE",
        "company_code": "1000",
        "document_type": "OR",
        "currency_code": "EUR",
        "amount": "129.90",
        "posting_date": "2026-09-22",
        "content_hash": "ab" * 32,
        "payload_id": "pay_1",
        "trace_id": "0" * 32,
        "parent_transaction_id": None,
        "replaces": None,
        "accepted_at": NOW,
        "updated_at": NOW,
    }
    return TransactionRecord(**values | changes)


def a_document(**changes: Any) -> DocumentRecord:
    values: dict[str, Any] = {
        "document_id": new_id("doc"),
        "domain": "orders",
        "source": "crm",
        "external_id": None,
        "lineage_id": "lin_1",
        "transaction_id": None,
        "payload_id": None,
        "business_unit": "retail",
        "geography": "DE",
        "created_at": NOW,
    }
    return DocumentRecord(**values | changes)


def a_natural_key(**changes: Any) -> NaturalKeyRecord:
    values: dict[str, Any] = {
        "source": "crm",
        "domain": "orders",
        "external_id": "SO-1",
        "document_id": "doc_1",
        "transaction_id": "txn_1",
        "content_hash": "ab" * 32,
    }
    return NaturalKeyRecord(**values | changes)


def an_idempotency_key(**changes: Any) -> IdempotencyKeyRecord:
    values: dict[str, Any] = {
        "client": "salesforce",
        "operation": "create",
        "resource": "orders",
        "idempotency_key": "key-1",
        "content_hash": "ab" * 32,
        "transaction_id": "txn_1",
        "created_at": NOW,
    }
    return IdempotencyKeyRecord(**values | changes)


def a_payload(**changes: Any) -> PayloadRecord:
    values: dict[str, Any] = {"payload_id": new_id("pay"), "salt": b"\x00\xff" * 8, "body": b'{"a":"\xc3\xa4"}'}
    return PayloadRecord(**values | changes)


def a_lineage(**changes: Any) -> LineageRecord:
    values: dict[str, Any] = {"lineage_id": new_id("lin"), "root_document_id": "doc_1"}
    return LineageRecord(**values | changes)


def a_pin(lineage_id: str, **changes: Any) -> PinRecord:
    values: dict[str, Any] = {
        "lineage_id": lineage_id,
        "system_id": "legacy-main",
        "side": "legacy",
        "stage": "legacy",
        "rule_row": "r1",
        "table_version": "cd" * 32,
        "activation_number": 1,
        "pinned_at": NOW,
    }
    return PinRecord(**values | changes)


def a_step(transaction_id: str, **changes: Any) -> StepRecord:
    values: dict[str, Any] = {
        "transaction_id": transaction_id,
        "step": 1,
        "direction": "do",
        "system_id": "legacy-main",
        "external_reference": new_id("ref"),
        "state": "dispatched",
        "attempt": 1,
        "epoch": 1,
        "process_id": "prc_1",
        "dispatched_at": NOW,
    }
    return StepRecord(**values | changes)


def a_job(transaction_id: str, **changes: Any) -> JobRecord:
    values: dict[str, Any] = {
        "transaction_id": transaction_id,
        "lane": "interactive",
        "due_at": NOW,
        "epoch": 1,
        "lease_owner": None,
        "lease_until": 0,
    }
    return JobRecord(**values | changes)


def an_entry(**changes: Any) -> EntryRecord:
    values: dict[str, Any] = {
        "trace": "txn_1",
        "seq": 1,
        "kind": "accepted",
        "at": NOW,
        "lineage_id": "lin_1",
        "body": b'{"kind":"accepted"}',
        "leaf_hash": b"\x01" * 32,
    }
    return EntryRecord(**values | changes)


def an_event(lineage_id: str, sequence: int, **changes: Any) -> OutboxRecord:
    values: dict[str, Any] = {
        "event_id": new_id("evt"),
        "lineage_id": lineage_id,
        "sequence": sequence,
        "subject": "erp.status.orders.retail.DE.accepted",
        "body": b"{}",
        "traceparent": "00-0-0-01",
        "created_at": NOW,
    }
    return OutboxRecord(**values | changes)


def a_cross_reference(document_id: str, **changes: Any) -> CrossReferenceRecord:
    values: dict[str, Any] = {
        "document_id": document_id,
        "system_id": "legacy-main",
        "document_type": "sales_order",
        "document_number": "0000004711",
        "valid_from": NOW,
    }
    return CrossReferenceRecord(**values | changes)


def a_process(**changes: Any) -> ProcessRecord:
    values: dict[str, Any] = {
        "process_id": new_id("prc"),
        "host": "host-a",
        "boot_id": "b",
        "pid": 4711,
        "started": "123",
        "registered_at": NOW,
    }
    return ProcessRecord(**values | changes)


def an_activation(number: int, **changes: Any) -> ActivationRecord:
    values: dict[str, Any] = {
        "activation_number": number,
        "table_version": "cd" * 32,
        "governance_version": "ef" * 32,
        "activated_at": NOW,
        "activated_by": "person-3",
        "rules": "{}",
        "governance": "{}",
    }
    return ActivationRecord(**values | changes)


async def insert_transaction_with_job(unit: StoreUnit, record: TransactionRecord, **job: Any) -> None:
    """A transaction and the job on it."""
    await unit.insert_transaction(record)
    await unit.insert_job(a_job(record.transaction_id, **{"enqueued_at": record.accepted_at} | job))
