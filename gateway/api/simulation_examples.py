"""What simulations and observations look like, for the description."""

from __future__ import annotations

from typing import Any, Final

_TABLE: Final = "5f0c1d7c7a4e6f1fbe8b3c0a2d9e4f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4"
_GOVERNANCE: Final = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
_BASE: Final = "9e8d7c6b5a493827160504030201f0e0d0c0b0a090807060504030201000f0e0"
_DIGEST: Final = "7d2f0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc"
_HASH: Final = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_DRAFT_ID: Final = "drf_01JD9Q5V8W2M4N6P8R0S2T4V6W"
_SIMULATION_ID: Final = "sim_01JD9Q5V8W2M4N6P8R0S2T4V6X"
_TRANSACTION_ID: Final = "txn_01JD9Q5V8W2M4N6P8R0S2T4V6Y"
_WINDOW: Final = {"since": "2026-10-01T00:00:00.000000Z", "until": "2026-11-01T00:00:00.000000Z"}
_CANDIDATE: Final = {"tableVersion": _TABLE, "governanceVersion": _GOVERNANCE}
_IN_FORCE: Final = {"activationNumber": 7, "tableVersion": _BASE, "governanceVersion": _GOVERNANCE}
_NOBODY: Final[dict[str, Any]] = {"customers": 0, "legacy": [], "cloud": []}
_USD: Final = {"currencyCode": "USD", "documents": 1, "amount": "168.00"}

SIMULATION_REQUEST: Final[dict[str, Any]] = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}

_SUMMARY: Final[dict[str, Any]] = {
    "simulationId": _SIMULATION_ID,
    "draftId": _DRAFT_ID,
    "state": "done",
    "candidate": _CANDIDATE,
    "base": _IN_FORCE,
    "window": _WINDOW,
    "requestedAt": "2026-11-23T18:58:00.000001Z",
    "requestedBy": "migration-console",
    "finishedAt": "2026-11-23T18:58:00.120001Z",
    "entriesExpected": 1,
    "entriesRead": 1,
    "resultHash": _HASH,
    "failure": None,
    "statusUrl": f"/v1/simulations/{_SIMULATION_ID}",
    "reportUrl": f"/v1/simulations/{_SIMULATION_ID}/report",
}
_MOVED: Final[dict[str, Any]] = {
    "direction": "to_cloud",
    "fromSystem": "legacy-main",
    "toSystem": "cloud-main",
    "domain": "orders",
}
_FOUND: Final[dict[str, Any]] = {
    "format": "simulation/v1",
    "inForce": _BASE,
    "candidate": _TABLE,
    "firstMinute": 29_846_838,
    "lastMinute": 29_846_838,
    "documents": 1,
    "decided": 1,
    "followed": 0,
    "pinned": 0,
    "movedDocuments": 1,
    "moved": [
        _MOVED | {"businessUnit": "Northern", "geography": "FR", "companyCode": "NW01", "period": "2026-10"} | _USD
    ],
    "movedTotals": [{"name": "to_cloud", **_USD}],
    "keptTotals": [],
    "pinnedTotals": [],
    "undetermined": [],
    "unmatchedInForce": [],
    "unmatchedCandidate": [],
    "openInBothInForce": _NOBODY,
    "openInBothCandidate": _NOBODY,
    "peaks": [
        {
            "systemId": "cloud-main",
            "budget": 6_000,
            "inForceCalls": 0,
            "inForceMinute": None,
            "candidateCalls": 1,
            "candidateMinute": 29_846_838,
            "candidatePercent": "0.1",
        }
    ],
    "largest": [
        _MOVED
        | {
            "transactionId": _TRANSACTION_ID,
            "rowBefore": "o-base",
            "rowAfter": "o-north",
            "currencyCode": "USD",
            "amount": "168.00",
        }
    ],
}
SIMULATION: Final[dict[str, Any]] = {
    **_SUMMARY,
    **_TRACE,
    "result": {
        "format": "simulation-evidence/v1",
        "candidate": _CANDIDATE,
        "base": _IN_FORCE,
        "window": _WINDOW,
        "position": {"entries": 1, "lastTrace": _TRANSACTION_ID, "lastSeq": 2, "leavesHash": _DIGEST},
        "resultDigest": _DIGEST,
        "resultHash": _HASH,
        "found": _FOUND,
    },
}
SIMULATIONS: Final[dict[str, Any]] = {"items": [_SUMMARY], **_TRACE}

DARK: Final[dict[str, Any]] = {
    "draftId": _DRAFT_ID,
    "state": "watching",
    "tableVersion": _TABLE,
    "isCurrent": True,
    "startedAt": "2026-11-23T18:58:00.000001Z",
    "startedBy": "migration-console",
    "endedAt": None,
    "readUntil": "2026-11-23T19:58:00.000001Z",
    "documents": 1,
    "differentDocuments": 1,
    "slices": [
        {
            "domain": "orders",
            "businessUnit": "Northern",
            "geography": "FR",
            "counts": [{"kind": "to_cloud", **_USD}],
            "samples": [
                {
                    "transactionId": _TRANSACTION_ID,
                    "kind": "to_cloud",
                    "routedTo": {"systemId": "legacy-main", "stage": "legacy", "row": "o-base"},
                    "candidate": {"systemId": "cloud-main", "stage": "live", "row": "o-north"},
                }
            ],
        }
    ],
    **_TRACE,
}
