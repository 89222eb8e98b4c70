"""A witness's one address, `POST /add-checkpoint` (C2SP tlog-witness). It asks for no token: a signature is checked."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from litestar import Litestar, Request, Response, post

from gateway.ledger.errors import StateBroken
from gateway.ledger.witness import Witness
from gateway.ledger.witness_request import MAX_REQUEST_BYTES, TEXT_TYPE

_log = structlog.get_logger(__name__)


def witness_app(witness: Witness) -> Litestar:
    """The application of a witness; nothing else runs in its process."""

    @post("/add-checkpoint", status_code=200)
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = await request.body()
        try:
            # what is cosigned is on disk before it is answered: a thread may wait for that
            answer = await asyncio.to_thread(witness.add_checkpoint, body)
        except StateBroken as error:
            _log.exception("witness_state_broken")
            return Response(f"{error}\n".encode(), media_type=TEXT_TYPE, status_code=500)
        _log.info("add_checkpoint", status=answer.status)
        return Response(answer.body.encode(), media_type=answer.content_type, status_code=answer.status)

    return Litestar(
        route_handlers=[add_checkpoint],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_REQUEST_BYTES,
        debug=False,
    )
