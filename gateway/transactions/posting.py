"""What is sent to an ERP, made from what is stored: the same at the first attempt and after any restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from adapters.canonical import DOMAINS, CanonicalDocument, ErpNumber
from adapters.port import Cancellation, Change, Posting, Reversal, Submission
from gateway.domain.amendment import changed_members
from gateway.domain.identity import external_reference
from gateway.domain.legs import leg_document, leg_of
from gateway.domain.records import DocumentRecord, StepRecord, TransactionRecord
from gateway.errors import Problem
from gateway.transactions.links import name_of
from gateway.transactions.ports import DocumentName, WriteUnit


async def body_of(unit: WriteUnit, payload_id: str | None) -> bytes:
    """A stored payload. Raises Problem `not-found`: it was erased, or never there."""
    payload = await unit.payload(payload_id) if payload_id is not None else None
    if payload is None or payload.body is None:
        raise Problem("not-found", "the payload was erased before the document was posted")
    return payload.body


async def stored_document(unit: WriteUnit, record: TransactionRecord) -> CanonicalDocument:
    """The document as it shall stand after a create or change; as it stands before a cancellation or reversal."""
    undoes = record.operation in {"cancel", "reverse"}
    body = await body_of(unit, record.base_payload_id if undoes else record.payload_id)
    return DOMAINS[record.domain].model_validate_json(body)


async def changed_by(unit: WriteUnit, record: TransactionRecord) -> frozenset[str]:
    """The members (wire names) that a change touches; none of anything else. Raises Problem as `body_of`."""
    if record.operation != "change":
        return frozenset()
    base = DOMAINS[record.domain].model_validate_json(await body_of(unit, record.base_payload_id))
    return changed_members(base, await stored_document(unit, record))


async def posting_of(unit: WriteUnit, record: TransactionRecord, step: StepRecord) -> Posting:
    """The step's posting: same document, same reference, the numbers as known there.

    Raises Problem `not-found` if a payload was erased.
    """
    reference = step.external_reference
    if record.legs is not None:
        return await _part(unit, record, step)
    if record.operation == "create" and step.direction == "undo":
        return await _taken_back(unit, record, step)
    if record.operation == "create":
        document = await stored_document(unit, record)
        return Submission(document, reference, await _numbers(unit, document, record.source, step.system_id))
    base = DOMAINS[record.domain].model_validate_json(await body_of(unit, record.base_payload_id))
    kept = await record_of(unit, record)
    number = (await unit.numbers_in([record.document_id], step.system_id))[record.document_id]
    created_as = external_reference(kept.transaction_id or "", 1, "do")
    original = Submission(base, created_as, await _numbers(unit, base, record.source, step.system_id))
    if record.operation == "change":
        document = await stored_document(unit, record)
        numbers = await _numbers(unit, document, record.source, step.system_id)
        return Change(number, original, document, reference, numbers)
    said: Mapping[str, Any] = json.loads(await body_of(unit, record.payload_id))
    if record.operation == "cancel":
        return Cancellation(number, original, reference, said["reason"])
    return Reversal(number, original, reference, date.fromisoformat(record.posting_date or ""), said["reason"])


async def _taken_back(unit: WriteUnit, record: TransactionRecord, step: StepRecord) -> Cancellation:
    """What takes back a customer for whose order there is no use any more."""
    made = next(one for one in await unit.steps(record.transaction_id) if one.direction == "do")
    original = Submission(await stored_document(unit, record), made.external_reference, {})
    return Cancellation(number_of(made), original, step.external_reference, "nothing came of its order")


async def _part(unit: WriteUnit, record: TransactionRecord, step: StepRecord) -> Posting:
    """What a leg posts, or what undoes it: its own part of the document, as an undo its mirror."""
    leg = leg_of(record, step.step)
    part = leg_document(await stored_document(unit, record), leg)
    numbers = await _numbers(unit, part, record.source, step.system_id)
    if record.operation == "create" and step.direction == "do":
        return Submission(part, step.external_reference, numbers)
    if record.operation == "create":
        made_by, of_step, day = record.transaction_id, leg.step, step.posting_date
        reason = "a later part was refused"
    else:
        made_by, day = (await record_of(unit, record)).transaction_id or "", record.posting_date
        of_step = leg.of_step or leg.step
        said: Mapping[str, Any] = json.loads(await body_of(unit, record.payload_id))
        reason = said["reason"]
    made = next(one for one in await unit.steps(made_by) if (one.step, one.direction) == (of_step, "do"))
    original = Submission(part, made.external_reference, numbers)
    return Reversal(number_of(made), original, step.external_reference, date.fromisoformat(day or ""), reason)


def number_of(step: StepRecord) -> ErpNumber:
    """What a posted step is called."""
    return ErpNumber(
        system_id=step.system_id,
        document_type=step.document_type or "",
        document_number=step.document_number or "",
    )


async def record_of(unit: WriteUnit, record: TransactionRecord) -> DocumentRecord:
    """The document that a transaction is about."""
    name = DocumentName(record.domain, document_id=record.document_id)
    return (await unit.documents_named([name]))[name]


async def _numbers(
    unit: WriteUnit, document: CanonicalDocument, source: str, system_id: str
) -> Mapping[str, ErpNumber]:
    """What all that must have a number there is called there, by field."""
    names = {link.field: name_of(link, source) for link in document.links() if link.kind != "relates"}
    found = await unit.documents_named(list(dict.fromkeys(names.values())))
    by_document = await unit.numbers_in(list(dict.fromkeys(target.document_id for target in found.values())), system_id)
    return {
        field: by_document[found[name].document_id]
        for field, name in names.items()
        if name in found and found[name].document_id in by_document
    }
