"""Examples of answers, made by the code that makes the answers, from the resources' own examples."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from adapters.port import Operation
from gateway.api.etags import etag_of
from gateway.api.orders import RESOURCE as ORDERS
from gateway.api.problems import KINDS
from gateway.api.resources import Resource
from gateway.api.versions import version_members
from gateway.api.wire import document_summary, pin, trace_entry
from gateway.domain.head import Head, head_of
from gateway.domain.identity import external_reference
from gateway.domain.records import (
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    PinRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.domain.wire import transaction_wire
from gateway.transactions.home import HOME

Example = dict[str, Any]

CANCELLATION: Final = {
    "reason": "The customer ordered twice",
    "ifMatch": "v1",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a05",
}
REVERSAL: Final = {
    "reason": "Billed to the wrong customer",
    "postingDate": "2026-11-30",
    "idempotencyKey": "d3a1c5f0-0c53-4d0e-9a3b-6f1f7f5f6a06",
}

_TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
_ID: Final = "01KB2V6Q8T3N4M5P6R7S8V9W0X"
_AT: Final = 1_795_456_680_000_000  # 2026-11-23T18:58:00Z
_SYSTEM: Final = "cloud-main"
_TABLE_VERSION: Final = "4b18e3846c757c5d00ab41c6559c472b45121958a70093fbb5209bdefac691cb"
_ROWS: Final = {"customers": "c-all", "products": "m-all", "contracts": "k-west"}
"""The rows of the sample rulebook; the others begin with the domain's letter."""
_NUMBER_TYPES: Final = {
    "customers": "customer",
    "products": "product",
    "orders": "sales_order",
    "contracts": "contract",
}
_RATE: Final = {"policy": "default", "quota": 6000, "windowS": 60, "remaining": 5999, "resetS": 1}
_OF_REQUEST: Final = {"traceId": _TRACE_ID, "rateLimit": _RATE}
_OF_TRANSACTION: Final = {"requestTraceId": _TRACE_ID, "rateLimit": _RATE}


def examples_of_submission(resource: Resource) -> dict[int, Example]:
    """By status: posted, repeated, pending."""
    record = _transaction(resource, Operation.CREATE)
    return {
        201: transaction_wire(record) | version_members(1) | _OF_TRANSACTION,
        200: transaction_wire(record, replayed=True) | version_members(1) | _OF_TRANSACTION,
        202: transaction_wire(_pending(record)) | _OF_TRANSACTION,
    }


def examples_of_operation(resource: Resource, operation: Operation) -> dict[int, Example]:
    """By status: done, pending."""
    record = _transaction(resource, operation)
    return {
        200: transaction_wire(record) | version_members(2) | _OF_TRANSACTION,
        202: transaction_wire(_pending(record)) | _OF_TRANSACTION,
    }


def called_off_example(resource: Resource) -> Example:
    """The creation that was called off before anything was sent."""
    record = replace(
        _transaction(resource, Operation.CREATE),
        status=Status.CANCELLED,
        system_id=None,
        side=None,
        stage=None,
        table_version=None,
        rule_row=None,
        activation_number=None,
        erp_document_type=None,
        erp_document_number=None,
    )
    return transaction_wire(record) | _OF_TRANSACTION


def document_example(resource: Resource) -> Example:
    """A posted document."""
    shown = _summary(resource) | {"contentState": "present", "content": dict(resource.example)}
    return shown | {"etag": etag_of(_document(resource), Status.POSTED)} | _OF_REQUEST


def document_page_example(resource: Resource) -> Example:
    """A last page of one document."""
    return {"items": [_summary(resource)], "nextCursor": None} | _OF_REQUEST


def _head(resource: Resource) -> Head:
    return head_of(resource.model.model_validate_json(json.dumps(resource.example)))


def _number_type(resource: Resource) -> str:
    return _NUMBER_TYPES.get(resource.domain, "accounting_document")


def _system(resource: Resource) -> str:
    """Contracts are kept by the gateway, for no ERP of the sample takes them."""
    return HOME if resource.domain == "contracts" else _SYSTEM


def _number(resource: Resource) -> str:
    return f"doc_{_ID}" if resource.domain == "contracts" else "4500000017"


def _transaction(resource: Resource, operation: Operation) -> TransactionRecord:
    head = _head(resource)
    return TransactionRecord(
        transaction_id=f"txn_{_ID}",
        lineage_id=f"lin_{_ID}",
        document_id=f"doc_{_ID}",
        domain=resource.domain,
        operation=operation.value,
        status=Status.POSTED,
        client="salesforce",
        source="salesforce",
        external_id=resource.example["externalId"],
        business_unit=resource.example.get("businessUnit", "Northwind"),
        geography=resource.example.get("geography", "World"),
        company_code=head.company_code,
        document_type=head.document_type,
        currency_code=head.currency_code,
        amount=head.amount,
        posting_date=head.posting_date,
        content_hash="",
        payload_id=f"pay_{_ID}",
        trace_id=_TRACE_ID,
        parent_transaction_id=None,
        replaces=None,
        accepted_at=_AT,
        updated_at=_AT + 412_000,
        system_id=_system(resource),
        side="cloud",
        stage="live",
        table_version=_TABLE_VERSION,
        rule_row=_ROWS.get(resource.domain, f"{resource.domain[0]}-west"),
        activation_number=1,
        pinned=operation is not Operation.CREATE,
        erp_document_type=_number_type(resource),
        erp_document_number=_number(resource),
    )


