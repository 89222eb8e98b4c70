"""Batches in wire words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gateway.api.money_wire import money
from gateway.api.parts import AppParts
from gateway.domain.batches import BatchLineShown, BatchPart, BatchProgress
from gateway.domain.transaction import Status
from gateway.domain.wire import instant, status_url
from gateway.errors import Problem
from gateway.intake.batch import PATH
from gateway.intake.parts import IntakeParts


def intake_parts(parts: AppParts) -> IntakeParts:
    """Who takes batches in. Raises `not-ready` where this process does not."""
    if parts.intake is None:
        raise Problem("not-ready", "This process takes no batches.", retry_after_s=30)
    return parts.intake


def batch_wire(progress: BatchProgress) -> dict[str, Any]:
    """How a batch stands."""
    batch, parts = progress.batch, progress.parts
    address = f"{PATH}/{batch.batch_id}"
    return {
        "batchId": batch.batch_id,
        "batchState": batch.state,
        "statusUrl": address,
        "resultsUrl": f"{address}/results",
        # of the parts, not of the record: that counts empty lines too, to know where to go on
        "received": sum(one.lines for one in parts),
        **{name: sum(one.lines for one in parts if one.result == name) for name in ("accepted", "refused", "waiting")},
        "replayed": sum(one.replayed for one in parts),
        "byStatus": _by_status(parts),
        "money": _money(parts),
        "createdAt": instant(batch.created_at),
        "updatedAt": instant(batch.updated_at),
        "completedAt": None if batch.completed_at is None else instant(batch.completed_at),
    }


def line_wire(line: BatchLineShown) -> dict[str, Any]:
    """What became of a line."""
    return {
        "lineNumber": line.line_number,
        "result": line.result,
        "status": line.status,
        "transactionId": line.transaction_id,
        "statusUrl": None if line.transaction_id is None else status_url(line.transaction_id),
        "replayed": bool(line.replayed),
        "problem": None if line.problem is None else json.loads(line.problem),
    }


def _by_status(parts: Sequence[BatchPart]) -> list[dict[str, Any]]:
    counts: defaultdict[str, int] = defaultdict(int)
    for one in parts:
        if one.status is not None:
            counts[one.status] += one.transactions
    return [{"status": status, "count": count} for status, count in sorted(counts.items())]


def _money(parts: Sequence[BatchPart]) -> list[dict[str, Any]]:
    accepted: defaultdict[str, Decimal] = defaultdict(Decimal)
    posted: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in parts:
        if one.currency_code is not None:
            accepted[one.currency_code] += one.amount
            if one.status == Status.POSTED:
                posted[one.currency_code] += one.amount
    return [
        {"currencyCode": code, "acceptedAmount": money(accepted[code], code), "postedAmount": money(posted[code], code)}
        for code in sorted(accepted)
    ]
