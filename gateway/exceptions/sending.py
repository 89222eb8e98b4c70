"""Sending a document again, corrected or as it is, in place of a transaction that ended without one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from adapters.canonical import DOMAINS, CanonicalDocument, Customer, Order
from gateway.domain.caller import Caller
from gateway.domain.complaints import problem_of_validation, told_under
from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.new_customer import take_new_customer
from gateway.domain.queries import Visible
from gateway.domain.records import DocumentRecord, TransactionRecord
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import no_such_exception
from gateway.exceptions.parts import ExceptionParts
from gateway.transactions.commands import Create, SentByMove

_SOON_S: Final = 5
_MEMBER: Final = "document"
"""Of the body that asks for a move, where the corrected document stands."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected document, and the customer that comes with it, if one does."""

    document: CanonicalDocument
    new_customer: Customer | None


async def send_in_its_place(
    parts: ExceptionParts,
    caller: Caller,
    known: ExceptionRecord,
    move: MoveRecord,
    corrected: Mapping[str, Any] | None,
) -> None:
    """Submit the corrected document (None: as it was) in the name of its source; the exception closes with the accept,
    which fails if the move is not asked for any more.

    An order comes with the customer that the corrected document brings; where it brings none, with the one that the
    order brought, if it still names that and nothing of it is left. A repeat finds the transaction that was accepted
    before. Raises Problem: invalid-document, stale, in-flight (its customer is being taken back), and whatever the line
    refuses.
    """
    record = await parts.reads.transaction(known.transaction_id, Visible())
    if record is None:
        raise no_such_exception()
    if record.status not in FAILED_ENDS or record.operation != "create":
        raise Problem("stale", f"the transaction is {record.status} and cannot be replaced", remedy="read it again")
    sent = corrected_document(record, corrected) if corrected is not None else await _as_it_was(parts, record)
    new_customer = sent.new_customer or await _customer_left(parts, record, sent.document)
    named = record.external_id is not None
    with _may_be_made_later(), _told_of_what_was_sent(corrected):
        await parts.submissions.submit(
            Create(
                caller=Caller(
                    caller.client, record.source, caller.scopes, caller.data_scope, caller.person, caller.teams
                ),
                document=sent.document,
                idempotency_key=None if named else move.move_id,
                replaces=record.transaction_id if named else None,
                wait_s=0.0,
                queueing=parts.queueing,
                new_customer=new_customer,
                sent_by=SentByMove(move.move_id, record.transaction_id),
            )
        )


@contextmanager
def _may_be_made_later() -> Iterator[None]:
    """What is busy for seconds refuses no move: the same request, or its approval, makes it after that."""
    try:
        yield
    except Problem as problem:
        if problem.slug != "document-busy":
            raise
        raise Problem(
            "in-flight", problem.detail, remedy=problem.remedy, retry_after_s=problem.retry_after_s, extra=problem.extra
        ) from problem


@contextmanager
def _told_of_what_was_sent(corrected: Mapping[str, Any] | None) -> Iterator[None]:
    """Fields are named from the root of the move's body, as far as the document stands there. A refusal that names no
    field is told as it is."""
    try:
        yield
    except Problem as problem:
        if corrected is None or not problem.errors:
            raise
        with told_under(_MEMBER):
            raise


async def _customer_left(
    parts: ExceptionParts, record: TransactionRecord, document: CanonicalDocument
) -> Customer | None:
    """The customer that the order brought, if it still names that, and nothing of it is left; as it was sent the last
    time."""
    if record.new_customer_id is None or not isinstance(document, Order):
        return None
    customer = await parts.reads.document(record.new_customer_id, Visible())
    made_by = None if customer is None else await parts.reads.transaction(customer.transaction_id or "", Visible())
    if customer is None or made_by is None or not _names(document, customer, record.source):
        return None
    if made_by.status is Status.COMPENSATING:
        raise Problem(
            "in-flight",
            "the customer is being taken back with the order with which it came first",
            remedy="send the same request again after `retryAfterS` seconds",
            retry_after_s=_SOON_S,
        )
    if made_by.status not in FAILED_ENDS:
        return None
    payload = await parts.reads.payload(made_by.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "its customer was erased", remedy="resubmit both, or cancel")
    return Customer.model_validate_json(payload.body)


def _names(order: Order, customer: DocumentRecord, source: str) -> bool:
    """Whether the order refers to the customer as one that came with it does. `source`: the order's own."""
    reference = order.customer
    own = customer.source == source and reference.source in {None, source}
    return own and reference.external_id == customer.external_id


async def _as_it_was(parts: ExceptionParts, record: TransactionRecord) -> Corrected:
    payload = await parts.reads.payload(record.payload_id)
    if payload is None or payload.body is None:
        raise Problem("not-found", "the document was erased", remedy="resubmit it, or cancel")
    return Corrected(DOMAINS[record.domain].model_validate_json(payload.body), None)


def corrected_document(record: TransactionRecord, corrected: Mapping[str, Any]) -> Corrected:
    """A correction of the transaction's document, read as one that is submitted, an order with the customer that it
    brings. Raises Problem: invalid-document, totals-disagree (its form, or another document)."""
    model = DOMAINS[record.domain]
    members = dict(corrected)
    with told_under(_MEMBER):
        new_customer = take_new_customer(model, members)
        text = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        try:
            document: CanonicalDocument = model.model_validate_json(text, by_alias=True, by_name=False)
        except ValidationError as error:
            raise problem_of_validation(error, model) from error
    if document.external_id != record.external_id:
        raise Problem(
            "invalid-document",
            f"{_MEMBER}.externalId is not that of the document that is corrected",
            errors=(FieldError(f"{_MEMBER}.externalId", "differs", "leave it as it was submitted"),),
        )
    return Corrected(document, new_customer)
