"""What drafts look like, for the description: a draft that brings a division live at the end of a period."""

from __future__ import annotations

from typing import Any, Final

_TABLE = "5f0c1d7c7a4e6f1fbe8b3c0a2d9e4f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4"
_GOVERNANCE = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
_BASE = "9e8d7c6b5a493827160504030201f0e0d0c0b0a090807060504030201000f0e0"
_PERSON = "7d2f0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc"
_RULE: Final = {"tableVersion": _TABLE, "governanceVersion": _GOVERNANCE}
_BASE_RULE: Final = {"tableVersion": _BASE, "governanceVersion": _GOVERNANCE}
_DRAFT_ID: Final = "drf_01JD9Q5V8W2M4N6P8R0S2T4V6W"
_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_HEADER: Final = (
    "row,operation,business_unit,geography,company_code,document_type,customer_segment,amount,"
    "valid_from,valid_to,stage,legacy_system,cloud_system,share,allow,overlay,note\n"
)
_FILES: Final = [
    {"fileName": "orders.csv", "text": f"{_HEADER}o-base,,,,,,,,,,legacy,legacy-main,cloud-main,,,,\n"},
    {"fileName": "rulebook.yaml", "text": "rulebook: northwind\n"},
]

DRAFT_CONTENT: Final[dict[str, Any]] = {"title": "Northern live", "files": _FILES, "baseActivationNumber": 7}

_SUMMARY: Final[dict[str, Any]] = {
    "draftId": _DRAFT_ID,
    "title": "Northern live",
    "state": "open",
    "version": 1,
    "etag": "v1",
    "rule": _RULE,
    "baseActivationNumber": 7,
    "createdAt": "2026-11-23T18:58:00.000001Z",
    "updatedAt": "2026-11-23T18:58:00.000001Z",
    "activationId": None,
    "effectiveAt": None,
    "activationNumber": None,
}
DRAFT: Final[dict[str, Any]] = _SUMMARY | _TRACE | {"replayed": False}
DRAFT_PAGE: Final[dict[str, Any]] = {"items": [_SUMMARY], "nextCursor": None} | _TRACE

APPROVAL: Final[dict[str, Any]] = {
    "approvalId": "apr_01JD9QAB3C5D7E9F1G3H5J7K9M",
    "draftId": _DRAFT_ID,
    "approvedAt": "2026-11-23T19:20:00.000001Z",
    "draftVersion": 2,
    "rule": _RULE,
    "baseActivationNumber": 7,
    "baseRule": _BASE_RULE,
    "simulationId": "sim_01JD9Q8X2Y4Z6A8B0C2D4E6F8G",
    "simulationDigest": _BASE,
} | _TRACE

WAIVER: Final[dict[str, Any]] = {
    "waiverId": "wvr_01JD9QBC4D6E8F0G2H4J6K8M0N",
    "draftId": _DRAFT_ID,
    "gate": "calendar",
    "waivedAt": "2026-11-23T19:25:00.000001Z",
    "expiresAt": "2026-12-24T00:00:00.000000Z",
} | _TRACE

ACTIVATION: Final[dict[str, Any]] = {
    "activationId": "act_01JD9QCD5E7F9G1H3J5K7M9N1P",
    "draftId": _DRAFT_ID,
    "state": "scheduled",
    "rule": _RULE,
    "baseActivationNumber": 7,
    "requestedAt": "2026-11-23T19:30:00.000001Z",
    "effectiveAt": "2026-12-01T00:00:00.000000Z",
    "settledAt": None,
    "activationNumber": None,
    "failedGates": [],
} | _TRACE

_ACTING: Final = {"person": _PERSON, "personName": "order-to-cash-author", "client": "order-to-cash-author"}
_APPROVER: Final = {"person": _BASE, "personName": "order-to-cash-approver", "client": "order-to-cash-approver"}

REVIEW: Final[dict[str, Any]] = (
    _SUMMARY
    | _TRACE
    | {
        "basedOnWhatIsInForce": True,
        "inForce": _BASE_RULE,
        "inForceActivationNumber": 7,
        "files": _FILES,
        "edits": [
            {
                "version": 1,
                "editedBy": _ACTING,
                "editedAt": "2026-11-23T18:58:00.000001Z",
                "rule": _RULE,
                "baseActivationNumber": 7,
            }
        ],
        "changes": [
            {
                "domain": "orders",
                "conditions": [{"column": "businessUnit", "text": "Northern"}],
                "changed": [{"column": "stage", "before": "pilot", "after": "live"}],
                "rowsBefore": ["o-north-emea"],
                "rowsAfter": ["o-north-emea"],
            }
        ],
        "changesInAll": 1,
        "changesWhy": None,
        "groundChanges": [],
        "touches": [{"domain": "orders", "owners": ["order-to-cash-team"], "approved": True}],
        "proof": {"clean": True, "cells": 14, "more": False, "findings": []},
        "failedExamples": [],
        "coverage": {"rows": 9, "rowsWithoutExample": [{"row": "o-north-emea", "fileName": "orders.csv", "line": 4}]},
        "simulation": None,
        "approvals": [
            {key: value for key, value in APPROVAL.items() if key not in {"draftId", "traceId"}}
            | {
                "approvedBy": _APPROVER,
                "teams": ["order-to-cash-team"],
                "counts": True,
                "voidReasons": [],
                "domains": ["orders"],
            }
        ],
        "waivers": [],
        "gates": [
            {
                "gate": "proof_clean",
                "passed": True,
                "holds": True,
                "waivable": False,
                "waiverId": None,
                "subject": None,
                "why": "the proof is clean",
                "evidence": {"cells": 14},
            }
        ],
    }
)

_RULEBOOK: Final[dict[str, Any]] = {
    "activationNumber": 8,
    "inForce": True,
    "rule": _RULE,
    "activatedAt": "2026-12-01T00:00:00.104200Z",
    "activatedBy": "order-to-cash-activator",
    "draftId": _DRAFT_ID,
    "rolledBackSlice": None,
}
RULEBOOK_PAGE: Final[dict[str, Any]] = {"items": [_RULEBOOK], "nextCursor": None} | _TRACE
RULEBOOK: Final[dict[str, Any]] = (
    _RULEBOOK
    | {"rulesText": '{"format":"rules/v1"}', "governanceText": '{"format":"governance/v1"}', "files": _FILES}
    | _TRACE
)
