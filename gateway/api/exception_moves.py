"""/v1/exceptions/{exceptionId}/moves: what is done about an exception, and who approves it."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_requests import BODY, KEYED, key_of, read_request
from gateway.api.exception_examples import MOVE_ASKED, MOVE_DONE, MOVE_WANTED
from gateway.api.exception_schemas import MoveApproval, MovedAnswer, MoveWanted
from gateway.api.exception_wire import exception_parts, move_wire
from gateway.api.exceptions import ACTS, ONE, exception_id_of, whole
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.visibility import Visibility
from gateway.exceptions.asking import Moved, Wanted, approve_move, ask_move

AnyRequest = Request[Any, Any, Any]

_MOVING: Final = (
    *BODY,
    "not-found",
    "policy-check-failed",
    "stale",
    "in-flight",
    "erp-unavailable",
    "unknown-reference",
    "out-of-scope",
    "unknown-node",
    "domain-not-served",
    "no-rule",
    "natural-key-conflict",
    "duplicate-master",
    "parent-rejected",
    "lineage-spans-systems",
    "lineage-closed",
    "frozen",
    "paused",
    "totals-disagree",
    "idempotency-key-reused",
    "missing-idempotency-key",
)
"""Of moving, and of what a document that is sent again may be refused for."""


def move_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Ask and approve. What lies outside the caller's data scope is not there."""
    return [_move(parts, visibility), _approve(parts, visibility)]


def _move(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{ONE}/moves",
        operation_id="moveException",
        summary="Ask for a move; it is made at once where no second person is needed",
        tags=["exceptions"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=MoveWanted,
                answers={200: MovedAnswer, 202: MovedAnswer},
                headers=KEYED,
                problems=_MOVING,
                example=MOVE_WANTED,
                answer_examples={200: MOVE_DONE, 202: MOVE_ASKED},
            ),
        ),
    )
    async def move(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        key = key_of(request, body, "ask for a second move")
        asked = body.of(MoveWanted)
        wanted = Wanted(
            move=asked.move,
            reason=asked.reason,
            document_type=asked.erp_document_type,
            document_number=asked.erp_document_number,
            document=asked.document,
            version=None if asked.etag is None else int(asked.etag[1:]),
        )
        caller = caller_of(request.scope)
        moved = await ask_move(
            exception_parts(parts), caller, visibility.of(caller), exception_id_of(request), wanted, key
        )
        return await _moved(parts, request, moved)

    return move


def _approve(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{ONE}/moves/{{moveId:str}}/approve",
        operation_id="approveExceptionMove",
        summary="Approve, as a second person, the move that another one asked for; it is made at once",
        tags=["exceptions"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=MoveApproval,
                answers={200: MovedAnswer, 202: MovedAnswer},
                problems=_MOVING,
                example={},
                answer_examples={200: MOVE_DONE, 202: MOVE_ASKED},
            ),
        ),
    )
    async def approve(request: AnyRequest) -> Answer:
        (await read_request(parts, request)).of(MoveApproval)
        caller = caller_of(request.scope)
        move_id = checked_id("moveId", request.scope["path_params"]["moveId"])
        desk = exception_parts(parts)
        moved = await approve_move(desk, caller, visibility.of(caller), exception_id_of(request), move_id)
        return await _moved(parts, request, moved)

    return approve


async def _moved(parts: AppParts, request: AnyRequest, moved: Moved) -> Answer:
    content = await whole(parts, moved.exception)
    content["move"] = await move_wire(exception_parts(parts), moved.exception, moved.move)
    content["replayed"] = moved.replayed
    status = 202 if moved.move.state in {"asked", "approved", "under_way"} else 200
    return json_answer(exchange_of(request.scope), content, status)
