"""/metrics: the numbers of this process, for Prometheus."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.guard import any_scope_of, public
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.errors import StoreUnavailable
from gateway.telemetry.metrics import CONTENT_TYPE

AnyRequest = Request[Any, Any, Any]


def measurement_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """The exposition; queue, outbox and exceptions are read from the store at each scrape."""

    @get(
        "/metrics",
        operation_id="getMetrics",
        summary="Numbers of this process in the Prometheus text format",
        tags=["health"],
        opt=described(
            public() if parts.metrics_public else any_scope_of("operations:act"),
            Operation(
                answers={200: None},
                answer_media_type="text/plain",
                answer_examples={200: "erp_gateway_queue_jobs 3.0\n"},
            ),
        ),
    )
    async def metrics(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        try:
            queue = await parts.reads.queue_state(parts.clock.now())
            if parts.exceptions is not None:
                parts.metrics.exceptions.show(await parts.exceptions.reads.open_exceptions(), parts.clock.now())
        except StoreUnavailable:
            # The numbers of the process itself matter most when the database is gone.
            queue = None
        return Answer(200, parts.metrics.render(queue), CONTENT_TYPE.encode("ascii"))

    return [metrics]
