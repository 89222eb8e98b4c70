"""From a request to the line: a change, a cancellation, a reversal of a document that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar.types import Receive

from adapters.port import Operation
from gateway.api.answer import MERGE_PATCH, Answer
from gateway.api.body import JSON_ONLY, read_body
from gateway.api.changes import read_change
from gateway.api.etags import Tags, if_match
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.guard import caller_of
from gateway.api.idempotency import idempotency_key
from gateway.api.identifiers import checked_id
from gateway.api.outcome import answer_of
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import read_query
from gateway.api.queueing import queued
from gateway.api.resources import Resource
from gateway.api.undoings import UNDOINGS, Undoing, read_undo
from gateway.api.versions import version_made
from gateway.api.visibility import Visibility
from gateway.domain.caller import Caller
from gateway.domain.lanes import Queueing
from gateway.errors import Problem
from gateway.transactions.commands import Cancel, Change, Reverse

PATCH_TYPES: Final = (MERGE_PATCH, *JSON_ONLY)


@dataclass(frozen=True, kw_only=True)
class _Target:
    """One document, and under which name and condition something shall be done to it: what the commands on documents
    share, by the same names (without slots, so that `vars` reads them)."""

    caller: Caller
    domain: str
    document_id: str
    idempotency_key: str
    if_match: str | None
    wait_s: float
    traceparent: str
    queueing: Queueing


async def change(parts: AppParts, visibility: Visibility, resource: Resource, scope: Any, receive: Receive) -> Answer:
    """Change a document by a merge patch. Raises Problem `precondition-required` without an ETag."""
    exchange = exchange_of(scope)
    raw = await _body(parts, resource, exchange, scope, receive, PATCH_TYPES)
    asked = read_change(raw, resource, parts.limits)
    tags = if_match(exchange.header(b"if-match"), asked.if_match)
    key = _key(exchange, asked.idempotency_key)
    if tags is None:
        raise Problem("precondition-required", "The change names no version of the document.")
    target = await _target(parts, visibility, resource, scope, key, tags)
    answer = await parts.submissions.change(Change(patch=asked.patch, **vars(target)))
    version = await version_made(parts.reads, answer.transaction)
    return answer_of(exchange, answer, version, of_the_document=True)


async def undo(
    parts: AppParts, visibility: Visibility, resource: Resource, verb: Undoing, scope: Any, receive: Receive
) -> Answer:
    """Call a document off, or undo a posted one by its mirror."""
    exchange = exchange_of(scope)
    raw = await _body(parts, resource, exchange, scope, receive)
    asked = read_undo(raw, UNDOINGS[verb], parts.limits)
    tags = if_match(exchange.header(b"if-match"), asked.if_match)
    target = await _target(parts, visibility, resource, scope, _key(exchange, asked.idempotency_key), tags)
    if verb is Operation.CANCEL:
        answer = await parts.submissions.cancel(Cancel(reason=asked.reason, **vars(target)))
    else:
        command = Reverse(reason=asked.reason, posting_date=asked.posting_date, **vars(target))
        answer = await parts.submissions.reverse(command)
    version = await version_made(parts.reads, answer.transaction)
    return answer_of(exchange, answer, version, of_the_document=True)


async def _body(
    parts: AppParts,
    resource: Resource,
    exchange: Exchange,
    scope: Any,
    receive: Receive,
    media_types: tuple[bytes, ...] = JSON_ONLY,
) -> bytes:
    """Raises DomainNotServed for a domain that the rulebook in force has no table for."""
    parts.rulebook().table(resource.domain)
    read_query(scope["query_string"], (), parts.limits)
    checked_id("documentId", scope["path_params"]["documentId"])
    return await read_body(exchange, receive, parts.limits, media_types)


def _key(exchange: Exchange, member: Any) -> str:
    """Required: nothing else tells a repeated request from a second one."""
    key = idempotency_key(exchange.header(b"idempotency-key"), member)
    if key is None:
        raise Problem("missing-idempotency-key", "A request on a document that is there needs a key of its own.")
    return key


async def _target(
    parts: AppParts, visibility: Visibility, resource: Resource, scope: Any, key: str, tags: Tags | None
) -> _Target:
    """Raises `not-found` for a document that is not there, not of the domain, or not the caller's to see."""
    exchange, caller = exchange_of(scope), caller_of(scope)
    visible = visibility.of(caller)
    record = await parts.reads.document(scope["path_params"]["documentId"], visible)
    if record is None or record.domain != resource.domain:
        raise not_found("document")
    demanded = None
    if tags is not None:
        created_by = await parts.reads.transaction(record.transaction_id or "", visible)
        demanded = tags.demanded(record, None if created_by is None else created_by.status)
    wait_s, queueing = queued(exchange, caller, parts.bulk_clients)
    return _Target(
        caller=caller,
        domain=record.domain,
        document_id=record.document_id,
        idempotency_key=key,
        if_match=demanded,
        wait_s=wait_s,
        traceparent=exchange.trace.traceparent,
        queueing=queueing,
    )
