"""PATCH /v1/{domain}/{documentId}, POST …/cancel, POST …/reverse: what is done to a document that is there."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, patch, post
from litestar.handlers import HTTPRouteHandler

from adapters.port import Operation as Verb
from gateway.api.answer import Answer
from gateway.api.changes import change_model
from gateway.api.document_create import SUBMIT_HEADERS
from gateway.api.examples import CANCELLATION, REVERSAL, examples_of_operation
from gateway.api.guard import any_scope_of
from gateway.api.operating import PATCH_TYPES, cancel, change, reverse
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.resources import Resource
from gateway.api.schemas import TransactionAnswer
from gateway.api.undoings import Cancellation, Reversal
from gateway.api.visibility import Visibility

AnyRequest = Request[Any, Any, Any]

_HEADERS: Final = {
    **SUBMIT_HEADERS,
    "If-Match": "The document's ETag, so that nobody else's work is undone; or the member ifMatch.",
}
_PROBLEMS: Final = (
    "missing-idempotency-key",
    "not-found",
    "out-of-scope",
    "request-timeout",
    "document-busy",
    "document-closed",
    "frozen",
    "has-follow-ups",
    "in-flight",
    "lineage-closed",
    "parent-rejected",
    "paused",
    "stale",
    "too-large",
    "unsupported-media-type",
    "domain-not-served",
    "idempotency-key-reused",
    "invalid-document",
    "operation-not-served",
    "policy-check-failed",
    "rejected-by-erp",
    "unknown-node",
    "erp-unavailable",
)
_OF_CHANGE: Final = (
    "duplicate-master", "lineage-spans-systems", "no-rule", "totals-disagree", "unknown-reference",
    "precondition-required",
)  # fmt: skip
_ANSWERS: Final = {200: TransactionAnswer, 202: TransactionAnswer}


def operation_routes(resource: Resource, parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """The handlers of what can be done to documents of this domain beyond their creation."""
    routes = {Verb.CHANGE: _change_route, Verb.CANCEL: _cancel_route, Verb.REVERSE: _reverse_route}
    return [routes[one](resource, parts, visibility) for one in resource.operations if one in routes]


def _change_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @patch(
        f"{resource.path}/{{documentId:str}}",
        operation_id=f"change{resource.name}",
        summary=f"Change {resource.meaning.split(';')[0]}, by a JSON merge patch",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=change_model(resource),
                body_media_types=tuple(one.decode("ascii") for one in PATCH_TYPES),
                answers=_ANSWERS,
                headers=_HEADERS,
                problems=(*_PROBLEMS, *_OF_CHANGE),
                example=resource.change,
                answer_examples=examples_of_operation(resource, Verb.CHANGE),
            ),
        ),
    )
    async def change_document(request: AnyRequest) -> Answer:
        return await change(parts, visibility, resource, request.scope, request.receive)

    return change_document


def _cancel_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{resource.path}/{{documentId:str}}/cancel",
        operation_id=f"cancel{resource.name}",
        summary=f"Call off {resource.meaning.split(';')[0]}, before anything followed from it",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=Cancellation,
                answers=_ANSWERS,
                headers=_HEADERS,
                problems=_PROBLEMS,
                example=CANCELLATION,
                answer_examples=examples_of_operation(resource, Verb.CANCEL),
            ),
        ),
    )
    async def cancel_document(request: AnyRequest) -> Answer:
        return await cancel(parts, visibility, resource, request.scope, request.receive)

    return cancel_document


def _reverse_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{resource.path}/{{documentId:str}}/reverse",
        operation_id=f"reverse{resource.name}",
        summary=f"Reverse {resource.meaning.split(',')[0]}, by posting its mirror",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=Reversal,
                answers=_ANSWERS,
                headers=_HEADERS,
                problems=_PROBLEMS,
                example=REVERSAL,
                answer_examples=examples_of_operation(resource, Verb.REVERSE),
            ),
        ),
    )
    async def reverse_document(request: AnyRequest) -> Answer:
        return await reverse(parts, visibility, resource, request.scope, request.receive)

    return reverse_document
