"""PATCH /v1/{domain}/{documentId}, POST …/cancel, POST …/reverse: what is done to a document that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from litestar import Request, patch, post
from litestar.handlers import HTTPRouteHandler

from adapters.port import Operation as Verb
from gateway.api.answer import Answer
from gateway.api.changes import change_model
from gateway.api.document_call_off import call_off_route
from gateway.api.document_create import SUBMIT_HEADERS
from gateway.api.examples import CANCELLATION, REVERSAL, examples_of_operation
from gateway.api.guard import any_scope_of
from gateway.api.operating import PATCH_TYPES, change, undo
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.resources import Resource
from gateway.api.schemas import TransactionAnswer
from gateway.api.undoings import UNDOINGS, Undoing
from gateway.api.visibility import Visibility

AnyRequest = Request[Any, Any, Any]

_HEADERS: Final = {
    **SUBMIT_HEADERS,
    "Idempotency-Key": "Required, here or as the member idempotencyKey for callers that cannot send headers (400 "
    "missing-idempotency-key). Scope: your client, this operation and this document; a key used here may be used "
    "elsewhere for another request.",
    "If-Match": "The document's ETag, so that nobody else's work is undone; or the member ifMatch.",
}
_HEADERS_OF_CHANGE: Final = _HEADERS | {
    "If-Match": "Required, here or as the member ifMatch for callers that cannot send headers (428 "
    "precondition-required): the document's ETag, so that nobody else's work is undone.",
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
_UNDOINGS: Final[Mapping[Undoing, tuple[Callable[[str], str], Mapping[str, Any]]]] = {
    Verb.CANCEL: (lambda what: f"Call off {what.split(';')[0]}, before anything followed from it", CANCELLATION),
    Verb.REVERSE: (lambda what: f"Reverse {what.split(',')[0]}, by posting its mirror", REVERSAL),
}
"""The summary, made of what the resource means, and the example of a body."""
_ANSWERS: Final = {200: TransactionAnswer, 202: TransactionAnswer}


def operation_routes(resource: Resource, parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """The handlers of what can be done to documents of this domain beyond their creation."""
    routes: dict[Verb, Callable[[Resource, AppParts, Visibility], HTTPRouteHandler]] = {
        Verb.CHANGE: _change_route,
        Verb.CANCEL: partial(_undo_route, Verb.CANCEL),
        Verb.REVERSE: partial(_undo_route, Verb.REVERSE),
    }
    found = [routes[one](resource, parts, visibility) for one in resource.operations if one in routes]
    return [*found, call_off_route(resource, parts, visibility, _HEADERS)] if resource.only_called_off else found


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
                headers=_HEADERS_OF_CHANGE,
                answer_headers={200: ("Location", "ETag")},
                problems=(*_PROBLEMS, *_OF_CHANGE),
                example=resource.change,
                answer_examples=examples_of_operation(resource, Verb.CHANGE),
            ),
        ),
    )
    async def change_document(request: AnyRequest) -> Answer:
        return await change(parts, visibility, resource, request.scope, request.receive)

    return change_document


def _undo_route(verb: Undoing, resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    summary, example = _UNDOINGS[verb]

    @post(
        f"{resource.path}/{{documentId:str}}/{verb.value}",
        operation_id=f"{verb.value}{resource.name}",
        summary=summary(resource.meaning),
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=UNDOINGS[verb],
                answers=_ANSWERS,
                headers=_HEADERS,
                answer_headers={200: ("Location", "ETag")},
                problems=_PROBLEMS,
                example=example,
                answer_examples=examples_of_operation(resource, verb),
            ),
        ),
    )
    async def undo_document(request: AnyRequest) -> Answer:
        return await undo(parts, visibility, resource, verb, request.scope, request.receive)

    return undo_document
