"""POST /v1/{domain}: submit a document."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.examples import examples_of_submission
from gateway.api.guard import any_scope_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.resources import Resource
from gateway.api.schemas import TransactionAnswer
from gateway.api.submitting import submit
from gateway.api.visibility import Visibility

AnyRequest = Request[Any, Any, Any]

SUBMIT_HEADERS: Final = {
    "Idempotency-Key": "Names this request on all its repetitions; or the member idempotencyKey. Required where the "
    "document has no externalId. Scope: your client and this address; a key used here may be used elsewhere for "
    "another request.",
    "Prefer": "`wait=n` (0 to 8 seconds) waits for the end of the transaction; `respond-async` answers 202 as soon as "
    "the document is accepted.",
    "Priority": "`u=n` (RFC 9218): 0 is done before 7; with `respond-async` 7 is the lane for runs of many documents.",
    "traceparent": "W3C Trace Context.",
    "tracestate": "W3C Trace Context: at most 32 members, else it is discarded.",
}
_PROBLEMS: Final = (
    "missing-idempotency-key",
    "out-of-scope",
    "request-timeout",
    "document-busy",
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


def create_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    """The handler that submits a new document."""

    @post(
        resource.path,
        operation_id=f"create{resource.name}",
        summary=f"Submit {resource.meaning}",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=resource.model,
                answers={201: TransactionAnswer, 200: TransactionAnswer, 202: TransactionAnswer},
                headers=SUBMIT_HEADERS,
                answer_headers={200: ("Location",), 201: ("ETag",)},
                problems=_PROBLEMS,
                example=resource.example,
                further_examples=resource.further_examples,
                answer_examples=examples_of_submission(resource),
            ),
        ),
    )
    async def create(request: AnyRequest) -> Answer:
        return await submit(parts, visibility, resource, request.scope, request.receive)

    return create
