"""A new document between the look and the write: everything that may refuse it, then everything that is written of it.

Nothing is written before all that is accepted in one commit was judged, so that what is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.domain.head import head_of
from gateway.domain.identity import key_commitment, payload_commitment, person_or_none
from gateway.domain.records import (
    DocumentRecord,
    LineageRecord,
    NaturalKeyRecord,
    PayloadRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.transactions.agreement import refuse_over_credit, refuse_strangers
from gateway.transactions.already_there import refuse_already_there
from gateway.transactions.begin import Accepted, begin
from gateway.transactions.commands import Create
from gateway.transactions.draft import OPERATION, Draft
from gateway.transactions.exceptions import close_by_move, close_replaced
from gateway.transactions.journal import Journal
from gateway.transactions.links import Coming, customer_followed, customer_of, new_customer_of, relations_of
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.repeats import remember_key, remember_natural_key
from gateway.transactions.route import Routed, is_master, route
from gateway.transactions.scope import nodes_of
from gateway.transactions.standing import refuse_closed


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be accepted: where it goes, and its rows. `key`: what is known under its natural key.

    `is_known`: the document has a row already. `members`: further wire members of its `accepted` entry.
    """

    command: Create
    draft: Draft
    key: NaturalKeyRecord | None
    routed: Routed
    document: DocumentRecord
    is_known: bool
    record: TransactionRecord
    members: Mapping[str, Any] = field(default_factory=dict)


async def prepare(
    unit: WriteUnit,
    parts: LineParts,
    command: Create,
    draft: Draft,
    key: NaturalKeyRecord | None,
    coming: Coming | None = None,
) -> Prepared:
    """Judge a document that was not accepted before. `coming`: the customer that is accepted with it.

    Raises Problem: duplicate-master, natural-key-conflict, and whatever routing and what it refers to refuse. Writes
    nothing.
    """
    routed = await route(
        unit,
        parts,
        command.document,
        source=command.caller.source,
        scope=command.caller.data_scope,
        transaction_id=draft.transaction_id,
        coming=coming,
    )
    await refuse_closed(unit, command.document, routed.linked)
    refuse_strangers(command.document, routed.linked)
    await refuse_over_credit(unit, command.document, routed.linked)
    document, is_known = await _document(unit, parts, command, draft, routed, key)
    record = _record(parts, command, draft, routed, document)
    return Prepared(command, draft, key, routed, document, is_known, record)


async def write(unit: WriteUnit, parts: LineParts, prepared: Prepared) -> Accepted:
    """Write it: document, keys, payload, and the beginning of its trace."""
    command, draft, document = prepared.command, prepared.draft, prepared.document
    if prepared.is_known:
        await unit.update_document(document)
        await unit.delete_relations(document.document_id)
    else:
        if not prepared.routed.parents:
            await unit.insert_lineage(LineageRecord(draft.lineage_id, draft.document_id))
        await unit.insert_document(document)
    await unit.insert_relations(relations_of(document.document_id, prepared.routed.related))
    await remember_key(unit, parts, command, draft, draft.transaction_id)
    await remember_natural_key(unit, command, draft, prepared.key, document)
    await unit.insert_payload(PayloadRecord(draft.payload_id, draft.salt, draft.body))
    return await _begin(unit, parts, prepared)


async def _begin(unit: WriteUnit, parts: LineParts, prepared: Prepared) -> Accepted:
    """The trace begins."""
    command, draft, record = prepared.command, prepared.draft, prepared.record
    tools = parts.tools
    sent_by, client = command.sent_by, command.caller.client
    if sent_by is not None:
        await close_by_move(unit, parts, sent_by, record.transaction_id, client)
    elif record.replaces is not None:
        await close_replaced(unit, parts, record.replaces, record.transaction_id, client)
    journal = Journal(tools, record, client)
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
            "person": person_or_none(tools.commitment_key, command.caller.person),
            "parentTransactionId": record.parent_transaction_id,
            "replaces": record.replaces,
            **prepared.members,
        }
    )
    return await begin(unit, parts, journal, prepared.routed, command.queueing, command.document)


async def _document(
    unit: WriteUnit,
    parts: LineParts,
    command: Create,
    draft: Draft,
    routed: Routed,
    key: NaturalKeyRecord | None,
) -> tuple[DocumentRecord, bool]:
    """The document in the real world: a new one, or the known one that this transaction creates (again)."""
    parents = routed.parents
    business_unit, geography = nodes_of(command.document, parts.rules.rulebook)
    head = head_of(command.document)
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
        company_code=head.company_code,
        document_type=head.document_type,
        currency_code=head.currency_code,
        amount=head.amount,
        posting_date=head.posting_date,
        customer_id=customer_of(routed.linked),
    )
    if key is None:
        return document, False
    name = DocumentName(command.document.domain, document_id=key.document_id)
    known = (await unit.documents_named([name])).get(name)
    if known is None:
        return document, False
    await refuse_already_there(unit, known.document_id, routed.outcome, master=is_master(command.document))
    lineage_id = document.lineage_id if parents else known.lineage_id
    version = known.version + 1
    return replace(document, document_id=known.document_id, lineage_id=lineage_id, version=version), True


def _record(
    parts: LineParts, command: Create, draft: Draft, routed: Routed, document: DocumentRecord
) -> TransactionRecord:
    body = command.document
    parents = routed.parents
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
        company_code=document.company_code,
        document_type=document.document_type,
        currency_code=document.currency_code,
        amount=document.amount,
        posting_date=document.posting_date,
        content_hash=draft.content_hash,
        payload_id=draft.payload_id,
        trace_id=draft.trace_id,
        parent_transaction_id=parents[0].document.transaction_id if parents else None,
        replaces=command.replaces,
        accepted_at=now,
        updated_at=now,
        new_customer_id=new_customer_of(routed.linked),
        customer_id=document.customer_id or customer_followed(routed.parents),
    )
