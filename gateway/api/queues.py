"""GET /v1/queues: what waits, by lane and system."""

from __future__ import annotations

from math import ceil
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.queue_schemas import QUEUES, QueuesAnswer
from gateway.domain.queries import QueueDepth

AnyRequest = Request[Any, Any, Any]


def queue_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Depth and age; numbers only, so that no data scope is asked."""

    @get(
        "/v1/queues",
        operation_id="getQueues",
        summary="How much waits and for how long, by lane and system",
        tags=["operations"],
        opt=described(
            any_scope_of("operations:act", "ledger:read"),
            Operation(answers={200: QueuesAnswer}, answer_examples={200: QUEUES}),
        ),
    )
    async def queues(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        state = await parts.reads.queue_state(parts.clock.now())
        body = {
            "items": [_wire(one) for one in state.depths],
            "inDoubt": state.in_doubt,
            "events": state.events,
            "oldestEventS": ceil(state.oldest_event_s),
        }
        return json_answer(exchange_of(request.scope), body)

    return [queues]


def _wire(depth: QueueDepth) -> dict[str, object]:
    return {
        "lane": depth.lane,
        "systemId": depth.system_id or None,
        "due": depth.due,
        "underWay": depth.under_way,
        "waiting": depth.waiting,
        "putOff": depth.put_off,
        "oldestS": ceil(depth.oldest_s),
        "oldestDueS": ceil(depth.oldest_due_s),
    }
