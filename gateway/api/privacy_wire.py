"""Erasures and legal holds in wire words, with the names and reasons that lie beside the ledger."""

from __future__ import annotations

import json
from typing import Any

from adapters.canonical import Reference
from gateway.api.parts import AppParts
from gateway.domain.privacy import ErasureRecord, HoldRecord
from gateway.domain.queries import DocumentName
from gateway.domain.wire import instant
from gateway.errors import Problem
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.requests import survey


def privacy_parts(parts: AppParts) -> PrivacyParts:
    """Who erases. Raises `not-ready` where this process does not."""
    if parts.privacy is None:
        raise Problem("not-ready", "This process does not serve erasures.", retry_after_s=30)
    return parts.privacy


def customer_of(reference: Reference) -> DocumentName:
    """The customer that a request names."""
    return DocumentName(
        "customers",
        document_id=reference.document_id,
        source=reference.source,
        external_id=reference.external_id,
        erp_number=reference.erp_number,
    )


async def erasure_wire(desk: PrivacyParts, record: ErasureRecord, *, replayed: bool = False) -> dict[str, Any]:
    """An erasure as it stands, with what is still there."""
    found = await survey(desk, record.customer_id)
    return {
        "erasureId": record.erasure_id,
        "customerId": record.customer_id,
        "state": record.state,
        "reason": await _reason(desk, record.payload_id),
        "askedAt": instant(record.asked_at),
        "askedBy": await _acting(desk, record.asked_person, record.asked_by),
        "approvedAt": _instant(record.approved_at),
        "approvedBy": await _acting(desk, record.approved_person, record.approved_by),
        "finishedAt": _instant(record.finished_at),
        "erased": record.erased,
        "erasable": found.erasable,
        "kept": [
            {
                "transactionId": one.transaction_id,
                "documentId": one.document_id,
                "domain": one.domain,
                "keptFor": one.kept_for.value,
                "keptUntil": one.until,
            }
            for one in found.kept
        ],
        "more": found.more,
        "replayed": replayed,
    }


async def hold_wire(desk: PrivacyParts, record: HoldRecord) -> dict[str, Any]:
    """A legal hold as it stands."""
    return {
        "holdId": record.hold_id,
        "state": record.state,
        "customerId": record.customer_id,
        "lineageId": record.lineage_id,
        "reason": await _reason(desk, record.payload_id),
        "setAt": instant(record.set_at),
        "setBy": await _acting(desk, record.set_person, record.set_by),
        "liftAskedAt": _instant(record.lift_asked_at),
        "liftAskedBy": await _acting(desk, record.lift_asked_person, record.lift_asked_by),
        "liftReason": await _reason(desk, record.lift_payload_id),
        "liftedAt": _instant(record.lifted_at),
        "liftedBy": await _acting(desk, record.lifted_person, record.lifted_by),
    }


async def _reason(desk: PrivacyParts, payload_id: str | None) -> str | None:
    payload = None if payload_id is None else await desk.store.reads.payload(payload_id)
    if payload is None or payload.body is None:
        return None
    reason: str = json.loads(payload.body)["reason"]
    return reason


async def _acting(desk: PrivacyParts, person: str | None, client: str | None) -> dict[str, Any] | None:
    if person is None:
        return None
    return {"person": person, "personName": await desk.store.reads.person_name(person), "client": client}


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant(micros)
