"""What exceptions look like, for the description: a reversal in doubt that a person found in the ERP."""

from __future__ import annotations

from typing import Any, Final

_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_ANN: Final = {
    "person": "7d2f0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc",
    "personName": "ann",
    "client": "console",
}
_BOB: Final = {
    "person": "1a2b0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc",
    "personName": "bob",
    "client": "console",
}
_MOVE_ID: Final = "mov_01JD9QFG8H0J2K4M6N8P0Q2R4S"
_BULK_ID: Final = "blk_01JD9QFG8H0J2K4M6N8P0Q2R4S"
_DIGEST: Final = "5f0c1d7c7a4e6f1fbe8b3c0a2d9e4f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4"

_SHOWN: Final[dict[str, Any]] = {
    "exceptionId": "exc_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "etag": "v1",
    "state": "open",
    "reasonCode": "in-doubt",
    "cause": "sender-not-proven-ended",
    "erpSaid": None,
    "transactionId": "txn_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "transactionStatus": "in_doubt",
    "statusUrl": "/v1/transactions/txn_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "lineageId": "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "domain": "invoices",
    "operation": "create",
    "businessUnit": "Northern",
    "geography": "FR",
    "systemId": "legacy-main",
    "companyCode": "NW01",
    "amount": "168.00",
    "currencyCode": "USD",
    "ownerTeam": "finance",
    "ownerPerson": None,
    "openedAt": "2026-11-27T16:00:00.000001Z",
    "ageS": 3600,
    "allowedMoves": ["retry", "mark_posted", "cancel"],
    "secondPerson": ["retry", "mark_posted", "cancel"],
    "moveId": None,
    "closedAt": None,
    "outcome": None,
    "replacedByTransactionId": None,
}
_ASKED: Final[dict[str, Any]] = {
    "moveId": _MOVE_ID,
    "move": "mark_posted",
    "state": "asked",
    "reason": "It is in the ERP, see the journal",
    "erpNumber": {"systemId": "legacy-main", "documentType": "invoice", "documentNumber": "0090000017"},
    "askedAt": "2026-11-27T17:00:00.000001Z",
    "askedBy": _ANN,
    "approvedAt": None,
    "approvedBy": None,
    "finishedAt": None,
    "result": None,
}
_DONE: Final = _ASKED | {
    "state": "done",
    "approvedAt": "2026-11-27T17:05:00.000001Z",
    "approvedBy": _BOB,
    "finishedAt": "2026-11-27T17:05:00.400001Z",
    "result": "posted",
}

EXCEPTION: Final[dict[str, Any]] = _SHOWN | {"moves": []} | _TRACE
EXCEPTION_PAGE: Final[dict[str, Any]] = {"items": [_SHOWN], "nextCursor": None} | _TRACE
CLAIMED: Final[dict[str, Any]] = EXCEPTION | {
    "etag": "v2",
    "ownerPerson": {"person": _ANN["person"], "personName": "ann"},
}
MOVE_WANTED: Final[dict[str, Any]] = {
    "move": "mark_posted",
    "reason": "It is in the ERP, see the journal",
    "erpDocumentType": "invoice",
    "erpDocumentNumber": "0090000017",
    "etag": "v1",
    "idempotencyKey": "2b7c1de0-5b1f-4c7e-8c0c-0b7a4c1a9f11",
}
MOVE_ASKED: Final[dict[str, Any]] = (
    _SHOWN | {"etag": "v2", "moveId": _MOVE_ID, "moves": [_ASKED], "move": _ASKED, "replayed": False} | _TRACE
)
MOVE_DONE: Final[dict[str, Any]] = (
    _SHOWN
    | {
        "etag": "v4",
        "state": "closed",
        "transactionStatus": "posted",
        "allowedMoves": [],
        "secondPerson": [],
        "closedAt": "2026-11-27T17:05:00.400001Z",
        "outcome": "posted",
        "ageS": 3900,
        "moves": [_DONE],
        "move": _DONE,
        "replayed": False,
    }
    | _TRACE
)
OWNER_WANTED: Final[dict[str, Any]] = {"ownerPerson": "ann"}
BULK_WANTED: Final[dict[str, Any]] = {
    "move": "retry",
    "reason": "The credit limits were raised",
    "filter": {"reasonCode": "rejected-by-erp", "domain": "orders", "businessUnit": "Northern"},
}
_BULK: Final[dict[str, Any]] = {
    "bulkId": _BULK_ID,
    "move": "retry",
    "digest": _DIGEST,
    "exceptions": 2,
    "secondPerson": False,
    "reason": "The credit limits were raised",
    "askedAt": "2026-11-27T17:00:00.000001Z",
    "askedBy": _ANN,
    "startedAt": None,
    "startedBy": None,
    "results": {},
    "left": 2,
}
_ORDER: Final = _SHOWN | {
    "domain": "orders",
    "reasonCode": "rejected-by-erp",
    "cause": None,
    "erpSaid": {"messageCode": "V1/152", "field": "customer", "message": "The credit limit is exceeded"},
    "transactionStatus": "rejected",
    "ownerTeam": "sales",
    "allowedMoves": ["retry", "resubmit", "cancel"],
    "secondPerson": [],
}
BULK_SHOWN: Final[dict[str, Any]] = (
    _BULK | {"money": [{"amount": "336.00", "currencyCode": "USD"}], "first": [_ORDER], "notAllowed": 0} | _TRACE
)
BULK_RUN: Final[dict[str, Any]] = {"digest": _DIGEST}
BULK_PROGRESS: Final[dict[str, Any]] = (
    _BULK | {"startedAt": "2026-11-27T17:10:00.000001Z", "startedBy": _ANN, "results": {"done": 2}, "left": 0} | _TRACE
)
