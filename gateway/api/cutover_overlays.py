"""/v1/cutover/overlays: what people and monitors lay over the rules, and how it is lifted."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.act_schemas import (
    ASKED_EXAMPLE,
    LIFTED_EXAMPLE,
    OVERLAY_EXAMPLE,
    OVERLAYS_EXAMPLE,
    SETTING_EXAMPLE,
    ActReason,
    OverlayAnswer,
    OverlayPage,
    OverlaySetting,
)
from gateway.api.act_wire import acting_parts, overlay_wire
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.draft_bodies import micros
from gateway.api.draft_requests import BODY, KEYED, key_of, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import CURSOR, PAGE_SIZE, Parameter, page_size, read_query
from gateway.cutover.overlays import Wanted, lift_overlay, set_overlay
from routing_rules import Overlay

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/cutover/overlays"
READS: Final = any_scope_of("ledger:read", "operations:act")
ACTS: Final = any_scope_of("operations:act")
_LIFTED: Final = Parameter(
    "lifted", "true|false", "Those too that are lifted; else only those in force.", "true", values=("true", "false")
)
_FILTERS: Final = (_LIFTED, CURSOR, PAGE_SIZE)


def overlay_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Set, lift, list, read."""
    return [_set(parts), _lift(parts), _listing(parts), _read(parts)]


def _set(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="setOverlay",
        summary="Lay a freeze, a hold or a pause over a slice; it bites at once",
        tags=["cutover"],
        opt=described(
            ACTS,
            Operation(
                body=OverlaySetting,
                answers={201: OverlayAnswer, 200: OverlayAnswer},
                headers=KEYED,
                problems=(
                    *BODY,
                    "missing-idempotency-key",
                    "idempotency-key-reused",
                    "in-flight",
                    "unknown-node",
                    "domain-not-served",
                    "out-of-scope",
                    "policy-check-failed",
                ),
                example=SETTING_EXAMPLE,
                answer_examples={201: OVERLAY_EXAMPLE, 200: OVERLAY_EXAMPLE | {"replayed": True}},
            ),
        ),
    )
    async def set_one(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        body = await read_request(parts, request)
        key = key_of(request, body, "set a second overlay")
        asked = body.of(OverlaySetting)
        domain, business_unit, geography = asked.slice.split(".")
        wanted = Wanted(
            overlay=Overlay(asked.overlay),
            domain=domain,
            business_unit=business_unit,
            geography=geography,
            reason=asked.reason,
            expected_until=None if asked.expected_until is None else micros(asked.expected_until),
        )
        acts = acting_parts(parts)
        record, replayed = await set_overlay(acts, caller_of(request.scope), wanted, key)
        content = {**await overlay_wire(acts.reads, record), "replayed": replayed}
        headers = [] if replayed else [(b"location", f"{PATH}/{record.overlay_id}".encode())]
        return json_answer(exchange, content, 200 if replayed else 201, headers)

    return set_one


def _lift(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/{{overlayId:str}}/lift",
        operation_id="liftOverlay",
        summary="Ask for the lift of an overlay, or, as a second person, lift it",
        tags=["cutover"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=ActReason,
                answers={200: OverlayAnswer, 202: OverlayAnswer},
                problems=(*BODY, "not-found", "out-of-scope", "policy-check-failed", "in-flight"),
                example={"reason": "Counted"},
                answer_examples={200: LIFTED_EXAMPLE, 202: ASKED_EXAMPLE},
            ),
        ),
    )
    async def lift(request: AnyRequest) -> Answer:
        body, overlay_id = await read_request(parts, request), _id_of(request)
        asked, acts = body.of(ActReason), acting_parts(parts)
        record = await lift_overlay(acts, caller_of(request.scope), overlay_id, asked.reason)
        content = {**await overlay_wire(acts.reads, record), "replayed": False}
        return json_answer(exchange_of(request.scope), content, 200 if record.state == "lifted" else 202)

    return lift


def _listing(parts: AppParts) -> HTTPRouteHandler:
    @get(
        PATH,
        operation_id="listOverlays",
        summary="List overlays, newest first",
        tags=["cutover"],
        opt=described(
            READS, Operation(answers={200: OverlayPage}, query=_FILTERS, answer_examples={200: OVERLAYS_EXAMPLE})
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        reads = acting_parts(parts).reads
        found = list(await reads.overlays(lifted=query.get("lifted") == "true", limit=size + 1, after=after))
        page = found[:size]
        following = make_cursor(PATH, query, page[-1].overlay_id) if len(found) > size else None
        items = [await overlay_wire(reads, one) for one in page]
        return json_answer(exchange_of(request.scope), {"items": items, "nextCursor": following})

    return listing


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{overlayId:str}}",
        operation_id="getOverlay",
        summary="Read an overlay: what it lies over, who set it and why, who wants it lifted",
        tags=["cutover"],
        opt=described(
            READS,
            Operation(answers={200: OverlayAnswer}, problems=("not-found",), answer_examples={200: OVERLAY_EXAMPLE}),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        overlay_id = _id_of(request)
        reads = acting_parts(parts).reads
        record = await reads.overlay(overlay_id)
        if record is None:
            raise not_found("overlay")
        return json_answer(exchange_of(request.scope), {**await overlay_wire(reads, record), "replayed": False})

    return read


def _id_of(request: AnyRequest) -> str:
    """Raises `invalid-request`."""
    return checked_id("overlayId", request.scope["path_params"]["overlayId"])