def _pending(record: TransactionRecord) -> TransactionRecord:
    return replace(record, status=Status.DISPATCHED, erp_document_type=None, erp_document_number=None, retry_after_s=2)


def _document(resource: Resource) -> DocumentRecord:
    record = _transaction(resource, Operation.CREATE)
    return DocumentRecord(
        document_id=record.document_id,
        domain=record.domain,
        source=record.source,
        external_id=record.external_id,
        lineage_id=record.lineage_id,
        transaction_id=record.transaction_id,
        payload_id=record.payload_id,
        business_unit=record.business_unit,
        geography=record.geography,
        created_at=record.accepted_at,
        company_code=record.company_code,
        document_type=record.document_type,
        currency_code=record.currency_code,
        amount=record.amount,
        posting_date=record.posting_date,
        customer_id=f"doc_{_ID[:-1]}C" if "customer" in resource.model.model_fields else None,
    )


def _summary(resource: Resource) -> Example:
    record = _document(resource)
    system_id, number_type = _system(resource), _number_type(resource)
    number = CrossReferenceRecord(record.document_id, system_id, number_type, _number(resource), _AT + 412_000)
    return document_summary(record, [number], Status.POSTED)


def _entry() -> EntryRecord:
    body = b'{"at":1795456680000000,"kind":"accepted","lineage":"lin_%s","seq":1,"trace":"txn_%s","v":1}' % (
        _ID.encode(),
        _ID.encode(),
    )
    return EntryRecord(f"txn_{_ID}", 1, "accepted", _AT, f"lin_{_ID}", body, sha256(b"\x00" + body).digest())


_PIN: Final = PinRecord(f"lin_{_ID}", _SYSTEM, "cloud", "live", "o-west", _TABLE_VERSION, 1, _AT)
_ORDER: Final = transaction_wire(
    _transaction(ORDERS, Operation.CREATE), external_reference=external_reference(f"txn_{_ID}", 1, "do")
)
_CHAIN: Final = {"quoteReference": ORDERS.example["quoteReference"], "follows": [], "relates": []}

TRANSACTION: Final[Example] = _ORDER | version_members(1) | _OF_TRANSACTION
TRANSACTION_PAGE: Final[Example] = {"items": [_ORDER], "nextCursor": None} | _OF_REQUEST
TRACE: Final[Example] = {
    "transactionId": f"txn_{_ID}",
    "lineageId": f"lin_{_ID}",
    "entries": [trace_entry(_entry())],
} | _OF_REQUEST
LINEAGE: Final[Example] = {
    "lineageId": f"lin_{_ID}",
    "rootDocumentId": f"doc_{_ID}",
    "pin": pin(_PIN),
    "documents": [_summary(ORDERS) | _CHAIN],
    "transactions": [_ORDER],
    "relations": [],
} | _OF_REQUEST
ROUTING: Final[Example] = {
    "result": "decision",
    "domain": "orders",
    "tableVersion": _TABLE_VERSION,
    "facts": {
        "schemaVersion": 1,
        "domain": "orders",
        "operation": "create",
        "businessUnit": "Western",
        "geography": "US",
        "companyCode": None,
        "documentType": None,
        "customerSegment": None,
        "amount": None,
        "currencyCode": None,
        "postingDate": None,
    },
    "matched": [
        {
            "row": "o-base",
            "file": "orders.csv",
            "line": 2,
            "cells": {},
            "stage": "legacy",
            "decides": False,
            "exceptions": ["o-west"],
            "note": "Everything that no phase has reached yet: orders stay in the legacy ERP",
        },
        {
            "row": "o-west",
            "file": "orders.csv",
            "line": 3,
            "cells": {"businessUnit": "Western"},
            "stage": "live",
            "decides": True,
            "exceptions": [],
            "note": "Phase 1: the Western region is live in the cloud",
        },
    ],
    "deciding": ["o-west"],
    "namedRow": "o-west",
    "stage": "live",
    "share": None,
    "effect": f"stage live: new roots go to the cloud system; target {_SYSTEM}",
    "target": {"systemId": _SYSTEM, "side": "cloud"},
    "overlay": None,
    "nearest": [],
    "exceptionPath": ["o-base", "o-west"],
    "owners": ["order-to-cash-team"],
    "cutoverDate": None,
    "whyNot": {
        "row": "o-west-latam",
        "file": "orders.csv",
        "line": 4,
        "stage": "drain",
        "overruledBy": [],
        "changes": [{"field": "geography", "value": "US", "needed": "AR", "cell": "LATAM"}],
        "effect": "with geography AR instead of US row o-west-latam decides: stage drain",
    },
    "activationNumber": 1,
} | _OF_REQUEST
PROBLEM_KIND: Final[Example] = {
    "code": KINDS["frozen"].slug,
    "title": KINDS["frozen"].title,
    "status": KINDS["frozen"].status,
    "remedy": KINDS["frozen"].remedy,
    "traceId": _TRACE_ID,
    "rateLimit": None,
}
LIVENESS: Final[Example] = {"alive": True}
READINESS: Final[Example] = {
    "ready": True,
    "parts": [{"name": "record", "ready": True, "needed": True}, {"name": "events", "ready": True, "needed": False}],
}
