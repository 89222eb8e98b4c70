"""/v1/exceptions/bulk-moves: one move for many exceptions, shown first and made by the name of what was shown."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_bodies import micros
from gateway.api.draft_requests import BODY, read_request
from gateway.api.exception_examples import BULK_PROGRESS, BULK_RUN, BULK_SHOWN, BULK_WANTED
from gateway.api.exception_schemas import BulkDryRun, BulkFilter, BulkRun, BulkShown, BulkWanted
from gateway.api.exception_wire import dry_run_wire, exception_parts, progress_wire
from gateway.api.exceptions import ACTS, PATH, READS
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.visibility import Visibility
from gateway.domain.exceptions import ExceptionFilter
from gateway.exceptions.bulk import dry_run, progress, run_page

AnyRequest = Request[Any, Any, Any]

BULK: Final = f"{PATH}/bulk-moves"


def bulk_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Dry run, real run by pages, progress."""
    return [_show(parts, visibility), _run(parts, visibility), _progress(parts)]


def _show(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        BULK,
        operation_id="showBulkMove",
        summary="Show what a move for all that a filter meets would deal with; nothing is moved",
        tags=["exceptions"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=BulkWanted,
                answers={200: BulkDryRun},
                problems=(*BODY, "policy-check-failed", "unknown-node"),
                example=BULK_WANTED,
                answer_examples={200: BULK_SHOWN},
            ),
        ),
    )
    async def show(request: AnyRequest) -> Answer:
        asked = (await read_request(parts, request)).of(BulkWanted)
        caller = caller_of(request.scope)
        where = _where(asked.filter, visibility)
        desk = exception_parts(parts)
        run = await dry_run(desk, caller, visibility.of(caller), asked.move, where, asked.reason)
        return json_answer(exchange_of(request.scope), await dry_run_wire(parts, run))

    return show


def _run(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @post(
        f"{BULK}/{{bulkId:str}}/run",
        operation_id="runBulkMove",
        summary="Make the next moves of those that were shown; to be repeated until nothing is left",
        tags=["exceptions"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=BulkRun,
                answers={200: BulkShown},
                problems=(*BODY, "not-found", "policy-check-failed", "stale"),
                example=BULK_RUN,
                answer_examples={200: BULK_PROGRESS},
            ),
        ),
    )
    async def run(request: AnyRequest) -> Answer:
        asked = (await read_request(parts, request)).of(BulkRun)
        caller = caller_of(request.scope)
        desk = exception_parts(parts)
        done = await run_page(desk, caller, visibility.of(caller), _id_of(request), asked.digest)
        return json_answer(exchange_of(request.scope), await progress_wire(desk, done))

    return run


def _progress(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{BULK}/{{bulkId:str}}",
        operation_id="getBulkMove",
        summary="Read how far a bulk move came",
        tags=["exceptions"],
        opt=described(
            READS,
            Operation(answers={200: BulkShown}, problems=("not-found",), answer_examples={200: BULK_PROGRESS}),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = exception_parts(parts)
        found = await progress(desk, _id_of(request))
        return json_answer(exchange_of(request.scope), await progress_wire(desk, found))

    return read


def _where(asked: BulkFilter, visibility: Visibility) -> ExceptionFilter:
    """Raises `unknown-node`."""
    nodes = {
        name: value
        for name, value in (("businessUnit", asked.business_unit), ("geography", asked.geography))
        if value is not None
    }
    return ExceptionFilter(
        state="open",
        reason_code=asked.reason_code,
        cause=asked.cause,
        domain=asked.domain,
        operation=asked.operation,
        business_units=visibility.filtered("businessUnit", nodes),
        geographies=visibility.filtered("geography", nodes),
        system_id=asked.system_id,
        owner_team=asked.owner_team,
        lineage_id=asked.lineage_id,
        opened_from=None if asked.opened_from is None else micros(asked.opened_from),
        opened_until=None if asked.opened_until is None else micros(asked.opened_until),
    )


def _id_of(request: AnyRequest) -> str:
    """Raises `invalid-request`."""
    return checked_id("bulkId", request.scope["path_params"]["bulkId"])
