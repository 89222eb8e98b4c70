"""POST /v1/cutover/slices/{slice}/rollback: back, for one slice and by one person."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.draft_bodies import GoingBack
from gateway.api.draft_examples import ACTIVATION
from gateway.api.draft_requests import BODY, KEYED, desk_of, key_of, read_request
from gateway.api.draft_schemas import ActivationAnswer
from gateway.api.draft_steps import PREFER, activation_answer
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.preferences import preferred
from gateway.api.problems import malformed
from gateway.api.visibility import Visibility
from gateway.cutover.activate_draft import settled_within
from gateway.cutover.go_back import go_back
from gateway.cutover.slices import SLICE_PATTERN, SliceName

AnyRequest = Request[Any, Any, Any]

_SLICE: Final = re.compile(rf"\A{SLICE_PATTERN}\Z")


def slice_rollback_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """The one route."""

    @post(
        "/v1/cutover/slices/{slice:str}/rollback",
        operation_id="rollbackSlice",
        summary="Take a slice back to what it was before the last activation that changed it",
        tags=["cutover"],
        status_code=200,
        opt=described(
            any_scope_of("rules:activate"),
            Operation(
                body=GoingBack,
                answers={200: ActivationAnswer, 202: ActivationAnswer},
                headers=KEYED | PREFER,
                problems=(
                    *BODY,
                    "missing-idempotency-key",
                    "not-found",
                    "in-flight",
                    "out-of-scope",
                    "stale",
                    "domain-not-served",
                    "idempotency-key-reused",
                    "policy-check-failed",
                    "unknown-node",
                ),
                example={"reason": "Orders were priced twice", "idempotencyKey": "back-4711"},
                answer_examples={
                    200: ACTIVATION | {"draftId": None, "state": "activated", "activationNumber": 9},
                    202: ACTIVATION | {"draftId": None},
                },
            ),
        ),
    )
    async def rollback(request: AnyRequest) -> Answer:
        exchange, caller = exchange_of(request.scope), caller_of(request.scope)
        body = await read_request(parts, request)
        text = request.scope["path_params"]["slice"]
        if _SLICE.match(text) is None:
            raise malformed("slice", "is not a slice", "Name it as domain.businessUnit.geography with ids of nodes.")
        name = SliceName.read(text, parts.rulebook())
        visibility.check_nodes(caller, name.business_unit, name.geography)
        asked = body.of(GoingBack)
        key = key_of(request, body, "go back further")
        desk = desk_of(parts)
        wait_s, exchange.preference_applied = preferred(exchange.header(b"prefer"))
        found, _ = await go_back(desk, caller, name, asked.reason, key)
        desk.events_left()
        return activation_answer(exchange, await settled_within(desk.parts, found, wait_s))

    return [rollback]
