"""Overlays and periods in wire words, with the names and reasons that lie beside the ledger."""

from __future__ import annotations

import json
from typing import Any

from gateway.api.parts import AppParts
from gateway.cutover.act_ports import ActReads
from gateway.cutover.acts import ActParts
from gateway.domain.act_records import OverlayRecord, PeriodRecord
from gateway.domain.wire import instant
from gateway.errors import Problem


def acting_parts(parts: AppParts) -> ActParts:
    """Who serves acts. Raises `not-ready` where this process does not."""
    if parts.acts is None:
        raise Problem("not-ready", "This process does not serve acts.", retry_after_s=30)
    return parts.acts


async def overlay_wire(reads: ActReads, record: OverlayRecord) -> dict[str, Any]:
    """An overlay as it stands."""
    said = await _said(reads, record.payload_id)
    counts = {name: value for name, value in said.items() if name != "reason"}
    lift = await _said(reads, record.lift_payload_id)
    return {
        "overlayId": record.overlay_id,
        "overlay": record.overlay,
        "slice": record.slice,
        "state": record.state,
        "setAt": instant(record.set_at),
        "setBy": await _person(reads, record.person, record.set_by),
        "reason": said.get("reason"),
        "counts": counts or None,
        "expectedUntil": _instant(record.expected_until),
        "liftAskedAt": _instant(record.lift_asked_at),
        "liftAskedBy": await _person(reads, record.lift_asked_person, record.lift_asked_by),
        "liftReason": lift.get("reason"),
        "liftedAt": _instant(record.lifted_at),
        "liftedBy": await _person(reads, record.lifted_person, record.lifted_by),
    }


async def period_wire(reads: ActReads, record: PeriodRecord) -> dict[str, Any]:
    """A period as it stands."""
    said = await _said(reads, record.payload_id)
    return {
        "companyCode": record.company_code,
        "period": record.period,
        "startsOn": record.starts,
        "endsBefore": record.ends,
        "state": record.state,
        "actedAt": instant(record.acted_at),
        "actedBy": await _person(reads, record.person, record.acted_by),
        "reason": said.get("reason"),
        "tiedOutAt": _instant(record.tied_out_at),
        "tieOutId": record.tie_out_id,
        "tieOutVoidedAt": _instant(record.tie_out_voided_at),
    }


async def _said(reads: ActReads, payload_id: str | None) -> dict[str, Any]:
    payload = await reads.payload(payload_id) if payload_id is not None else None
    found: dict[str, Any] = {} if payload is None or payload.body is None else json.loads(payload.body)
    return found


async def _person(reads: ActReads, person: str | None, client: str | None) -> dict[str, Any] | None:
    if person is None:
        return None
    return {"person": person, "personName": await reads.person_name(person), "client": client}


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant(micros)
