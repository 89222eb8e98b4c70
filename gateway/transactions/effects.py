"""What the end of a transaction means for its document: its numbers, what it says, how it stands, who may go next.

The document's row is taken before the lineage's (event numbers), as everywhere: who follows a document holds it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.canonical import ErpNumber
from gateway.domain.entries import EntryKind
from gateway.domain.legs import legs_of
from gateway.domain.records import CrossReferenceRecord, StepRecord
from gateway.transactions.posting import number_of
from gateway.transactions.work import Work


async def take_effect(work: Work, number: ErpNumber) -> None:
    """The transaction is posted under this number."""
    record = work.record
    match record.operation:
        case "create":
            await _link(work, number)
        case "change":
            await _alter(
                work,
                payload_id=record.payload_id,
                company_code=record.company_code,
                document_type=record.document_type,
                currency_code=record.currency_code,
                amount=record.amount,
                posting_date=record.posting_date,
            )
        case "cancel":
            await _alter(work, state="cancelled")
        case "reverse":
            await _alter(work, state="reversed")
            await _link(work, number, mirror=True)


async def take_effect_in_parts(work: Work, steps: Sequence[StepRecord]) -> None:
    """All steps of the transaction are posted. A part that is no document of the transaction's own domain names the
    document, and is never what it is called."""
    record = work.record
    mirrors = record.operation == "reverse"
    if mirrors:
        await _alter(work, state="reversed")
    domains = {leg.step: leg.domain for leg in legs_of(record)}
    for step in sorted(steps, key=lambda one: one.step):
        own = domains[step.step] == record.domain and not mirrors
        await _link(work, number_of(step), mirror=not own)


async def forget_parts(work: Work, steps: Sequence[StepRecord]) -> None:
    """All that was posted is undone: the numbers find the document, and were never what it is called."""
    done = [one for one in steps if one.document_number is not None]
    # in the order in which they were posted, as the ledger has them
    for step in sorted(done, key=lambda one: (one.direction, one.step if one.direction == "do" else -one.step)):
        await _link(work, number_of(step), mirror=True)


async def forget_number(work: Work, system_id: str) -> None:
    """What was posted is taken back where it stands: its number names it no more."""
    record = work.record
    work.journal.act(EntryKind.UNLINKED, {"documentId": record.document_id, "systemId": system_id})
    await work.unit.end_numbers(record.document_id, system_id, work.now)


async def release(work: Work) -> None:
    """The transaction ended and left the document as it was: something else may be done to it now."""
    if work.record.operation != "create":
        await _alter(work, new_version=False)


async def _alter(work: Work, *, new_version: bool = True, **changes: Any) -> None:
    document = await work.unit.document(work.record.document_id, alone=True)
    if document is not None:
        version = document.version + (1 if new_version else 0)
        await work.unit.update_document(replace(document, busy_with=None, version=version, **changes))


async def _link(work: Work, number: ErpNumber, *, mirror: bool = False) -> None:
    """Record the number. A mirror's names the document too, but was never what the document is called: it is valid for
    no time, so that follow-ups go by the original's."""
    record, now = work.record, work.now
    members = {"documentId": record.document_id, "systemId": number.system_id, "mirror": mirror or None}
    work.journal.act(EntryKind.LINKED, {name: value for name, value in members.items() if value is not None})
    await work.unit.insert_cross_reference(
        CrossReferenceRecord(
            document_id=record.document_id,
            system_id=number.system_id,
            document_type=number.document_type,
            document_number=number.document_number,
            valid_from=now,
            valid_until=now if mirror else None,
        )
    )
