"""Exceptions in wire words, with the names, reasons and words that lie beside the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.api.money_wire import amounts
from gateway.api.parts import AppParts
from gateway.domain.exceptions import BulkRecord, ExceptionRecord, MoveRecord, moves_for
from gateway.domain.transaction import Status
from gateway.domain.wire import instant, status_url
from gateway.errors import Problem
from gateway.exceptions.bulk import DryRun, Progress
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.policy import needs_second

_SECOND = 1_000_000


def exception_parts(parts: AppParts) -> ExceptionParts:
    """Who serves exceptions. Raises `not-ready` where this process does not."""
    if parts.exceptions is None:
        raise Problem("not-ready", "This process does not serve exceptions.", retry_after_s=30)
    return parts.exceptions


async def exceptions_wire(parts: AppParts, records: Sequence[ExceptionRecord], *, now: int) -> list[dict[str, Any]]:
    """Exceptions as they stand, with where their transactions stand."""
    ids = [one.transaction_id for one in records]
    statuses = await parts.reads.statuses(ids)
    desk = exception_parts(parts)
    several = await desk.reads.of_several_steps(ids)
    return [await _wire(desk, one, statuses.get(one.transaction_id), several, now) for one in records]


async def moves_wire(desk: ExceptionParts, record: ExceptionRecord) -> list[dict[str, Any]]:
    """The moves of an exception, the newest first."""
    return [await move_wire(desk, record, one) for one in await desk.reads.exception_moves(record.exception_id)]


async def move_wire(desk: ExceptionParts, record: ExceptionRecord, move: MoveRecord) -> dict[str, Any]:
    """A move as it stands."""
    said = await _said(desk, move.payload_id)
    number = None
    if "documentNumber" in said:
        number = {
            "systemId": said.get("systemId", record.system_id),
            "documentType": said["documentType"],
            "documentNumber": said["documentNumber"],
        }
    return {
        "moveId": move.move_id,
        "move": move.move,
        "state": move.state,
        "reason": said.get("reason"),
        "erpNumber": number,
        "askedAt": instant(move.asked_at),
        "askedBy": await _acting(desk, move.asked_person, move.asked_by),
        "approvedAt": _instant(move.approved_at),
        "approvedBy": await _acting(desk, move.approved_person, move.approved_by),
        "finishedAt": _instant(move.finished_at),
        "result": move.result,
    }


async def progress_wire(desk: ExceptionParts, progress: Progress) -> dict[str, Any]:
    """A bulk move and how far it came."""
    return await _bulk(desk, progress.bulk, progress.results, progress.left)


async def dry_run_wire(parts: AppParts, run: DryRun) -> dict[str, Any]:
    """What a bulk move would deal with."""
    return {
        **await _bulk(exception_parts(parts), run.bulk, {}, run.bulk.count),
        "money": amounts(run.money),
        "first": await exceptions_wire(parts, run.first, now=parts.clock.now()),
        "notAllowed": run.not_allowed,
    }


async def _bulk(desk: ExceptionParts, bulk: BulkRecord, results: Mapping[str, int], left: int) -> dict[str, Any]:
    return {
        "bulkId": bulk.bulk_id,
        "move": bulk.move,
        "digest": bulk.digest,
        "exceptions": bulk.count,
        "secondPerson": bool(bulk.second_person),
        "reason": (await _said(desk, bulk.payload_id)).get("reason"),
        "askedAt": instant(bulk.asked_at),
        "askedBy": await _acting(desk, bulk.asked_person, bulk.asked_by),
        "startedAt": _instant(bulk.started_at),
        "startedBy": await _acting(desk, bulk.started_person, bulk.started_by),
        "results": dict(results),
        "left": left,
    }


async def _wire(
    desk: ExceptionParts, record: ExceptionRecord, status: Status | None, of_several: Collection[str], now: int
) -> dict[str, Any]:
    is_open = record.state == "open" and status is not None
    several = record.transaction_id in of_several
    allowed = moves_for(status or "", record.operation, record.reason_code, several=several) if is_open else ()
    rulebook = desk.line().rules.rulebook
    said = await _said(desk, record.payload_id)
    until = now if record.closed_at is None else record.closed_at
    return {
        "exceptionId": record.exception_id,
        "etag": f"v{record.version}",
        "state": record.state,
        "reasonCode": record.reason_code,
        "cause": record.cause,
        "erpSaid": {"messageCode": said["code"], "field": said["field"], "message": said["message"]} if said else None,
        "transactionId": record.transaction_id,
        "transactionStatus": None if status is None else status.value,
        "statusUrl": status_url(record.transaction_id),
        "lineageId": record.lineage_id,
        "domain": record.domain,
        "operation": record.operation,
        "businessUnit": record.business_unit,
        "geography": record.geography,
        "systemId": record.system_id,
        "companyCode": record.company_code,
        "amount": record.amount,
        "currencyCode": record.currency_code,
        "ownerTeam": record.owner_team,
        "ownerPerson": await _person(desk, record.owner_person),
        "openedAt": instant(record.opened_at),
        "ageS": max(0, (until - record.opened_at) // _SECOND),
        "allowedMoves": list(allowed),
        "secondPerson": [one for one in allowed if needs_second(rulebook, record, status or "", one)],
        "moveId": record.move_id,
        "closedAt": _instant(record.closed_at),
        "outcome": record.outcome,
        "replacedByTransactionId": record.replaced_by,
    }


async def _said(desk: ExceptionParts, payload_id: str | None) -> dict[str, Any]:
    payload = await desk.reads.payload(payload_id) if payload_id is not None else None
    found: dict[str, Any] = {} if payload is None or payload.body is None else json.loads(payload.body)
    return found


async def _person(desk: ExceptionParts, person: str | None) -> dict[str, Any] | None:
    return None if person is None else {"person": person, "personName": await desk.reads.person_name(person)}


async def _acting(desk: ExceptionParts, person: str | None, client: str | None) -> dict[str, Any] | None:
    found = await _person(desk, person)
    return None if found is None else found | {"client": client}


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant(micros)
