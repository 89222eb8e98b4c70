"""The three operations that every domain has: submit, read one, list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import CanonicalDocument
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import CURSOR, EXTERNAL_ID, NODE, PAGE_SIZE, Parameter, page_size, read_query
from gateway.api.schemas import DocumentAnswer, DocumentPage, TransactionAnswer
from gateway.api.submitting import submit
from gateway.api.visibility import Visibility
from gateway.api.wire import document_summaries, document_summary
from gateway.domain.records import PayloadRecord
from gateway.transactions.queries import DocumentFilter

AnyRequest = Request[Any, Any, Any]

_FILTERS: Final = (
    Parameter("externalId", EXTERNAL_ID, "The caller's own id of the document.", "SO-1001"),
    Parameter("source", NODE, "Who owns the external id.", "salesforce"),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "retail"),
    Parameter("geography", NODE, "A geography, with all below it.", "DE"),
    CURSOR,
    PAGE_SIZE,
)
_REQUEST_HEADERS: Final = {
    "Idempotency-Key": "Names this request on all its repetitions; or the member idempotencyKey.",
    "Prefer": "`wait=n` (0 to 8 seconds) waits for the end of the transaction, `respond-async` does not.",
    "traceparent": "W3C Trace Context.",
}
_SUBMIT_PROBLEMS: Final = (
    "missing-idempotency-key",
    "out-of-scope",
    "request-timeout",
    "duplicate-master",
    "frozen",
    "in-flight",
    "lineage-closed",
    "natural-key-conflict",
    "parent-rejected",
    "paused",
    "too-large",
    "unsupported-media-type",
    "domain-not-served",
    "idempotency-key-reused",
    "invalid-document",
    "lineage-spans-systems",
    "no-rule",
    "policy-check-failed",
    "rejected-by-erp",
    "totals-disagree",
    "unknown-node",
    "unknown-reference",
    "erp-unavailable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A domain as an HTTP resource. `name` is its singular in operation ids: `Order` gives createOrder, getOrder,
    listOrders."""

    model: type[CanonicalDocument]
    name: str
    meaning: str
    example: Mapping[str, Any]

    @property
    def domain(self) -> str:
        return self.model.domain


def document_routes(resource: Resource, parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """The handlers of a domain. Data outside the caller's scope is not found."""
    model, domain, name = resource.model, resource.domain, resource.name
    plural = domain[0].upper() + domain[1:]
    path = f"/v1/{domain}"

    @post(
        path,
        operation_id=f"create{name}",
        summary=f"Submit {resource.meaning}",
        tags=[domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=model,
                answers={201: TransactionAnswer, 200: TransactionAnswer, 202: TransactionAnswer},
                headers=_REQUEST_HEADERS,
                problems=_SUBMIT_PROBLEMS,
                example=resource.example,
            ),
        ),
    )
    async def create(request: AnyRequest) -> Answer:
        return await submit(parts, visibility, model, request.scope, request.receive)

    @get(
        f"{path}/{{documentId:str}}",
        operation_id=f"get{name}",
        summary=f"Read {resource.meaning}",
        tags=[domain],
        opt=described(
            any_scope_of("documents:read"), Operation(answers={200: DocumentAnswer}, problems=("not-found",))
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        document_id = checked_id("documentId", request.scope["path_params"]["documentId"])
        visible = visibility.of(caller_of(request.scope))
        record = await parts.reads.document(document_id, visible)
        if record is None or record.domain != domain:
            raise not_found("document")
        body = document_summary(record, await parts.reads.cross_references([document_id]))
        transaction = None
        if record.transaction_id is not None:
            transaction = await parts.reads.transaction(record.transaction_id, visible)
        body["status"] = None if transaction is None else transaction.status.value
        payload = None if record.payload_id is None else await parts.reads.payload(record.payload_id)
        return json_answer(body | _content(payload))

    @get(
        path,
        operation_id=f"list{plural}",
        summary=f"List {domain}, newest first",
        tags=[domain],
        opt=described(
            any_scope_of("documents:read"),
            Operation(answers={200: DocumentPage}, query=_FILTERS, problems=("unknown-node",)),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(path, query)
        where = DocumentFilter(
            domain=domain,
            external_id=query.get("externalId"),
            source=query.get("source"),
            business_units=visibility.filtered("businessUnit", query),
            geographies=visibility.filtered("geography", query),
        )
        found = list(await parts.reads.documents(where, visibility.of(caller_of(request.scope)), size + 1, after))
        page = found[:size]
        numbers = await parts.reads.cross_references([one.document_id for one in page]) if page else ()
        following = make_cursor(path, query, page[-1].document_id) if len(found) > size else None
        return json_answer({"items": document_summaries(page, numbers), "nextCursor": following})

    return [create, read, listing]


def _content(payload: PayloadRecord | None) -> dict[str, Any]:
    """The canonical body, or why there is none."""
    if payload is None:
        return {"contentState": "not_recorded", "content": None}
    if payload.body is None:
        return {"contentState": "erased", "content": None}
    return {"contentState": "present", "content": json.loads(payload.body)}
