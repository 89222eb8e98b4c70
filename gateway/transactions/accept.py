"""Accepting a document: told apart from every earlier one, routed, and on the way in one commit.

What 'accepted' means to the caller is that all of this is on disk. The unit may be run again by the store, so it
draws nothing random and keeps nothing outside: ids and salt are drawn before, in `Draft`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import DOMAINS, Customer, DocumentHead, Invoice, Order, Payment
from gateway.domain.caller import DataScope
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash, key_commitment, payload_commitment
from gateway.domain.records import (
    DocumentRecord,
    IdempotencyKeyRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    PayloadRecord,
    TransactionRecord,
)
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.errors import FieldError, Problem
from gateway.transactions.commands import Create
from gateway.transactions.dispatch import Dispatch, Lease, begin_dispatch
from gateway.transactions.journal import Journal
from gateway.transactions.links import parents_of
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.route import Held, Routed, Waits, is_master, route

OPERATION = "create"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is made before the unit runs: ids, salt, the canonical body and its hash."""

    transaction_id: str
    document_id: str
    lineage_id: str
    payload_id: str
    salt: bytes
    body: bytes
    content_hash: str
    trace_id: str

    @classmethod
    def of(cls, command: Create, parts: LineParts) -> Draft:
        """Draw the ids for this command."""
        tools = parts.tools
        body = command.document.model_dump_json(exclude_none=True).encode()
        trace_id = command.traceparent[3:35] if len(command.traceparent) >= 35 else tools.randomness.salt().hex()
        return cls(
            transaction_id=tools.ids.new("txn"),
            document_id=tools.ids.new("doc"),
            lineage_id=tools.ids.new("lin"),
            payload_id=tools.ids.new("pay"),
            salt=tools.randomness.salt(),
            body=body,
            content_hash=content_hash(body),
            trace_id=trace_id,
        )


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


async def accept(unit: WriteUnit, parts: LineParts, command: Create, draft: Draft) -> Accepted:
    """Accept the document, or find that it was accepted before.

    Raises Problem: missing-idempotency-key, idempotency-key-reused, natural-key-conflict, and whatever routing
    refuses. Nothing is written then.
    """
    earlier = await _by_idempotency_key(unit, command, draft)
    if earlier is not None:
        return await _replay(unit, parts, command, earlier)
    key = await _natural_key(unit, command)
    if key is not None and key.transaction_id is not None:
        replaced = await _by_natural_key(unit, command, draft, key)
        if replaced is None:
            await _remember_key(unit, parts, command, draft, key.transaction_id)
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
    await _remember_key(unit, parts, command, draft, draft.transaction_id)
    await _remember_natural_key(unit, command, draft, key, document)
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
            "document": record.document_id,
            "keyHash": key_commitment(tools.commitment_key, record.source, record.domain, external_id)
            if external_id
            else None,
            "payloadHash": payload_commitment(draft.salt, draft.body),
            "parent": record.parent_transaction_id,
            "replaces": record.replaces,
        }
    )
    outcome = routed.outcome
    now = tools.clock.now()
    if isinstance(outcome, Waits):
        journal.move(Status.WAITING, {"waitsFor": outcome.transaction_id})
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


async def _by_idempotency_key(unit: WriteUnit, command: Create, draft: Draft) -> str | None:
    if command.idempotency_key is None:
        if command.document.external_id is None:
            raise Problem(
                "missing-idempotency-key",
                "a document without externalId needs an Idempotency-Key, or a repeat would post it twice",
                remedy="send the header Idempotency-Key, the member idempotencyKey, or an externalId",
            )
        return None
    known = await unit.idempotency_key(
        command.caller.client, OPERATION, command.document.domain, command.idempotency_key
    )
    if known is None:
        return None
    if known.content_hash != draft.content_hash and not await _same_content(unit, command, known.transaction_id):
        raise Problem(
            "idempotency-key-reused",
            "this Idempotency-Key was used for another document",
            remedy="use a new key for a new document; repeat a request with the same body only",
            extra={"transactionId": known.transaction_id},
        )
    return known.transaction_id


async def _natural_key(unit: WriteUnit, command: Create) -> NaturalKeyRecord | None:
    external_id = command.document.external_id
    if external_id is None:
        return None
    return await unit.natural_key(command.caller.source, command.document.domain, external_id)


async def _by_natural_key(
    unit: WriteUnit, command: Create, draft: Draft, key: NaturalKeyRecord
) -> TransactionRecord | None:
    """None: it is the same document, answer the earlier transaction. A record: the one that this one replaces."""
    transaction_id = key.transaction_id or ""
    if command.replaces is not None and command.replaces == transaction_id:
        replaced = await unit.transaction(transaction_id)
        if replaced is not None and replaced.status in FAILED_ENDS:
            return replaced
        raise Problem(
            "natural-key-conflict",
            f"transaction {transaction_id} is {replaced.status if replaced else 'gone'} and cannot be replaced",
            remedy="only a rejected or cancelled transaction can be replaced",
            extra={"transactionId": transaction_id},
        )
    if command.replaces is None and (
        key.content_hash == draft.content_hash or await _same_content(unit, command, transaction_id)
    ):
        return None
    raise Problem(
        "natural-key-conflict",
        f"{key.domain} {key.external_id} of {key.source} was accepted with other content",
        remedy="send the same content again, or correct a rejected transaction with `replaces` set to its id",
        errors=(FieldError("externalId", "names a document that was accepted with other content"),),
        extra={"transactionId": transaction_id},
    )


async def _same_content(unit: WriteUnit, command: Create, transaction_id: str) -> bool:
    """Whether the stored document *means* the same: "10.0" and "10.00" do, and so do defaults left out."""
    stored = (await unit.transactions([transaction_id])).get(transaction_id)
    payload = await unit.payload(stored.payload_id) if stored else None
    if stored is None or payload is None or payload.body is None or stored.domain != command.document.domain:
        return False
    return DOMAINS[stored.domain].model_validate_json(payload.body) == command.document


async def _replay(unit: WriteUnit, parts: LineParts, command: Create, transaction_id: str) -> Accepted:
    record = await unit.transaction(transaction_id)
    if record is None:
        raise Problem("not-found", f"transaction {transaction_id} is gone")
    journal = Journal(parts.tools, record, command.caller.client)
    journal.note(EntryKind.REPLAYED)
    await unit.update_transaction(await journal.flush(unit))
    return Accepted(journal.record, replayed=True)


async def _remember_key(unit: WriteUnit, parts: LineParts, command: Create, draft: Draft, transaction_id: str) -> None:
    if command.idempotency_key is None:
        return
    await unit.insert_idempotency_key(
        IdempotencyKeyRecord(
            client=command.caller.client,
            operation=OPERATION,
            resource=command.document.domain,
            idempotency_key=command.idempotency_key,
            content_hash=draft.content_hash,
            transaction_id=transaction_id,
            created_at=parts.tools.clock.now(),
        )
    )


async def _remember_natural_key(
    unit: WriteUnit, command: Create, draft: Draft, key: NaturalKeyRecord | None, document: DocumentRecord
) -> None:
    external_id = command.document.external_id
    if external_id is None:
        return
    record = NaturalKeyRecord(
        source=command.caller.source,
        domain=command.document.domain,
        external_id=external_id,
        document_id=document.document_id,
        transaction_id=draft.transaction_id,
        content_hash=draft.content_hash,
    )
    await (unit.insert_natural_key(record) if key is None else unit.rebind_natural_key(record))


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
