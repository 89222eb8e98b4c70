"""What the end of a transaction means for its document: its numbers, what it says, how it stands, who may go next.

The document's row is taken before the lineage's (event numbers), as everywhere: who follows a document holds it first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters.canonical import ErpNumber
from gateway.domain.entries import EntryKind
from gateway.domain.records import CrossReferenceRecord
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
