"""Accepting a document: told apart from every earlier one, routed, and on the way in one commit.

What 'accepted' means to the caller is that all of this is on disk. The unit may be run again by the store, so it
draws nothing random and keeps nothing outside: ids and salt are drawn before, in `Draft`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import Customer, DocumentHead, Invoice, Order, Payment
from gateway.domain.caller import DataScope
from gateway.domain.entries import EntryKind
from gateway.domain.identity import key_commitment, payload_commitment
from gateway.domain.records import (
    DocumentRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    PayloadRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.errors import FieldError, Problem
from gateway.transactions.commands import Create
from gateway.transactions.dispatch import Dispatch, Lease, begin_dispatch
from gateway.transactions.draft import OPERATION, Draft
from gateway.transactions.journal import Journal
from gateway.transactions.links import parents_of
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.repeats import (
    by_idempotency_key,
    by_natural_key,
    natural_key,
    refuse_replacing_nothing,
    remember_key,
    remember_natural_key,
)
from gateway.transactions.route import Held, Routed, Waits, is_master, route


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transaction as it was committed; `dispatch` is what to send now, if anything."""

    record: TransactionRecord
    replayed: bool
    dispatch: Dispatch | None = None


def refuse_out_of_scope(command: Create, parts: LineParts) -> None:
    """Raise Problem `out-of-scope` unless the caller may submit for this unit and geography."""
    scope: DataScope = command.caller.data_scope
    unit, geography = _nodes(command, parts)
    for field, node, allowed in (
        ("businessUnit", unit, scope.business_units),
        ("geography", geography, scope.geographies),
    ):
        if allowed is not None and node not in allowed:
            raise Problem(
                "out-of-scope",
                f"your token does not cover {field} {node}",
                remedy="ask for a token whose data scope covers it",
                errors=(FieldError(field, f"{node} is outside your data scope"),),
            )


def refuse_unknown_company(command: Create, parts: LineParts) -> None:
    """Raise Problem `unknown-node` for a company code that the rulebook does not list."""
    code = command.document.company_code
    known = parts.rules.rulebook.company_codes
    if code is not None and known and code not in known:
        raise Problem(
            "unknown-node",
            f"companyCode {code} is not in the rulebook",
            remedy="use a company code of the rulebook",
            errors=(FieldError("companyCode", f"{code} is not in the rulebook", f"use one of {', '.join(known)}"),),
        )


async def accept(unit: WriteUnit, parts: LineParts, command: Create, draft: Draft) -> Accepted:
    """Accept the document, or find that it was accepted before.

    Raises Problem: missing-idempotency-key, idempotency-key-reused, natural-key-conflict, and whatever routing
    refuses. Nothing is written then.
    """
    earlier = await by_idempotency_key(unit, command, draft)
    if earlier is not None:
        return await _replay(unit, parts, command, earlier)
    key = await natural_key(unit, command)
    refuse_replacing_nothing(command, key)
    if key is not None and key.transaction_id is not None:
        replaced = await by_natural_key(unit, command, draft, key)
        if replaced is None:
            await remember_key(unit, parts, command, draft, key.transaction_id)
            return await _replay(unit, parts, command, key.transaction_id)
    routed = await route(
        unit,
        parts,
        command.document,
        operation=OPERATION,
        source=command.caller.source,
        scope=command.caller.data_scope,
        transaction_id=draft.transaction_id,
    )
    document = await _document(unit, parts, command, draft, routed, key)
    record = _record(parts, command, draft, routed, document)
    await remember_key(unit, parts, command, draft, draft.transaction_id)
    await remember_natural_key(unit, command, draft, key, document)
    await unit.insert_payload(PayloadRecord(draft.payload_id, draft.salt, draft.body))
    return await _begin(unit, parts, command, draft, routed, record)


async def _begin(
    unit: WriteUnit,
    parts: LineParts,
    command: Create,
    draft: Draft,
    routed: Routed,
    record: TransactionRecord,
) -> Accepted:
    """The trace's first entries, the job, and, if it may go at once, the first dispatch."""
    tools = parts.tools
    journal = Journal(tools, record, command.caller.client)
    external_id = command.document.external_id
    journal.begin(
        {
            "domain": record.domain,
            "operation": OPERATION,
            "documentId": record.document_id,
            "keyHash": key_commitment(tools.commitment_key, record.source, record.domain, external_id)
            if external_id
            else None,
            "payloadHash": payload_commitment(draft.salt, draft.body),
            "parentTransactionId": record.parent_transaction_id,
            "replaces": record.replaces,
        }
    )
    outcome = routed.outcome
    now = tools.clock.now()
    if isinstance(outcome, Waits):
        journal.move(Status.WAITING, {"waitsForTransactionId": outcome.transaction_id})
        due = now + int(parts.limits.waiting_recheck_s * SECOND)
        job = JobRecord(draft.transaction_id, "interactive", due, 1, None, 0, outcome.transaction_id)
        return Accepted(await _insert(unit, journal, job), replayed=False)
    if isinstance(outcome, Held):
        journal.move(Status.HELD, {"overlay": outcome.overlay, "row": outcome.rule_row})
        due = now + int(parts.limits.waiting_recheck_s * SECOND)
        return Accepted(
            await _insert(unit, journal, JobRecord(draft.transaction_id, "interactive", due, 1, None, 0)),
            replayed=False,
        )
    lease = Lease.take(parts, outcome.target.system_id, epoch=1)
    job = JobRecord(draft.transaction_id, "interactive", now, 1, tools.process_id, lease.until)
    dispatch = await begin_dispatch(unit, parts, journal, outcome, lease, command.document)
    await _insert(unit, journal, job)
    await unit.insert_step(dispatch.step)
    return Accepted(dispatch.record, replayed=False, dispatch=dispatch)


