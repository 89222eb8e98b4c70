"""Telling a repeat from something new: idempotency keys and natural keys.

A natural key (source, domain, external id) names one document in the real world for ever; an Idempotency-Key names
one request of one client. A timeout is never stored as the final answer for either.
"""

from __future__ import annotations

from adapters.canonical import DOMAINS
from gateway.domain.entries import EntryKind
from gateway.domain.records import DocumentRecord, IdempotencyKeyRecord, NaturalKeyRecord, TransactionRecord
from gateway.domain.transaction import FAILED_ENDS
from gateway.errors import FieldError, Problem
from gateway.transactions.begin import Accepted
from gateway.transactions.commands import Cancel, Change, Create, Reverse
from gateway.transactions.draft import OPERATION, Draft, OperationDraft
from gateway.transactions.journal import Journal
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.scope import is_visible


async def by_idempotency_key(unit: WriteUnit, command: Create, draft: Draft) -> str | None:
    """The transaction that this key was used for with the same content, None if it is new.

    Raises Problem `missing-idempotency-key`, `idempotency-key-reused`.
    """
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


async def natural_key(unit: WriteUnit, command: Create) -> NaturalKeyRecord | None:
    """What is known under the document's natural key."""
    external_id = command.document.external_id
    if external_id is None:
        return None
    return await unit.natural_key(command.caller.source, command.document.domain, external_id)


def refuse_replacing_nothing(command: Create, key: NaturalKeyRecord | None) -> None:
    """Raise Problem `unknown-reference` for `replaces` on a document that was never submitted under this name."""
    if command.replaces is None or (key is not None and key.transaction_id is not None):
        return
    raise Problem(
        "unknown-reference",
        "replaces names a transaction, but no document was submitted under this externalId",
        remedy="leave replaces out, or send the externalId of the document that is corrected",
        errors=(
            FieldError(
                "replaces", "corrects nothing that is known under this externalId", "leave it out or correct it"
            ),
        ),
    )


async def by_natural_key(
    unit: WriteUnit, command: Create, draft: Draft, key: NaturalKeyRecord
) -> TransactionRecord | None:
    """None: it is the same document, answer the earlier transaction. A record: the one that this one replaces."""
    transaction_id = key.transaction_id or ""
    if command.replaces is not None and command.replaces != transaction_id:
        # the correction itself sent again: its first request was accepted, and its answer may have been lost
        corrected = (await unit.transactions([transaction_id])).get(transaction_id)
        if (
            corrected is not None
            and corrected.replaces == command.replaces
            and (key.content_hash == draft.content_hash or await _same_content(unit, command, transaction_id))
        ):
            return None
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
    accepted = (await unit.transactions([transaction_id])).get(transaction_id)
    shown = accepted is not None and is_visible(accepted, command.caller.data_scope)
    raise Problem(
        "natural-key-conflict",
        f"{key.domain} {key.external_id} of {key.source} was accepted with other content",
        remedy="send the same content again, or correct a rejected transaction with `replaces` set to its id",
        errors=(FieldError("externalId", "names a document that was accepted with other content"),),
        extra={"transactionId": transaction_id} if shown else None,
    )


async def _same_content(unit: WriteUnit, command: Create, transaction_id: str) -> bool:
    """Whether the stored document *means* the same: "10.0" and "10.00" do, and so do defaults left out."""
    stored = (await unit.transactions([transaction_id])).get(transaction_id)
    payload = await unit.payload(stored.payload_id) if stored else None
    if stored is None or payload is None or payload.body is None or stored.domain != command.document.domain:
        return False
    return DOMAINS[stored.domain].model_validate_json(payload.body) == command.document


async def remember_key(unit: WriteUnit, parts: LineParts, command: Create, draft: Draft, transaction_id: str) -> None:
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


async def remember_natural_key(
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


async def by_operation_key(unit: WriteUnit, command: Change | Cancel | Reverse, draft: OperationDraft) -> str | None:
    """The transaction for which this key was used with the same content, None if it is new.

    Raises Problem `idempotency-key-reused`.
    """
    known = await unit.idempotency_key(
        command.caller.client, draft.operation, command.document_id, command.idempotency_key or ""
    )
    if known is None:
        return None
    if known.content_hash != draft.content_hash:
        raise Problem(
            "idempotency-key-reused",
            f"this Idempotency-Key was used for another {draft.operation} of the document",
            remedy="use a new key for a new request; repeat a request with the same body only",
            extra={"transactionId": known.transaction_id},
        )
    return known.transaction_id


async def remember_operation_key(
    unit: WriteUnit, parts: LineParts, command: Change | Cancel | Reverse, draft: OperationDraft, transaction_id: str
) -> None:
    await unit.insert_idempotency_key(
        IdempotencyKeyRecord(
            client=command.caller.client,
            operation=draft.operation,
            resource=command.document_id,
            idempotency_key=command.idempotency_key or "",
            content_hash=draft.content_hash,
            transaction_id=transaction_id,
            created_at=parts.tools.clock.now(),
        )
    )


async def replay(unit: WriteUnit, parts: LineParts, client: str, transaction_id: str) -> Accepted:
    """Answer an earlier transaction, and note in its trace that it was asked for again."""
    record = await unit.transaction(transaction_id)
    if record is None:
        raise Problem("not-found", f"transaction {transaction_id} is gone")
    journal = Journal(parts.tools, record, client)
    journal.note(EntryKind.REPLAYED)
    await unit.update_transaction(await journal.flush(unit))
    return Accepted(journal.record, replayed=True)
