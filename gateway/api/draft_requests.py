"""What requests about drafts share: who serves them, their bodies, ids and conditions."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request

from gateway.api.body import read_body
from gateway.api.draft_bodies import ReadBody, limits_of_files
from gateway.api.etags import if_match
from gateway.api.exchange import exchange_of
from gateway.api.idempotency import idempotency_key
from gateway.api.identifiers import checked_id
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.cutover.activate_draft import Activating
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]
BodyOf = ReadBody

BODY: Final = ("request-timeout", "too-large", "unsupported-media-type", "invalid-document")
"""Problems of every request with a body."""
KEYED: Final = {
    "Idempotency-Key": "Required, here or as the member idempotencyKey for callers that cannot send headers (400 "
    "missing-idempotency-key): names this request on all its repetitions. Scope: your client and this operation; a key "
    "used here may be used elsewhere for another request.",
}
NAMED: Final = {
    "Idempotency-Key": "Names this request on all its repetitions; or the member idempotencyKey. Scope: your client "
    "and this operation.",
}
EDIT: Final = {"If-Match": "The draft's ETag as it was read; or the member ifMatch."}


def desk_of(parts: AppParts) -> Activating:
    """Who serves drafts. Raises `not-ready` where this process does not."""
    if parts.drafts is None:
        raise Problem("not-ready", "This process does not serve drafts.", retry_after_s=30)
    return parts.drafts


async def read_request(parts: AppParts, request: AnyRequest) -> ReadBody:
    """The body of a request that has no query."""
    read_query(request.scope["query_string"], (), parts.limits)
    raw = await read_body(exchange_of(request.scope), request.receive, parts.limits)
    return ReadBody(raw, limits_of_files(parts.limits))


def key_of(request: AnyRequest, body: ReadBody, repeat: str) -> str:
    """The key of a request that needs one. `repeat`: what one without it would do, such as `ask for a second move`.

    Raises `missing-idempotency-key`, and `invalid-request` for one out of form.
    """
    key = idempotency_key(exchange_of(request.scope).header(b"idempotency-key"), body.key)
    if key is None:
        raise Problem("missing-idempotency-key", f"Without a key a repeat would {repeat}.")
    return key


def draft_id_of(request: AnyRequest) -> str:
    """Raises `invalid-request`."""
    return checked_id("draftId", request.scope["path_params"]["draftId"])


def etags_of(request: AnyRequest, body: ReadBody) -> frozenset[str] | None:
    """The ETags of which the draft must have one, compared strongly; None: any will do."""
    tags = if_match(exchange_of(request.scope).header(b"if-match"), body.if_match)
    return None if tags is None or tags.anything else frozenset(tags.strong)
