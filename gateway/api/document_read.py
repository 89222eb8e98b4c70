"""GET /v1/{domain}/{documentId}: one document as it stands."""

from __future__ import annotations

import json
from typing import Any

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
from gateway.domain.records import PayloadRecord

AnyRequest = Request[Any, Any, Any]


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
        payload = None if record.payload_id is None else await parts.reads.payload(record.payload_id)
        body |= _content(payload)
        body["etag"] = tag = etag_of(record, status)
        if known is not None and known.hold(tag):
            return Unchanged(quoted(tag))
        return json_answer(exchange, body, headers=[(b"etag", quoted(tag))])

    return read


def _content(payload: PayloadRecord | None) -> dict[str, Any]:
    """The canonical body, or why there is none."""
    if payload is None:
        return {"contentState": "not_recorded", "content": None}
    if payload.body is None:
        return {"contentState": "erased", "content": None}
    return {"contentState": "present", "content": json.loads(payload.body)}
