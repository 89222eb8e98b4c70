"""Examples of erasing and of legal holds, as the description shows them."""

from __future__ import annotations

from typing import Any, Final

_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_CUSTOMER_ID: Final = "doc_01JD9Q5V8W2M4N6P8R0S2T4V6W"
_PERSON: Final = {
    "person": "7d2f0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc",
    "personName": "ann",
    "client": "operations",
}
_OTHER: Final = {**_PERSON, "person": f"8{_PERSON['person'][1:]}", "personName": "ben"}

ERASURE_REQUEST: Final[dict[str, Any]] = {
    "customer": {"externalId": "VINET", "source": "salesforce"},
    "reason": "Asked by letter of 3 November",
}
ERASURE_ASKED: Final[dict[str, Any]] = {
    **_TRACE,
    "erasureId": "era_01JD9QFG8H0J2K4M6N8P0Q2R4S",
    "customerId": _CUSTOMER_ID,
    "state": "asked",
    "reason": "Asked by letter of 3 November",
    "askedAt": "2026-11-27T16:00:00.000001Z",
    "askedBy": _PERSON,
    "approvedAt": None,
    "approvedBy": None,
    "finishedAt": None,
    "erased": 0,
    "erasable": 4,
    "kept": [
        {
            "transactionId": "txn_01JD9Q5V8W2M4N6P8R0S2T4V6X",
            "documentId": "doc_01JD9Q5V8W2M4N6P8R0S2T4V6Y",
            "domain": "invoices",
            "keptFor": "retention",
            "keptUntil": "2034-12-31",
        }
    ],
    "more": False,
    "replayed": False,
}
ERASURE_APPROVED: Final[dict[str, Any]] = {
    **ERASURE_ASKED,
    "state": "approved",
    "approvedAt": "2026-11-27T17:00:00.000001Z",
    "approvedBy": _OTHER,
    "erased": 4,
    "erasable": 0,
}

HOLD_REQUEST: Final[dict[str, Any]] = {
    "customer": {"externalId": "VINET", "source": "salesforce"},
    "reason": "Case 12 O 34/26",
}
_HOLD: Final[dict[str, Any]] = {
    "holdId": "hld_01JD9QFG8H0J2K4M6N8P0Q2R4S",
    "state": "set",
    "customerId": _CUSTOMER_ID,
    "lineageId": None,
    "reason": "Case 12 O 34/26",
    "setAt": "2026-11-27T16:00:00.000001Z",
    "setBy": _PERSON,
    "liftAskedAt": None,
    "liftAskedBy": None,
    "liftReason": None,
    "liftedAt": None,
    "liftedBy": None,
}
HOLD_SET: Final[dict[str, Any]] = {**_TRACE, **_HOLD, "replayed": False}
HOLD_ASKED: Final[dict[str, Any]] = {
    **HOLD_SET,
    "state": "lift_asked",
    "liftAskedAt": "2027-02-01T09:00:00.000001Z",
    "liftAskedBy": _PERSON,
    "liftReason": "The case has ended",
}
HOLD_LIFTED: Final[dict[str, Any]] = {
    **HOLD_ASKED,
    "state": "lifted",
    "liftedAt": "2027-02-01T10:00:00.000001Z",
    "liftedBy": _OTHER,
}
HOLD_PAGE: Final[dict[str, Any]] = {**_TRACE, "items": [_HOLD], "nextCursor": None}

RETENTION: Final[dict[str, Any]] = {
    **_TRACE,
    "rules": [
        {"domain": "invoices", "geography": "DE", "keepDays": 2922, "eraseAfterDays": 2922, "fromYearEnd": True},
    ],
    "due": 12,
    "kept": {"legal-hold": 1},
    "more": False,
}
