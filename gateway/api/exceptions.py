"""/v1/exceptions: what stands in front of people, and who cares for it."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post, put
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from adapters.port import Operation as Verb
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.draft_requests import BODY, read_request
from gateway.api.exception_examples import (
    CLAIMED,
    EXCEPTION,
    EXCEPTION_PAGE,
    OWNER_WANTED,
)
from gateway.api.exception_schemas import (
    ExceptionAnswer,
    ExceptionClaim,
    ExceptionPage,
    OwnerWanted,
)
from gateway.api.exception_wire import exception_parts, exceptions_wire, moves_wire
from gateway.api.exchange import exchange_of
from gateway.api.filters import check_filters
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import ID_PATTERN, checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import CURSOR, INSTANT, NODE, PAGE_SIZE, Parameter, instant, page_size, read_query
from gateway.api.visibility import Visibility
from gateway.domain.exceptions import ExceptionFilter, ExceptionRecord
from gateway.domain.identity import person_commitment
from gateway.exceptions.owning import Owner, assign, claim

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/exceptions"
ONE: Final = f"{PATH}/{{exceptionId:str}}"
READS: Final = any_scope_of("ledger:read", "operations:act")
ACTS: Final = any_scope_of("operations:act")
_STATES: Final = ("open", "closed")
_FILTERS: Final = (
    Parameter("state", "[a-z]{1,10}", "Only those that are open, or closed; both if left out.", "open", values=_STATES),
    Parameter("reasonCode", "[a-z-]{1,40}", "Why it needs a person.", "rejected-by-erp"),
    Parameter("cause", "[a-z0-9-]{1,60}", "The closer word.", "several-found"),
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", values=tuple(DOMAINS)),
    Parameter("operation", "[a-z]{1,10}", "What was asked for.", "create", values=tuple(one.value for one in Verb)),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "Western"),
    Parameter("geography", NODE, "A geography, with all below it.", "US"),
    Parameter("systemId", NODE, "The ERP.", "legacy-main"),
    Parameter("ownerTeam", "[!-~]{1,64}", "The team that cares for it.", "finance"),
    Parameter("ownerPerson", "[^\\x00-\\x1f\\x7f]{1,256}", "The person who cares for it, as tokens say.", "ann"),
    Parameter("transactionId", ID_PATTERN, "Its transaction.", "txn_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("lineageId", ID_PATTERN, "Its lineage.", "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter(
        "openedFrom", INSTANT, "Opened at or after this instant (RFC 3339).", "2026-11-01T00:00:00Z", form="date-time"
    ),
    Parameter(
        "openedUntil", INSTANT, "Opened before this instant (RFC 3339).", "2026-12-01T00:00:00Z", form="date-time"
    ),
    CURSOR,
    PAGE_SIZE,
)


def exception_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """List, read and own. What lies outside the caller's data scope is not there."""
    return [
        _listing(parts, visibility),
        _read(parts, visibility),
        _claim(parts, visibility),
        _assign(parts, visibility),
    ]


def _listing(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @get(
        PATH,
        operation_id="listExceptions",
        summary="List exceptions, the oldest first",
        tags=["exceptions"],
        opt=described(
            READS,
            Operation(
                answers={200: ExceptionPage},
                query=_FILTERS,
                problems=("unknown-node",),
                answer_examples={200: EXCEPTION_PAGE},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        check_filters(query, parts.rulebook())
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        desk = exception_parts(parts)
        person = query.get("ownerPerson")
        where = ExceptionFilter(
            state=query.get("state"),
            reason_code=query.get("reasonCode"),
            cause=query.get("cause"),
            domain=query.get("domain"),
            operation=query.get("operation"),
            business_units=visibility.filtered("businessUnit", query),
            geographies=visibility.filtered("geography", query),
            system_id=query.get("systemId"),
            owner_team=query.get("ownerTeam"),
            owner_person=None if person is None else person_commitment(desk.line().tools.commitment_key, person),
            transaction_id=query.get("transactionId"),
            lineage_id=query.get("lineageId"),
            opened_from=instant(query, "openedFrom"),
            opened_until=instant(query, "openedUntil"),
        )
        visible = visibility.of(caller_of(request.scope))
        found = list(await desk.reads.exceptions(where, visible, size + 1, after))
        page = found[:size]
        following = make_cursor(PATH, query, page[-1].exception_id) if len(found) > size else None
        items = await exceptions_wire(parts, page, now=parts.clock.now())
        return json_answer(exchange_of(request.scope), {"items": items, "nextCursor": following})

    return listing


def _read(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @get(
        ONE,
        operation_id="getException",
        summary="Read an exception: why it needs a person, what the ERP said, which moves are allowed, what was done",
        tags=["exceptions"],
        opt=described(
            READS,
            Operation(answers={200: ExceptionAnswer}, problems=("not-found",), answer_examples={200: EXCEPTION}),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        visible = visibility.of(caller_of(request.scope))
        record = await exception_parts(parts).reads.exception(exception_id_of(request), visible)
        if record is None:
            raise not_found("exception")
        return json_answer(exchange_of(request.scope), await whole(parts, record))

    return read


def _claim(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{ONE}/claim",
        operation_id="claimException",
        summary="Care for an exception from now on",
        tags=["exceptions"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=ExceptionClaim,
                answers={200: ExceptionAnswer},
                problems=(*BODY, "not-found", "policy-check-failed", "stale"),
                example={},
                answer_examples={200: CLAIMED},
            ),
        ),
    )
    async def claim_one(request: AnyRequest) -> Answer:
        (await read_request(parts, request)).of(ExceptionClaim)
        caller = caller_of(request.scope)
        record = await claim(exception_parts(parts), caller, visibility.of(caller), exception_id_of(request))
        return json_answer(exchange_of(request.scope), await whole(parts, record))

    return claim_one


def _assign(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @put(
        f"{ONE}/owner",
        operation_id="assignException",
        summary="Give an exception to a team, a person, or nobody",
        tags=["exceptions"],
        opt=described(
            ACTS,
            Operation(
                body=OwnerWanted,
                answers={200: ExceptionAnswer},
                problems=(*BODY, "not-found", "policy-check-failed", "stale"),
                example=OWNER_WANTED,
                answer_examples={200: CLAIMED},
            ),
        ),
    )
    async def assign_one(request: AnyRequest) -> Answer:
        asked = (await read_request(parts, request)).of(OwnerWanted)
        caller = caller_of(request.scope)
        owner = Owner(asked.owner_team, asked.owner_person)
        record = await assign(exception_parts(parts), caller, visibility.of(caller), exception_id_of(request), owner)
        return json_answer(exchange_of(request.scope), await whole(parts, record))

    return assign_one


async def whole(parts: AppParts, record: ExceptionRecord) -> dict[str, Any]:
    """An exception with its moves."""
    [shown] = await exceptions_wire(parts, [record], now=parts.clock.now())
    return shown | {"moves": await moves_wire(exception_parts(parts), record)}


def exception_id_of(request: AnyRequest) -> str:
    """Raises `invalid-request`."""
    return checked_id("exceptionId", request.scope["path_params"]["exceptionId"])
