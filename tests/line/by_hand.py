"""Undos that an ERP refuses, and what people then do in it themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters.port import FoundDocument
from gateway.domain.transaction import Status
from gateway.ledger.state.audit import audit_state
from tests.line.book_erp import BookErp
from tests.line.dead_ends import the_one
from tests.line.rig import Rig
from tests.line.split import charge


def in_two_currencies() -> dict[str, Any]:
    """A charge with four legs: in the cloud, the legacy, the cloud and the legacy ERP."""
    body = charge()
    for line in list(body["lines"]):
        body["lines"].append(line | {"lineNumber": line["lineNumber"] + 10, "currencyCode": "EUR"})
    return body


async def stuck(rig: Rig, body: dict[str, Any] | None = None, *, cloud: int = 1, legacy: int = 0) -> str:
    """A charge of which the last leg, in the legacy ERP, is refused, and then the undo of the newest one, in the cloud.
    `cloud`, `legacy`: how many were posted there."""
    rig.legacy.script = ["post"] * legacy + ["reject"]
    rig.cloud.script = ["post"] * cloud + ["reject"]
    answer = await rig.send(body or charge(), "journal_entries")
    await rig.settle()
    record = await rig.record(answer.transaction.transaction_id)
    assert (record.status, (await the_one(rig)).reason_code) == (Status.IN_DOUBT, "undo-refused")
    return record.transaction_id


def reverse(erp: BookErp, original: FoundDocument, *, linked: bool = True, **changes: Any) -> FoundDocument:
    """Somebody reverses the document in the ERP itself, without a reference of the gateway's. `linked`: the ERP shows
    the one as the reversal of the other."""
    number = original.number.model_copy(update={"document_number": f"H{len(erp.book):05d}"})
    mirror = replace(original, number=number, external_reference="", **changes)
    erp.book.append(mirror)
    erp.contents[number.document_number] = erp.contents[original.number.document_number]
    if linked:
        show(erp, original, reversed_by=number.document_number)
    return mirror


def show(erp: BookErp, document: FoundDocument, **changes: Any) -> None:
    """Let the ERP say something else of a document."""
    at = erp.book.index(erp.entry(document.number))
    erp.book[at] = replace(erp.book[at], **changes)


async def audited(rig: Rig) -> list[str]:
    """What an audit of the state finds."""
    return [str(one) for one in await audit_state(rig.store.reads, rig.parts.tools.commitment_key)]
