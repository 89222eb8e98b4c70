"""POST /v1/events/replays: status events again, to a subject of the asker's."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_bodies import micros
from gateway.api.draft_requests import BODY, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.replay_schemas import REPLAYED, WANTED, ReplayAnswer, ReplayWanted
from gateway.api.visibility import Visibility
from gateway.domain.wire import instant
from gateway.errors import Problem
from gateway.messaging.errors import MessagingError
from gateway.messaging.replay import ReplayWanted as Wanted

AnyRequest = Request[Any, Any, Any]
PATH: Final = "/v1/events/replays"


def replay_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """What lies outside the caller's data scope is left out."""

    @post(
        PATH,
        operation_id="replayEvents",
        summary="Send status events again, to a NATS subject of your own",
        tags=["events"],
        status_code=200,
        opt=described(
            any_scope_of("documents:read", "ledger:read"),
            Operation(
                body=ReplayWanted,
                answers={200: ReplayAnswer},
                problems=BODY,
                example=WANTED,
                answer_examples={200: REPLAYED},
            ),
        ),
    )
    async def replay(request: AnyRequest) -> Answer:
        asked = (await read_request(parts, request)).of(ReplayWanted)
        if asked.lineage_id is None and asked.occurred_from is None:
            raise malformed("occurredFrom", "is missing, and so is lineageId", "Say from when on, or of which lineage.")
        if parts.replays is None:
            raise Problem("not-ready", "This process sends no events again.", retry_after_s=30)
        caller = caller_of(request.scope)
        wanted = Wanted(
            asked.nats_subject,
            asked.lineage_id,
            None if asked.occurred_from is None else micros(asked.occurred_from),
            None if asked.occurred_until is None else micros(asked.occurred_until),
            asked.domain,
        )
        try:
            done = await parts.replays.replay(caller, visibility.of(caller), wanted)
        except MessagingError as error:
            raise Problem(
                "not-ready", "NATS does not answer; some of the events may have been sent.", retry_after_s=5
            ) from error
        body = {
            "replayId": done.replay_id,
            "natsSubject": done.subject,
            "events": done.events,
            "complete": done.complete,
            "keptFrom": instant(done.kept_from),
        }
        return json_answer(exchange_of(request.scope), body)

    return [replay]
