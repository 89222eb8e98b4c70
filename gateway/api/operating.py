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
from gateway.api.preferences import preferred
from gateway.api.problems import not_found
from gateway.api.query import read_query
from gateway.api.resources import Resource
from gateway.api.undoings import Cancellation, Reversal, read_undo
from gateway.api.visibility import Visibility
from gateway.domain.caller import Caller
from gateway.errors import Problem
from gateway.transactions.commands import Cancel, Change, Reverse

PATCH_TYPES: Final = (MERGE_PATCH, *JSON_ONLY)


@dataclass(frozen=True, slots=True)
class _Target:
    """One document, and under which name and condition something shall be done to it."""

    caller: Caller
    document_id: str
    idempotency_key: str
    if_match: str | None
    wait_s: float
    traceparent: str


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
    command = Change(
        caller=target.caller,
        domain=resource.domain,
        document_id=target.document_id,
        patch=asked.patch,
        idempotency_key=target.idempotency_key,
        if_match=target.if_match,
        wait_s=target.wait_s,
        traceparent=target.traceparent,
    )
    return answer_of(exchange, await parts.submissions.change(command))


async def cancel(parts: AppParts, visibility: Visibility, resource: Resource, scope: Any, receive: Receive) -> Answer:
    """Call a document off."""
    exchange = exchange_of(scope)
    raw = await _body(parts, resource, exchange, scope, receive)
    asked = read_undo(raw, Cancellation, parts.limits)
    tags = if_match(exchange.header(b"if-match"), asked.if_match)
    target = await _target(parts, visibility, resource, scope, _key(exchange, asked.idempotency_key), tags)
    command = Cancel(
        caller=target.caller,
        domain=resource.domain,
        document_id=target.document_id,
        idempotency_key=target.idempotency_key,
        reason=asked.reason,
        if_match=target.if_match,
        wait_s=target.wait_s,
        traceparent=target.traceparent,
    )
    return answer_of(exchange, await parts.submissions.cancel(command))


async def reverse(parts: AppParts, visibility: Visibility, resource: Resource, scope: Any, receive: Receive) -> Answer:
    """Undo a posted document by its mirror."""
    exchange = exchange_of(scope)
    raw = await _body(parts, resource, exchange, scope, receive)
    asked = read_undo(raw, Reversal, parts.limits)
    tags = if_match(exchange.header(b"if-match"), asked.if_match)
    target = await _target(parts, visibility, resource, scope, _key(exchange, asked.idempotency_key), tags)
    command = Reverse(
        caller=target.caller,
        domain=resource.domain,
        document_id=target.document_id,
        idempotency_key=target.idempotency_key,
        reason=asked.reason,
        posting_date=asked.posting_date,
        if_match=target.if_match,
        wait_s=target.wait_s,
        traceparent=target.traceparent,
    )
    return answer_of(exchange, await parts.submissions.reverse(command))


VERBS: Final = {Operation.CHANGE: change, Operation.CANCEL: cancel, Operation.REVERSE: reverse}
"""By operation."""


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
    wait_s, exchange.preference_applied = preferred(exchange.header(b"prefer"))
    return _Target(
        caller=caller,
        document_id=record.document_id,
        idempotency_key=key,
        if_match=demanded,
        wait_s=wait_s,
        traceparent=exchange.trace.traceparent,
    )
