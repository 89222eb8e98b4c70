"""/v1/ledger/holds: what must not be erased; set by one person, lifted by two."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.act_schemas import ActReason
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.draft_requests import BODY, key_of, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.privacy_examples import HOLD_ASKED, HOLD_LIFTED, HOLD_PAGE, HOLD_REQUEST, HOLD_SET
from gateway.api.privacy_requests import ACTS, READS, asking
from gateway.api.privacy_schemas import HoldAnswer, HoldPage, HoldRequest
from gateway.api.privacy_wire import customer_of, hold_wire, privacy_parts
from gateway.api.problems import not_found
from gateway.api.query import CURSOR, PAGE_SIZE, Parameter, page_size, read_query
from gateway.privacy.holds import WantedHold, lift_hold, set_hold
from gateway.privacy.parts import refuse_part_of_business

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/ledger/holds"
_LIFTED: Final = Parameter(
    "lifted", "true|false", "Those too that are lifted; else only those in force.", "true", values=("true", "false")
)
_FILTERS: Final = (_LIFTED, CURSOR, PAGE_SIZE)


def hold_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Set, lift, list, read. For callers whose data scope is unrestricted."""
    return [_set(parts), _lift(parts), _listing(parts), _read(parts)]


def _set(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="setLegalHold",
        summary="Keep all that tells of a customer, or one lineage, from being erased; it holds at once",
        tags=["ledger"],
        opt=described(
            ACTS,
            asking(HoldRequest, HoldAnswer, HOLD_REQUEST, HOLD_SET),
        ),
    )
    async def set_one(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        body = await read_request(parts, request)
        key = key_of(request, body, "set a second hold")
        asked, desk = body.of(HoldRequest), privacy_parts(parts)
        wanted = WantedHold(
            reason=asked.reason,
            customer=None if asked.customer is None else customer_of(asked.customer),
            lineage_id=asked.lineage_id,
        )
        record, replayed = await set_hold(desk, caller_of(request.scope), wanted, key)
        content = {**await hold_wire(desk, record), "replayed": replayed}
        headers = [] if replayed else [(b"location", f"{PATH}/{record.hold_id}".encode())]
        return json_answer(exchange, content, 200 if replayed else 201, headers)

    return set_one


def _lift(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/{{holdId:str}}/lift",
        operation_id="liftLegalHold",
        summary="Ask for the lift of a legal hold, or, as a second person, lift it",
        tags=["ledger"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=ActReason,
                answers={200: HoldAnswer, 202: HoldAnswer},
                problems=(*BODY, "not-found", "out-of-scope", "policy-check-failed", "in-flight"),
                example={"reason": "The case has ended"},
                answer_examples={200: HOLD_LIFTED, 202: HOLD_ASKED},
            ),
        ),
    )
    async def lift(request: AnyRequest) -> Answer:
        body, hold_id = await read_request(parts, request), _id_of(request)
        asked, desk = body.of(ActReason), privacy_parts(parts)
        record = await lift_hold(desk, caller_of(request.scope), hold_id, asked.reason)
        content = {**await hold_wire(desk, record), "replayed": False}
        return json_answer(exchange_of(request.scope), content, 200 if record.state == "lifted" else 202)

    return lift


def _listing(parts: AppParts) -> HTTPRouteHandler:
    @get(
        PATH,
        operation_id="listLegalHolds",
        summary="List legal holds, newest first",
        tags=["ledger"],
        opt=described(
            READS,
            Operation(
                answers={200: HoldPage},
                query=_FILTERS,
                problems=("out-of-scope",),
                answer_examples={200: HOLD_PAGE},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        refuse_part_of_business(caller_of(request.scope))
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        desk = privacy_parts(parts)
        found = list(
            await desk.store.reads.legal_holds(lifted=query.get("lifted") == "true", limit=size + 1, after=after)
        )
        page = found[:size]
        following = make_cursor(PATH, query, page[-1].hold_id) if len(found) > size else None
        items = [await hold_wire(desk, one) for one in page]
        return json_answer(exchange_of(request.scope), {"items": items, "nextCursor": following})

    return listing


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{holdId:str}}",
        operation_id="getLegalHold",
        summary="Read a legal hold: what it keeps, who set it and why, who wants it lifted",
        tags=["ledger"],
        opt=described(
            READS,
            Operation(
                answers={200: HoldAnswer}, problems=("not-found", "out-of-scope"), answer_examples={200: HOLD_SET}
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        refuse_part_of_business(caller_of(request.scope))
        hold_id, desk = _id_of(request), privacy_parts(parts)
        record = await desk.store.reads.legal_hold(hold_id)
        if record is None:
            raise not_found("legal hold")
        content = {**await hold_wire(desk, record), "replayed": False}
        return json_answer(exchange_of(request.scope), content)

    return read


def _id_of(request: AnyRequest) -> str:
    return checked_id("holdId", request.scope["path_params"]["holdId"])
