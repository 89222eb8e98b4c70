"""/v1/drafts/{draftId}/dark: a draft evaluated beside live traffic."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_requests import draft_id_of
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.simulation_examples import DARK
from gateway.api.simulation_requests import desk_of
from gateway.api.simulation_schemas import DarkAnswer
from gateway.api.simulation_wire import dark_wire
from gateway.api.simulations import READS
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/drafts/{draftId:str}/dark"
_OPERATION: Final = Operation(
    answers={200: DarkAnswer}, problems=("not-found", "out-of-scope"), answer_examples={200: DARK}
)


def dark_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Begin, read, end."""

    @post(
        PATH,
        operation_id="observeDraft",
        summary="Evaluate a draft beside live traffic from now on; what is observed already goes on",
        tags=["rules"],
        status_code=200,
        opt=described(any_scope_of("rules:edit"), _OPERATION),
    )
    async def begin(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = desk_of(parts, request)
        draft_id = draft_id_of(request)
        watch = await desk.observer.begin(caller_of(request.scope).client, draft_id)
        return json_answer(exchange_of(request.scope), dark_wire(watch, await desk.reads.draft(draft_id)))

    @get(
        PATH,
        operation_id="getDarkObservation",
        summary="Read what a draft would have decided otherwise, by slice",
        tags=["rules"],
        opt=described(READS, _OPERATION),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = desk_of(parts, request)
        draft_id = draft_id_of(request)
        watch = await desk.reads.dark_watch(draft_id)
        if watch is None:
            raise Problem("not-found", f"The draft {draft_id} was never observed.")
        return json_answer(exchange_of(request.scope), dark_wire(watch, await desk.reads.draft(draft_id)))

    @post(
        f"{PATH}/end",
        operation_id="endDarkObservation",
        summary="End the observation of a draft; what it found stays",
        tags=["rules"],
        status_code=200,
        opt=described(any_scope_of("rules:edit"), _OPERATION),
    )
    async def end(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = desk_of(parts, request)
        draft_id = draft_id_of(request)
        watch = await desk.observer.end(caller_of(request.scope).client, draft_id)
        return json_answer(exchange_of(request.scope), dark_wire(watch, await desk.reads.draft(draft_id)))

    return [begin, read, end]
