"""Sending a document again, corrected or as it is, in place of a transaction that ended without one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from adapters.canonical import DOMAINS, CanonicalDocument, Customer, Order
from gateway.domain.caller import Caller
from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.queries import Visible
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import FAILED_ENDS
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, no_such_exception
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit
from gateway.transactions.commands import Create
from gateway.transactions.exceptions import close_exception

MOST_ERRORS = 20
"""Wrong members of a corrected document that are named at once."""


async def send_in_its_place(
    parts: ExceptionParts,
    caller: Caller,
    known: ExceptionRecord,
    move: MoveRecord,
    corrected: Mapping[str, Any] | None,
) -> None:
    """Submit the corrected document (None: as it was) in the name of its source; the exception closes with the accept.

    A repeat finds the transaction that was accepted before. Raises Problem: invalid-document, stale, and whatever the
    line refuses.
    """
    record = await parts.reads.transaction(known.transaction_id, Visible())
    if record is None:
        raise no_such_exception()
    if record.status not in FAILED_ENDS or record.operation != "create":
        raise Problem("stale", f"the transaction is {record.status} and cannot be replaced", remedy="read it again")
    document = await _document(parts, record, corrected)
    new_customer = await _new_customer(parts, record)
    named = record.external_id is not None
    answer = await parts.submissions.submit(
        Create(
            caller=Caller(caller.client, record.source, caller.scopes, caller.data_scope, caller.person, caller.teams),
            document=document,
            idempotency_key=None if named else move.move_id,
            replaces=record.transaction_id if named else None,
            wait_s=0.0,
            new_customer=new_customer,
        )
    )
    if not named:
        await _close(parts, caller, known, answer.transaction.transaction_id)


async def _new_customer(parts: ExceptionParts, record: TransactionRecord) -> Customer | None:
    """The customer that the order brought, if nothing of it is left; as it was sent the last time."""
    if record.domain != Order.domain or record.new_customer_id is None:
        return None
    document = await parts.reads.document(record.new_customer_id, Visible())
    made_by = None if document is None else await parts.reads.transaction(document.transaction_id or "", Visible())
    if made_by is None or made_by.status not in FAILED_ENDS:
        return None
    payload = await parts.reads.payload(made_by.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "its customer was erased", remedy="resubmit both, or cancel")
    return Customer.model_validate_json(payload.body)


async def _document(
    parts: ExceptionParts, record: TransactionRecord, corrected: Mapping[str, Any] | None
) -> CanonicalDocument:
    model = DOMAINS[record.domain]
    if corrected is None:
        payload = await parts.reads.payload(record.payload_id)
        if payload is None or payload.body is None:
            raise Problem("not-found", "the document was erased", remedy="resubmit it, or cancel")
        return model.model_validate_json(payload.body)
    try:
        document: CanonicalDocument = model.model_validate_json(json.dumps(corrected))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[:MOST_ERRORS]
        raise Problem(
            "invalid-document",
            "the corrected document is not valid",
            errors=tuple(FieldError(".".join(("document", *map(str, one["loc"]))), str(one["msg"])) for one in wrong),
        ) from error
    if document.external_id != record.external_id:
        raise Problem(
            "invalid-document",
            "document.externalId is not that of the document that is corrected",
            errors=(FieldError("document.externalId", "differs", "leave it as it was submitted"),),
        )
    return document


async def _close(parts: ExceptionParts, caller: Caller, known: ExceptionRecord, by_transaction_id: str) -> None:
    """What has no name of its own says nowhere what it replaces but here."""

    async def unit_of_work(unit: ExceptionUnit) -> None:
        held = await Held.take(unit, parts.line(), known, caller.client)
        await close_exception(unit, held.journal, "replaced", replaced_by=by_transaction_id)
        await held.save()

    await parts.store.write(unit_of_work)
