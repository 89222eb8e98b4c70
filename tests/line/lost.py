"""A gateway that went on after the back-up and was lost, and the record that was restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from adapters.port import Posting, Reversal, Submission
from gateway.domain.identity import external_reference
from gateway.transactions.posting import posting_of, stored_document
from tests.line.book_erp import BookErp
from tests.line.rig import Rig


async def restored(rig: Rig) -> Rig:
    """A process on another machine, on the restored record."""
    limits = replace(rig.parts.limits, inquired_first_until=rig.clock.now())
    rig.parts = replace(rig.parts, limits=limits)
    return await rig.another_process("prc_2")


async def posted_by_the_lost_one(rig: Rig, transaction_id: str) -> None:
    """In the legacy ERP stands what the step in hand posts."""

    async def read(unit: Any) -> Posting:
        return await posting_of(unit, await unit.transaction(transaction_id), (await unit.steps(transaction_id))[-1])

    rig.legacy.post(await rig.store.write(read))


async def begun_by_the_lost_one(rig: Rig, transaction_id: str, erp: BookErp | None = None) -> None:
    """In an ERP stands what this record never sent: its first step, under the reference that it has for ever.
    `erp`: the legacy one, unless it is said."""
    there = erp or rig.legacy
    record = await rig.record(transaction_id)
    reference = external_reference(transaction_id, 1, "do")

    async def read(unit: Any) -> Posting:
        document = await stored_document(unit, record)
        customer = await unit.natural_key("salesforce", "customers", "VINET")
        number = (await unit.numbers_in([customer.document_id], there.system_id))[customer.document_id]
        submission = Submission(document, reference, {"customer": number})
        if record.operation == "create":
            return submission
        original = (await unit.numbers_in([record.document_id], there.system_id))[record.document_id]
        return Reversal(original, submission, reference, date.fromisoformat(record.posting_date or ""), "")

    there.post(await rig.store.write(read))
