"""Accepting a change, cancellation or reversal: a transaction of its own on a document that stands.

The document's row is held from the first look to the commit, so that whether it may be done is judged on what will be
committed, and one thing at a time is done to a document.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import DOMAINS, CanonicalDocument
from gateway.domain.amendment import amend
from gateway.domain.head import Head, head_of
from gateway.domain.identity import payload_commitment, person_or_none
from gateway.domain.plan import CALLED_OFF, SERVED
from gateway.domain.records import DocumentRecord, PayloadRecord, TransactionRecord
from gateway.domain.refusals import CallOff
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.agreement import refuse_below_billed
from gateway.transactions.asking_first import ask_first
from gateway.transactions.begin import Accepted, begin
from gateway.transactions.commands import Cancel, Change, Reverse
from gateway.transactions.draft import OperationDraft
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.repeats import by_operation_key, remember_operation_key, replay
from gateway.transactions.route import route_operation
from gateway.transactions.rules import refuse_outdated
from gateway.transactions.scope import is_visible, refuse_out_of_scope
from gateway.transactions.settle import cancel
from gateway.transactions.standing import refuse_busy, refuse_follow_ups, refuse_stale, refuse_undone
from gateway.transactions.work import Work

Operation = Change | Cancel | Reverse

NOT_SENT = frozenset({Status.ACCEPTED, Status.WAITING, Status.HELD})
"""A creation that stands so can be called off without asking any ERP."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be done. `document`: as it shall stand after a change, as it stands before anything else; `body`: what
    is kept of the request; `changed`: the members (wire names) that differ."""

    document: CanonicalDocument
    body: bytes
    head: Head
    changed: frozenset[str] = frozenset()


def refuse_unservable(command: Operation, draft: OperationDraft) -> None:
    """Raise Problem for what no document of the domain can ever be asked: `operation-not-served`,
    `missing-idempotency-key`."""
    if command.domain not in (CALLED_OFF if isinstance(command, Cancel) else SERVED[draft.operation]):
        raise Problem(
            "operation-not-served",
            f"{command.domain} cannot be asked to {draft.operation}",
            remedy="orders and contracts are cancelled; invoices, payments and journal entries are reversed once they "
            "are posted, and cancelled before; customers, products, orders and contracts are changed",
            extra={"operation": draft.operation},
        )
    if command.idempotency_key is None:
        raise Problem(
            "missing-idempotency-key",
            f"a {draft.operation} needs an Idempotency-Key, or a repeat would do it twice",
            remedy="send the header Idempotency-Key or the member idempotencyKey",
        )


async def operate(unit: WriteUnit, parts: LineParts, command: Operation, draft: OperationDraft) -> Accepted:
    """Accept what is asked, or find that it was accepted before.

    Raises RulesOutdated; and Problem: not-found, idempotency-key-reused, stale, document-closed, document-busy,
    operation-not-served, has-follow-ups, invalid-document, totals-disagree, out-of-scope, and whatever routing refuses.
    Nothing is written then.
    """
    await refuse_outdated(unit, parts.rules)
    document = await unit.document(command.document_id, alone=True)
    if document is None or document.domain != command.domain or not is_visible(document, command.caller.data_scope):
        raise Problem("not-found", f"there is no document {command.document_id} of {command.domain} here")
    earlier = await by_operation_key(unit, command, draft)
    if earlier is not None:
        return await replay(unit, parts, command.caller.client, earlier)
    created_by = await _created_by(unit, document)
    refuse_undone(document, created_by)
    refuse_stale(document, command.if_match)
    if isinstance(command, Cancel) and created_by is not None and created_by.status in NOT_SENT:
        called_off = await _call_off(unit, parts, command, draft, document, created_by.transaction_id)
        if called_off is not None:
            return called_off
    await refuse_busy(unit, document, created_by)
    if isinstance(command, Cancel):
        _refuse_posted(command)
    if not isinstance(command, Change):
        await refuse_follow_ups(unit, document)
    intent = await _intent(unit, parts, command, draft, document)
    customer_id = document.customer_id or (created_by.customer_id if created_by is not None else None)
    record = _record(parts, command, draft, document, intent.head, customer_id)
    await unit.insert_payload(PayloadRecord(draft.payload_id, draft.salt, intent.body))
    await remember_operation_key(unit, parts, command, draft, draft.transaction_id)
    routed = await route_operation(
        unit, parts, intent.document, record, scope=command.caller.data_scope, changed=intent.changed
    )
    # who has a customer changed wants it, whatever becomes of the order with which it came
    await unit.update_document(replace(document, busy_with=record.transaction_id, made_for=None))
    journal = Journal(parts.tools, record, command.caller.client)
    journal.begin(
        {
            "domain": record.domain,
            "operation": record.operation,
            "documentId": record.document_id,
            "documentVersion": document.version,
            "payloadHash": payload_commitment(draft.salt, intent.body),
            "person": person_or_none(parts.tools.commitment_key, command.caller.person),
        }
    )
    return await begin(unit, parts, journal, routed, command.queueing)


def _refuse_posted(command: Cancel) -> None:
    """Raise Problem `operation-not-served` for what is in a ledger: that is reversed."""
    if command.domain not in SERVED["cancel"]:
        raise Problem(
            "operation-not-served",
            f"what is posted of {command.domain} is not cancelled but reversed",
            remedy="reverse the document",
            extra={"operation": "cancel"},
        )


async def _created_by(unit: WriteUnit, document: DocumentRecord) -> TransactionRecord | None:
    """The transaction that created it, as it stands at this look."""
    if document.transaction_id is None:
        return None
    return (await unit.transactions([document.transaction_id])).get(document.transaction_id)


async def _call_off(
    unit: WriteUnit,
    parts: LineParts,
    command: Cancel,
    draft: OperationDraft,
    document: DocumentRecord,
    creation: str,
) -> Accepted | None:
    """Cancel a creation of which nothing was sent; None if something was, or may be by now.

    There is no transaction of the cancellation then: the creation ends as `cancelled`, and that is the answer, also to
    repeats with the same key. What was accepted before the record was restored is inquired first, and the caller told
    `in-flight`. Raises Problem `has-follow-ups`.
    """
    # job before transaction, as whoever carries it on takes them
    job, created_by = await unit.job(creation), await unit.transaction(creation)
    if job is None or created_by is None or created_by.status not in NOT_SENT or await unit.steps(creation):
        return None
    # what waits for it may be another caller's, who would find it refused without having asked for anything
    await refuse_follow_ups(unit, document)
    journal = Journal(parts.tools, created_by, command.caller.client)
    work = Work(unit, parts, journal, job)
    members: dict[str, object] = {}
    if command.reason:
        await unit.insert_payload(PayloadRecord(draft.payload_id, draft.salt, draft.asked))
        members = {"payloadId": draft.payload_id, "payloadHash": payload_commitment(draft.salt, draft.asked)}
    asked = await ask_first(work, CallOff(command.caller.client, {}).keep(), members)
    if asked is not None:
        return Accepted(asked, replayed=False, refused=_inquired_first(parts, asked.system_id or work.job.system_id))
    await remember_operation_key(unit, parts, command, draft, creation)
    await unit.update_document(replace(document, state="cancelled", version=document.version + 1))
    ended = await cancel(work, members)
    return Accepted(ended, replayed=False, woken_jobs=journal.woken_jobs)


def _inquired_first(parts: LineParts, system_id: str) -> Problem:
    policy = parts.systems[system_id].policy
    return Problem(
        "in-flight",
        f"it was accepted before the record was restored, so {system_id} may hold it: it is being inquired",
        remedy="read the document after `retryAfterS` seconds: it is called off if the ERP does not hold it; send the "
        "same request again if it does",
        retry_after_s=int(policy.longest_execution_s + 2 * policy.inquiry_delay_s) + 1,
    )


async def _intent(
    unit: WriteUnit, parts: LineParts, command: Operation, draft: OperationDraft, document: DocumentRecord
) -> Intent:
    payload = await unit.payload(document.payload_id) if document.payload_id is not None else None
    if payload is None or payload.body is None:
        raise Problem(
            "operation-not-served",
            "the gateway does not hold what the document says: it was imported by its number, or erased",
            remedy="have it done in the ERP itself",
            extra={"operation": draft.operation},
        )
    if isinstance(command, Change):
        amendment = amend(document.domain, payload.body, command.patch)
        await refuse_below_billed(unit, document, amendment.document)
        intent = Intent(amendment.document, amendment.body, head_of(amendment.document), amendment.changed)
    else:
        stands = DOMAINS[document.domain].model_validate_json(payload.body)
        intent = Intent(stands, draft.asked, _head(document, command))
    refuse_out_of_scope(intent.document, command.caller.data_scope, parts.rules.rulebook)
    return intent


def _head(document: DocumentRecord, command: Cancel | Reverse) -> Head:
    """Of the document; a mirror may have a posting date of its own."""
    posting_date = document.posting_date
    if isinstance(command, Reverse) and command.posting_date is not None:
        posting_date = command.posting_date.isoformat()
    return Head(document.company_code, document.document_type, document.currency_code, document.amount, posting_date)


def _record(
    parts: LineParts,
    command: Operation,
    draft: OperationDraft,
    document: DocumentRecord,
    head: Head,
    customer_id: str | None,
) -> TransactionRecord:
    now = parts.tools.clock.now()
    return TransactionRecord(
        transaction_id=draft.transaction_id,
        lineage_id=document.lineage_id,
        document_id=document.document_id,
        domain=document.domain,
        operation=draft.operation,
        status=Status.ACCEPTED,
        client=command.caller.client,
        # references without a source in the document are its creator's, whoever changes it
        source=document.source,
        external_id=document.external_id,
        business_unit=document.business_unit,
        geography=document.geography,
        company_code=head.company_code,
        document_type=head.document_type,
        currency_code=head.currency_code,
        amount=head.amount,
        posting_date=head.posting_date,
        content_hash=draft.content_hash,
        payload_id=draft.payload_id,
        trace_id=draft.trace_id,
        parent_transaction_id=None,
        replaces=None,
        accepted_at=now,
        updated_at=now,
        base_payload_id=document.payload_id,
        customer_id=customer_id,
    )