async def _insert(unit: WriteUnit, journal: Journal, job: JobRecord) -> TransactionRecord:
    await unit.insert_transaction(journal.record)
    await unit.insert_job(job)
    return await journal.flush(unit)


async def _replay(unit: WriteUnit, parts: LineParts, command: Create, transaction_id: str) -> Accepted:
    record = await unit.transaction(transaction_id)
    if record is None:
        raise Problem("not-found", f"transaction {transaction_id} is gone")
    journal = Journal(parts.tools, record, command.caller.client)
    journal.note(EntryKind.REPLAYED)
    await unit.update_transaction(await journal.flush(unit))
    return Accepted(journal.record, replayed=True)


async def _document(
    unit: WriteUnit,
    parts: LineParts,
    command: Create,
    draft: Draft,
    routed: Routed,
    key: NaturalKeyRecord | None,
) -> DocumentRecord:
    """The document in the real world: a new one, or the known one that this transaction creates (again)."""
    parents = parents_of(routed.linked)
    business_unit, geography = _nodes(command, parts)
    document = DocumentRecord(
        document_id=draft.document_id,
        domain=command.document.domain,
        source=command.caller.source,
        external_id=command.document.external_id,
        lineage_id=parents[0].document.lineage_id if parents else draft.lineage_id,
        transaction_id=draft.transaction_id,
        payload_id=draft.payload_id,
        business_unit=business_unit,
        geography=geography,
        created_at=parts.tools.clock.now(),
    )
    if key is not None:
        name = DocumentName(command.document.domain, document_id=key.document_id)
        known = (await unit.documents_named([name])).get(name)
        if known is not None:
            await _refuse_duplicate_master(unit, command, routed, known)
            lineage_id = document.lineage_id if parents else known.lineage_id
            document = replace(document, document_id=known.document_id, lineage_id=lineage_id)
            await unit.update_document(document)
            return document
    if not parents:
        await unit.insert_lineage(LineageRecord(draft.lineage_id, draft.document_id))
    await unit.insert_document(document)
    return document


async def _refuse_duplicate_master(unit: WriteUnit, command: Create, routed: Routed, known: DocumentRecord) -> None:
    """An imported master that is already in the target system must not be created there again."""
    if isinstance(routed.outcome, Waits | Held):
        return
    system_id = routed.outcome.target.system_id
    number = (await unit.numbers_in([known.document_id], system_id)).get(known.document_id)
    if number is not None:
        raise Problem(
            "duplicate-master" if is_master(command.document) else "natural-key-conflict",
            f"it is already in {system_id}, as {number.document_type} {number.document_number}",
            remedy="nothing to do: refer to it by its externalId",
            extra={"documentId": known.document_id},
        )


def _nodes(command: Create, parts: LineParts) -> tuple[str, str]:
    """Business unit and geography; what the document does not have is the tree's root."""
    document = command.document
    rulebook = parts.rules.rulebook
    geography = document.geography if isinstance(document, Customer | DocumentHead) else None
    return document.business_unit or rulebook.business_units.root, geography or rulebook.geographies.root


def _record(
    parts: LineParts, command: Create, draft: Draft, routed: Routed, document: DocumentRecord
) -> TransactionRecord:
    body = command.document
    head = body if isinstance(body, DocumentHead) else None
    parents = parents_of(routed.linked)
    now = parts.tools.clock.now()
    return TransactionRecord(
        transaction_id=draft.transaction_id,
        lineage_id=document.lineage_id,
        document_id=document.document_id,
        domain=body.domain,
        operation=OPERATION,
        status=Status.ACCEPTED,
        client=command.caller.client,
        source=command.caller.source,
        external_id=body.external_id,
        business_unit=document.business_unit,
        geography=document.geography,
        company_code=body.company_code,
        document_type=body.document_type if isinstance(body, Order | Invoice | Payment) else None,
        currency_code=head.currency_code if head else None,
        amount=format(body.amount, "f") if isinstance(body, Order | Invoice | Payment) else None,
        posting_date=head.posting_date.isoformat() if head else None,
        content_hash=draft.content_hash,
        payload_id=draft.payload_id,
        trace_id=draft.trace_id,
        parent_transaction_id=parents[0].document.transaction_id if parents else None,
        replaces=command.replaces,
        accepted_at=now,
        updated_at=now,
    )
