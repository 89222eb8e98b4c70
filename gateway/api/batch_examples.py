"""What batches look like, for the description."""

from __future__ import annotations

import json
from typing import Any, Final

from gateway.api.orders import EXAMPLE as ORDER

BATCH_ID: Final = "bat_01JD9Q5V8W2M4N6P8R0S2T4V6W"
_TRANSACTION_ID: Final = "txn_01JD9Q5V8W2M4N6P8R0S2T4V6X"

LINE: Final[dict[str, Any]] = {"domain": "orders", "document": dict(ORDER), "idempotencyKey": "run-2026-11-4711"}

BATCH: Final[dict[str, Any]] = {
    "batchId": BATCH_ID,
    "batchState": "complete",
    "statusUrl": f"/v1/batches/{BATCH_ID}",
    "resultsUrl": f"/v1/batches/{BATCH_ID}/results",
    "received": 3,
    "accepted": 2,
    "replayed": 0,
    "refused": 1,
    "waiting": 0,
    "byStatus": [{"status": "accepted", "count": 1}, {"status": "posted", "count": 1}],
    "money": [{"currencyCode": "EUR", "acceptedAmount": "61.88", "postedAmount": "30.94"}],
    "createdAt": "2026-11-27T08:00:00.000000Z",
    "updatedAt": "2026-11-27T08:00:00.412000Z",
    "completedAt": "2026-11-27T08:00:00.412000Z",
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
}

RESULTS: Final = (
    json.dumps(
        {
            "lineNumber": 1,
            "result": "accepted",
            "status": "posted",
            "transactionId": _TRANSACTION_ID,
            "statusUrl": f"/v1/transactions/{_TRANSACTION_ID}",
            "replayed": False,
            "problem": None,
        }
    )
    + "\n"
)
