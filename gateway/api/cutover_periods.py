"""/v1/cutover/periods: fiscal periods of company codes, closed and reopened by acts."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.act_schemas import (
    PERIOD_EXAMPLE,
    PERIODS_EXAMPLE,
    REOPENED_EXAMPLE,
    ActReason,
    PeriodAnswer,
    PeriodPage,
)
from gateway.api.act_wire import acting_parts, period_wire
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.cutover_overlays import ACTS, READS
from gateway.api.draft_requests import BODY, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import CURSOR, NODE, PAGE_SIZE, Parameter, page_size, read_query
from gateway.cutover.periods import act_on_period

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/cutover/periods"
PERIOD: Final = r"[0-9]{4}-[0-9]{2}"
_PLACE: Final = rf"{NODE}/{PERIOD}"
"""Where a list goes on."""
_COMPANY_CODE: Final = Parameter("companyCode", NODE, "Of this company code only.", "NW01")
_FILTERS: Final = (_COMPANY_CODE, CURSOR, PAGE_SIZE)
_SUMMARIES: Final = {
    "close": "Close a fiscal period: nothing may be posted into it any more",
    "reopen": "Reopen a closed fiscal period",
}
_EXAMPLES: Final = {
    "close": ({"reason": "November is closed"}, PERIOD_EXAMPLE),
    "reopen": ({"reason": "An invoice was forgotten"}, REOPENED_EXAMPLE),
}


def period_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Close, reopen, list."""
    return [_act(parts, "close"), _act(parts, "reopen"), _listing(parts)]


def _act(parts: AppParts, act: Literal["close", "reopen"]) -> HTTPRouteHandler:
    body, answer = _EXAMPLES[act]

    @post(
        f"{PATH}/{{companyCode:str}}/{{period:str}}/{act}",
        operation_id=f"{act}Period",
        summary=_SUMMARIES[act],
        tags=["cutover"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=ActReason,
                answers={200: PeriodAnswer},
                problems=(*BODY, "not-found", "out-of-scope", "policy-check-failed", "in-flight"),
                example=body,
                answer_examples={200: answer},
            ),
        ),
    )
    async def act_on(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        company_code = _checked(request, "companyCode", NODE, "NW01")
        period = _checked(request, "period", PERIOD, "2026-11")
        asked, acts = body.of(ActReason), acting_parts(parts)
        record = await act_on_period(acts, caller_of(request.scope), act, company_code, period, asked.reason)
        return json_answer(exchange_of(request.scope), await period_wire(acts.reads, record))

    return act_on


def _listing(parts: AppParts) -> HTTPRouteHandler:
    @get(
        PATH,
        operation_id="listPeriods",
        summary="List the fiscal periods that were closed, reopened or tied out",
        tags=["cutover"],
        opt=described(
            READS, Operation(answers={200: PeriodPage}, query=_FILTERS, answer_examples={200: PERIODS_EXAMPLE})
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        size, place = page_size(query, parts.limits), read_cursor(PATH, query, _PLACE)
        reads = acting_parts(parts).reads
        company_code, _, period = (place or "").partition("/")
        after = (company_code, period) if place is not None else None
        found = list(await reads.periods(query.get("companyCode"), size + 1, after))
        page = found[:size]
        last = f"{page[-1].company_code}/{page[-1].period}" if len(found) > size else None
        items = [await period_wire(reads, one) for one in page]
        following = make_cursor(PATH, query, last) if last is not None else None
        return json_answer(exchange_of(request.scope), {"items": items, "nextCursor": following})

    return listing


def _checked(request: AnyRequest, name: str, pattern: str, example: str) -> str:
    """Raises `invalid-request`."""
    text = str(request.scope["path_params"][name])
    if re.fullmatch(pattern, text) is None:
        raise malformed(name, "is not of the form that is asked for", f"An example is {example}")
    return text
