"""Examples of answers about the ledger."""

from __future__ import annotations

from typing import Any, Final

from gateway.api.examples import LINEAGE, TRANSACTION

_QUERY: Final = {"queryId": "qry_01JD9Q5V8W2M4N6P8R0S2T4V6Z", "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_VERSION: Final = "3f1c" * 16
_PERSON: Final = "8d2a" * 16
_AT: Final = "2026-11-23T18:58:00.000001Z"
_AS_OF: Final = {"logSize": 700, "knownAt": None, "activationNumber": None, "tableVersion": None}
_THEN: Final = {"logSize": 259, "knownAt": _AT, "activationNumber": 3, "tableVersion": _VERSION}
_TRANSACTION: Final = "txn_01JD9Q5V8W2M4N6P8R0S2T4V6Y"
_DOCUMENT: Final = LINEAGE["documents"][0]

_STEP: Final = {"seq": 1, "kind": "accepted", "recordedAt": _AT, "logIndex": 41}
_TRACED: Final = {
    "transactionId": _TRANSACTION,
    "operation": "create",
    "status": "posted",
    "systemId": "legacy-main",
    "row": "o-base",
    "tableVersion": _VERSION,
    "erpReference": "0G2N8Q4V6W2M4N6P",
    "documentNumber": "4500000017",
    "amount": "440.00",
    "currencyCode": "USD",
    "postingDate": "2026-11-23",
    "acceptedAt": _AT,
    "entries": [_STEP],
}

ENTRIES: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            "logIndex": 42,
            "trace": _TRANSACTION,
            "seq": 2,
            "kind": "routed",
            "recordedAt": _AT,
            "actor": "salesforce",
            "lineageId": "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W",
            "domain": "orders",
            "businessUnit": "Western",
            "geography": "US",
            "companyCode": "NW01",
            "operation": "create",
            "systemId": "legacy-main",
            "row": "o-base",
            "tableVersion": _VERSION,
            "activationNumber": 3,
            "persons": [],
            "amount": "440",
            "currencyCode": "USD",
            "leafHash": "9f86" * 16,
            "hashedBytes": "eyJ2IjoxfQ==",
            "entry": {"v": 1, "kind": "routed", "trace": _TRANSACTION, "seq": 2},
        }
    ],
    "nextCursor": None,
    "asOf": _AS_OF,
}
SUMMARY: Final[dict[str, Any]] = {
    **_QUERY,
    "groups": [
        {
            "key": {"kind": "posted", "month": "2026-11"},
            "entryCount": 830,
            "sums": [{"kind": "posted", "currencyCode": "USD", "amount": "1354458.59", "entryCount": 830}],
        }
    ],
    "archivedMonths": [],
    "asOf": _THEN,
}
UNENDED: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            "transactionId": _TRANSACTION,
            "acceptedIndex": 41,
            "endedIndex": 612,
            "statusNow": "posted",
            "lineageId": "lin_01JD9Q5V8W2M4N6P8R0S2T4V6W",
            "documentId": "doc_01JD9Q5V8W2M4N6P8R0S2T4V6X",
            "domain": "orders",
            "businessUnit": "Western",
            "geography": "US",
            "acceptedAt": _AT,
        }
    ],
    "nextCursor": None,
    "asOf": _THEN,
}
TRACES: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [{"document": _DOCUMENT, "transactions": [_TRACED]}],
    "nextCursor": None,
    "isCut": False,
}
LINEAGE_TREE: Final[dict[str, Any]] = {
    **_QUERY,
    "lineageId": LINEAGE["lineageId"],
    "rootDocumentId": LINEAGE["rootDocumentId"],
    "pin": LINEAGE["pin"],
    "nodes": [
        {
            "depth": 0,
            "parentDocumentId": None,
            "alsoFollows": [],
            "relatesTo": [],
            "document": _DOCUMENT,
            "transactions": [_TRACED],
        }
    ],
    "adoptions": [],
    "isCut": False,
}
ACCESS_REVIEW: Final[dict[str, Any]] = {
    **_QUERY,
    "usedFrom": "2026-11-01T00:00:00.000000Z",
    "usedUntil": "2026-12-01T00:00:00.000000Z",
    "items": [
        {
            "scope": "rules:approve",
            "client": "order-to-cash-approver",
            "person": _PERSON,
            "personName": "order-to-cash-approver",
            "issuer": "https://issuer.example",
            "teams": ["order-to-cash-team"],
            "uses": 2,
            "firstHourAt": "2026-11-23T18:00:00.000000Z",
            "lastHourAt": "2026-11-23T18:00:00.000000Z",
        }
    ],
    "byIssuer": [{"scope": "rules:approve", "name": "https://issuer.example", "uses": 2, "clientCount": 1}],
    "byTeam": [{"scope": "rules:approve", "name": "order-to-cash-team", "uses": 2, "clientCount": 1}],
    "isCut": False,
}
RECORDED_QUERIES: Final[dict[str, Any]] = {
    **_QUERY,
    "items": [
        {
            "queryId": "qry_01JD9Q5V8W2M4N6P8R0S2T4V6X",
            "kind": "queried",
            "state": "answered",
            "resource": "/v1/ledger/entries",
            "filter": {"kind": "gate_waived"},
            "askedAt": _AT,
            "endedAt": _AT,
            "client": "auditor",
            "person": _PERSON,
            "personName": "auditor",
            "issuer": "https://issuer.example",
            "teams": [],
            "logSize": 700,
            "rowCount": 3,
            "answerHash": "9f86" * 16,
        }
    ],
    "nextCursor": None,
}
SENT: Final[dict[str, Any]] = {
    "source": "salesforce",
    "domain": "orders",
    "sentFrom": "2026-11-01",
    "sentUntil": "2026-12-01",
    "documents": [{"externalId": "SO-1001", "amount": "440.00", "currencyCode": "USD"}],
}
COMPLETENESS: Final[dict[str, Any]] = {
    **_QUERY,
    "source": "salesforce",
    "listedCount": 1,
    "acceptedCount": 0,
    "agreedCount": 0,
    "unnamedCount": 0,
    "missingHereCount": 0,
    "missingThereCount": 0,
    "missingHere": [],
    "missingThere": [],
    "otherPeriod": [TRANSACTION],
    "differing": [{"externalId": "SO-1001", "transactionId": _TRANSACTION, "members": ["amount"], "domain": "orders"}],
    "repeated": [],
    "isComplete": False,
    "dataScope": None,
    "missingHereDocuments": [],
    "ambiguousCount": 0,
    "ambiguous": [],
}
