"""/openapi.json: the description of this API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.serialization import encode_json

from gateway.api.answer import JSON, Answer
from gateway.api.guard import public
from gateway.api.limits import Limits
from gateway.api.query import read_query

AnyRequest = Request[Any, Any, Any]


def description_routes(describe: Callable[[], dict[str, Any]], limits: Limits) -> list[HTTPRouteHandler]:
    """The document, made at the first question and kept as bytes."""
    made: list[bytes] = []

    @get("/openapi.json", summary="This description", opt=public(), include_in_schema=False)
    async def openapi(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), limits)
        if not made:
            made.append(encode_json(describe()))
        return Answer(200, made[0], JSON)

    return [openapi]
