"""Customers that came with an order: what becomes of them with it.

Such a customer is a transaction of its own, posted before the order, which waits for it. Its document says for which
order it was made, until something that has this customer is posted, or somebody asks for the customer by itself: then
it stays. If nothing comes of the order, and nothing else has this customer, it is taken back in its ERP by the outcome
protocol of its own transaction, which ends `compensated`.

That is judged with the customer's row held alone, in the commit in which a transaction comes to rest that makes the
difference, so that whichever comes last sees it. Who refers to such a customer holds its row together with others.
The customer's job and transaction are taken before its document, as whoever posts it takes them.
"""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.domain.exceptions import PARENT_REJECTED
from gateway.domain.lanes import Lane
from gateway.domain.records import DocumentRecord, JobRecord, TransactionRecord
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.transactions.dispatch import step_members
from gateway.transactions.exceptions import close_exception
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.work import ACTOR, Work

CUSTOMERS = "customers"
_UNSENT = frozenset({Status.ACCEPTED, Status.WAITING, Status.HELD})


async def settle_with_customer(work: Work) -> None:
    """To be called when a transaction has come to rest, after it was saved."""
    record = work.record
    if record.operation != "create":
        return
    if record.new_customer_id is not None:
        if record.status is Status.POSTED:
            await _confirm(work.unit, record.new_customer_id)
        elif record.status in FAILED_ENDS:
            await _let_go(work, record.new_customer_id)
    elif record.domain == CUSTOMERS and record.status is Status.POSTED:
        document = await work.unit.document(record.document_id, alone=True)
        if document is not None and await _is_unwanted(work.unit, document, record):
            await _take_back(work.unit, work.parts, work.journal, document)


async def keep_customer(unit: WriteUnit, parts: LineParts, record: TransactionRecord, actor: str) -> TransactionRecord:
    """Somebody asked for this customer by itself: it stays, whatever becomes of the order with which it came.

    `record`: the transaction that made it, locked. One that could not be taken back stands again as posted.
    """
    document = await unit.document(record.document_id, alone=True)
    if document is None or document.made_for is None or document.transaction_id != record.transaction_id:
        return record
    if record.status is Status.COMPENSATING or record.status in FAILED_ENDS:
        return record
    await unit.update_document(replace(document, made_for=None))
    steps = await unit.steps(record.transaction_id)
    if record.status is not Status.IN_DOUBT or not steps or steps[0].state != "posted":
        return record
    if any(one.direction == "undo" and one.state != "rejected" for one in steps):
        return record
    journal = Journal(parts.tools, record, actor)
    made = steps[0]
    erp = {
        "reference": made.external_reference,
        "documentType": made.document_type,
        "documentNumber": made.document_number,
    }
    journal.move(Status.POSTED, {**step_members(made), "erp": erp}, problem=None, retry_after_s=None)
    await close_exception(unit, journal, Status.POSTED.value)
    kept = await journal.flush(unit)
    await unit.update_transaction(kept)
    await unit.wake_jobs_waiting_for(kept.transaction_id, parts.tools.clock.now())
    return kept


async def _confirm(unit: WriteUnit, customer_id: str) -> None:
    name = DocumentName(CUSTOMERS, document_id=customer_id)
    found = (await unit.documents_named([name])).get(name)
    if found is None or found.made_for is None:
        # it stays already: nobody is kept from its row
        return
    document = await unit.document(customer_id, alone=True)
    if document is not None and document.made_for is not None:
        await unit.update_document(replace(document, made_for=None))


async def _let_go(work: Work, customer_id: str) -> None:
    """What had this customer came to nothing."""
    unit, name = work.unit, DocumentName(CUSTOMERS, document_id=customer_id)
    found = (await unit.documents_named([name])).get(name)
    if found is None or found.made_for is None or found.transaction_id is None:
        return
    job, record = await unit.job(found.transaction_id), await unit.transaction(found.transaction_id)
    document = await unit.document(customer_id, alone=True)
    if record is None or document is None or not await _is_unwanted(unit, document, record):
        return
    journal = Journal(work.parts.tools, record, ACTOR)
    if record.status is Status.POSTED:
        await _take_back(unit, work.parts, journal, document)
        work.journal.woken_jobs += 1
    elif job is not None and record.status in _UNSENT and not await unit.steps(record.transaction_id):
        if work.parts.inquires_first(record):
            # its own job inquires it, and calls it off where no ERP holds it
            await unit.update_job(replace(job, due_at=work.now, waiting_for=None))
            work.journal.woken_jobs += 1
        else:
            await _call_off(unit, journal, document)
    # what is on its way is judged when it has come to rest


async def unwanted(work: Work) -> str | None:
    """The order for which the customer in hand was made, if nothing has the customer any more."""
    record = work.record
    if (record.domain, record.operation) != (CUSTOMERS, "create"):
        return None
    document = await work.unit.document(record.document_id, alone=True)
    wanted = document is None or not await _is_unwanted(work.unit, document, record)
    return None if wanted or document is None else document.made_for


async def _is_unwanted(unit: WriteUnit, document: DocumentRecord, record: TransactionRecord) -> bool:
    """Whether this transaction made the customer for an order, and nobody has it. The document's row is held alone."""
    return (
        document.made_for is not None
        and document.transaction_id == record.transaction_id
        and document.busy_with is None
        and await unit.document_of_customer(document.document_id) is None
    )


async def _take_back(unit: WriteUnit, parts: LineParts, journal: Journal, document: DocumentRecord) -> None:
    """Hand the customer to whoever takes its job: it is undone where it was posted."""
    record, now = journal.record, parts.tools.clock.now()
    why = {
        "code": PARENT_REJECTED,
        "detail": f"nothing came of the order with which it was submitted (transaction {document.made_for}), and no "
        "other document has this customer: it is taken back",
        "remedy": "correct the order, and send it again with its newCustomer and with `replaces`",
    }
    journal.move(
        Status.COMPENSATING,
        {"systemId": record.system_id, "madeForTransactionId": document.made_for},
        problem=json.dumps(why, ensure_ascii=False),
        retry_after_s=None,
    )
    await unit.update_transaction(await journal.flush(unit))
    await unit.insert_job(
        JobRecord(
            transaction_id=record.transaction_id,
            lane=Lane.STANDARD.value,
            due_at=now,
            # the time: above all that its earlier jobs had
            epoch=now,
            lease_owner=None,
            lease_until=0,
            system_id=record.system_id or "",
            enqueued_at=now,
        )
    )


async def _call_off(unit: WriteUnit, journal: Journal, document: DocumentRecord) -> None:
    """Nothing of it was sent."""
    members = {"madeForTransactionId": document.made_for}
    journal.move(Status.CANCELLED, members, problem=None, retry_after_s=None)
    await close_exception(unit, journal, Status.CANCELLED.value)
    await unit.update_transaction(await journal.flush(unit))
    await unit.delete_job(journal.record.transaction_id)
