"""GET /v1/{domain}/{documentId}: one document as it stands."""

from __future__ import annotations

import json
from typing import Any

import structlog
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, Unchanged, json_answer
from gateway.api.etags import etag_of, quoted, read_tags
from gateway.api.examples import document_example
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import read_query
from gateway.api.resources import Resource
from gateway.api.schemas import DocumentAnswer
from gateway.api.visibility import Visibility
from gateway.api.wire import document_summary
from gateway.domain.records import DocumentRecord, PayloadRecord
from gateway.ledger.evidence.openings import ACCEPTED, erased_in
from gateway.transactions.queries import Reads

AnyRequest = Request[Any, Any, Any]
_log = structlog.get_logger(__name__)


def read_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    """The handler that reads one."""

    @get(
        f"{resource.path}/{{documentId:str}}",
        operation_id=f"get{resource.name}",
        summary=f"Read {resource.meaning}",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:read"),
            Operation(
                answers={200: DocumentAnswer, 304: None},
                headers={"If-None-Match": "An ETag of an earlier answer: if it still holds, 304 without a body."},
                answer_headers={200: ("ETag",)},
                problems=("not-found",),
                answer_examples={200: document_example(resource)},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        read_query(request.scope["query_string"], (), parts.limits)
        document_id = checked_id("documentId", request.scope["path_params"]["documentId"])
        known = read_tags("If-None-Match", exchange.header(b"if-none-match"))
        visible = visibility.of(caller_of(request.scope))
        record = await parts.reads.document(document_id, visible)
        if record is None or record.domain != resource.domain:
            raise not_found("document")
        transaction = None
        if record.transaction_id is not None:
            transaction = await parts.reads.transaction(record.transaction_id, visible)
        status = None if transaction is None else transaction.status
        body = document_summary(record, await parts.reads.cross_references([document_id]), status)
        body |= await _content(parts.reads, record)
        body["etag"] = tag = etag_of(record, status)
        if known is not None and known.hold(tag):
            return Unchanged(quoted(tag))
        return json_answer(exchange, body, headers=[(b"etag", quoted(tag))])

    return read


async def _content(reads: Reads, record: DocumentRecord) -> dict[str, Any]:
    """The canonical body, or why there is none. One that is gone without an entry `erased` was lost: an alarm."""
    if record.payload_id is None:
        return {"contentState": "not_recorded", "content": None}
    payload = await reads.payload(record.payload_id)
    if payload is not None and payload.body is not None:
        return {"contentState": "present", "content": json.loads(payload.body)}
    if payload is not None and await _was_erased(reads, record.document_id, payload):
        return {"contentState": "erased", "content": None}
    _log.error("payload_missing", document=record.document_id)
    return {"contentState": "not_recorded", "content": None, "isContentMissing": True}


async def _was_erased(reads: Reads, document_id: str, payload: PayloadRecord) -> bool:
    """Whether an entry tells so. Where the entries are in an archive, the row is believed."""
    told = [
        json.loads(entry.body)
        for trace in await reads.transactions_with_payload(document_id, payload.payload_id)
        for entry in await reads.entries(trace)
    ]
    accepted = [body for body in told if body["kind"] == "accepted" and ACCEPTED in body]
    if not accepted:
        return payload.erased_at is not None
    erased = erased_in(told)
    return any(body[ACCEPTED] in erased.get(body["trace"], ()) for body in accepted)
