"""Examples of answers about one document by any of its names."""

from __future__ import annotations

from typing import Any, Final

_QUERY: Final = {"queryId": "qry_01JD9Q5V8W2M4N6P8R0S2T4V6Z", "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_AT: Final = "2026-11-23T18:58:00.000001Z"
_LATER: Final = "2026-11-23T18:59:00.000001Z"
_INVOICE: Final = "txn_01JD9Q5V8W2M4N6P8R0S2T4V6Y"
_OF: Final = {
    "transactionId": _INVOICE,
    "documentId": "doc_01JD9Q5V8W2M4N6P8R0S2T4V6X",
    "lineageId": "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "externalId": "INV-1001",
    "domain": "invoices",
    "operation": "create",
}
_PAYMENT: Final = {
    **_OF,
    "transactionId": "txn_01JD9Q5V8W2M4N6P8R0S2T4V7A",
    "documentId": "doc_01JD9Q5V8W2M4N6P8R0S2T4V7B",
    "externalId": "PAY-1001",
    "domain": "payments",
}

WHERE_STUCK: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            **_OF,
            "status": "dispatched",
            "sinceAt": _AT,
            "awaited": "next_attempt",
            "awaitedId": "legacy-main",
            "nextLookAt": _LATER,
            "tries": 3,
            "systemId": "legacy-main",
            "problemCode": "erp-unavailable",
            "whatToDo": "Nothing was posted and it is tried again by itself; see that legacy-main can be reached.",
        }
    ],
    "isCut": False,
}
WHY_FAILED: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            **_OF,
            "status": "rejected",
            "failedAt": _AT,
            "isFinal": True,
            "systemId": "legacy-main",
            "problemCode": "rejected-by-erp",
            "detail": "legacy-main refused the document: Posting period 011 2026 is not open",
            "erpMessageCode": "F5 201",
            "erpMessage": "Posting period 011 2026 is not open",
            "erpField": "postingDate",
            "errors": [],
            "remedy": "correct the document and send it again with `replaces` set to this transaction's id",
            "exceptionId": "exc_01JD9Q5V8W2M4N6P8R0S2T4V7C",
            "replacedByTransactionId": None,
            "replacementStatus": None,
        }
    ],
    "isCut": False,
}
EVENTS_TOLD: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            **_PAYMENT,
            "status": "posted",
            "acceptedAt": _AT,
            "wasSentAgain": True,
            "sentAgain": [{"recordedAt": _LATER, "seq": 5}],
            "events": [
                {
                    "eventId": "evt_01JD9Q5V8W2M4N6P8R0S2T4V7D",
                    "kind": "posted",
                    "sequence": 9,
                    "createdAt": _AT,
                    "publishedAt": _AT,
                    "streamSequence": 4711,
                    "isBeforeStream": False,
                }
            ],
        }
    ],
    "streamBeganAt": "2026-11-01T00:00:00.000000Z",
    "isCut": False,
}
WAITING_DOCUMENTS: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            **_PAYMENT,
            "status": "waiting",
            "depth": 1,
            "awaitedTransactionId": _INVOICE,
            "sinceAt": _AT,
            "nextLookAt": _LATER,
        }
    ],
    "isCut": False,
}
