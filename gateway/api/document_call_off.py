"""POST /v1/{domain}/{documentId}/cancel of what is reversed once it is posted: only while nothing of it was sent."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from adapters.port import Operation as Verb
from gateway.api.answer import Answer
from gateway.api.examples import CANCELLATION, called_off_example
from gateway.api.guard import any_scope_of
from gateway.api.operating import undo
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.resources import Resource
from gateway.api.schemas import TransactionAnswer
from gateway.api.undoings import Cancellation
from gateway.api.visibility import Visibility

AnyRequest = Request[Any, Any, Any]

# Nothing is sent, and an ERP is asked only after a restore, by a job: so this is all that can go wrong.
_PROBLEMS: Final = (
    "missing-idempotency-key",
    "not-found",
    "request-timeout",
    "document-busy",
    "document-closed",
    "has-follow-ups",
    "in-flight",
    "stale",
    "too-large",
    "unsupported-media-type",
    "domain-not-served",
    "idempotency-key-reused",
    "invalid-document",
    "operation-not-served",
)


def call_off_route(
    resource: Resource, parts: AppParts, visibility: Visibility, headers: dict[str, str]
) -> HTTPRouteHandler:
    """The handler. The answer is the transaction of the creation, which ends as cancelled."""

    @post(
        f"{resource.path}/{{documentId:str}}/cancel",
        operation_id=f"cancel{resource.name}",
        summary=f"Call off {resource.meaning.split(',')[0]} that waits or is held; what is posted is reversed",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=Cancellation,
                answers={200: TransactionAnswer},
                headers=headers,
                answer_headers={200: ("Location", "ETag")},
                problems=_PROBLEMS,
                example=CANCELLATION,
                answer_examples={200: called_off_example(resource)},
            ),
        ),
    )
    async def call_off_document(request: AnyRequest) -> Answer:
        return await undo(parts, visibility, resource, Verb.CANCEL, request.scope, request.receive)

    return call_off_document
