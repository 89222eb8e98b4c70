"""/v1/drafts/{draftId}/simulations and /v1/simulations: drafts replayed on recorded traffic."""

from __future__ import annotations

import json
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_bodies import micros
from gateway.api.draft_requests import BODY, draft_id_of, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.simulation_examples import SIMULATION, SIMULATION_REQUEST, SIMULATIONS
from gateway.api.simulation_requests import desk_of
from gateway.api.simulation_schemas import SimulationAnswer, SimulationList, SimulationRequest
from gateway.api.simulation_wire import PATH, simulation_wire, summary_wire
from gateway.cutover.simulation import Window
from gateway.cutover.simulation_html import html_of
from gateway.domain.simulations import SimulationRecord
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]

READS: Final = any_scope_of("ledger:read", "rules:edit", "rules:approve")
RETRY_S: Final = 2
"""Seconds after which to look again at a simulation that runs."""
_HTML: Final = b"text/html; charset=utf-8"
_NOTHING_FROM_ELSEWHERE: Final = [(b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")]
"""Whatever a report may hold, a browser runs and fetches nothing for it."""


def simulation_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Begin, list, read, report."""
    return [_begin(parts), _listing(parts), _read(parts), _report(parts)]


def _begin(parts: AppParts) -> HTTPRouteHandler:
    @post(
        "/v1/drafts/{draftId:str}/simulations",
        operation_id="simulateDraft",
        summary="Replay recorded traffic through what is in force and this draft; a repeat gets the one that runs",
        tags=["rules"],
        opt=described(
            any_scope_of("rules:edit"),
            Operation(
                body=SimulationRequest,
                answers={202: SimulationAnswer},
                problems=(*BODY, "not-found", "document-closed", "out-of-scope"),
                example=SIMULATION_REQUEST,
                answer_examples={202: SIMULATION},
            ),
        ),
    )
    async def begin(request: AnyRequest) -> Answer:
        body = (await read_request(parts, request)).of(SimulationRequest)
        desk = desk_of(parts, request)
        window = Window(micros(body.since), micros(body.until))
        record = await desk.simulator.begin(caller_of(request.scope).client, draft_id_of(request), window)
        content = simulation_wire(record) | {"retryAfterS": RETRY_S}
        headers = [(b"location", content["statusUrl"].encode()), (b"retry-after", b"%d" % RETRY_S)]
        return json_answer(exchange_of(request.scope), content, 202, headers)

    return begin


def _listing(parts: AppParts) -> HTTPRouteHandler:
    @get(
        "/v1/drafts/{draftId:str}/simulations",
        operation_id="listSimulations",
        summary="List a draft's simulations, newest first",
        tags=["rules"],
        opt=described(
            READS,
            Operation(
                answers={200: SimulationList},
                problems=("not-found", "out-of-scope"),
                answer_examples={200: SIMULATIONS},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        desk = desk_of(parts, request)
        draft_id = draft_id_of(request)
        if await desk.reads.draft(draft_id) is None:
            raise Problem("not-found", f"There is no draft {draft_id}.")
        found = await desk.reads.simulations_of(draft_id)
        return json_answer(exchange_of(request.scope), {"items": [summary_wire(one) for one in found]})

    return listing


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{simulationId:str}}",
        operation_id="getSimulation",
        summary="Read a simulation: how far it is, and what it found",
        tags=["rules"],
        opt=described(
            READS,
            Operation(
                answers={200: SimulationAnswer},
                problems=("not-found", "out-of-scope"),
                answer_examples={200: SIMULATION},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        return json_answer(exchange_of(request.scope), simulation_wire(await _named(parts, request)))

    return read


def _report(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{simulationId:str}}/report",
        operation_id="getSimulationReport",
        summary="Read a simulation that is done as one HTML page with charts, which needs nothing else",
        tags=["rules"],
        opt=described(
            READS,
            Operation(
                answers={200: None},
                answer_media_type="text/html",
                answer_headers={200: ("Content-Security-Policy",)},
                problems=("not-found", "out-of-scope"),
                answer_examples={200: '<!doctype html>\n<html lang="en">…</html>\n'},
            ),
        ),
    )
    async def report(request: AnyRequest) -> Answer:
        record = await _named(parts, request)
        if record.result is None:
            raise Problem("not-found", f"The simulation {record.simulation_id} is {record.state.value}.")
        page = html_of(json.loads(record.result)).encode()
        return Answer(200, page, _HTML, _NOTHING_FROM_ELSEWHERE)

    return report


async def _named(parts: AppParts, request: AnyRequest) -> SimulationRecord:
    read_query(request.scope["query_string"], (), parts.limits)
    desk = desk_of(parts, request)
    simulation_id = checked_id("simulationId", request.scope["path_params"]["simulationId"])
    found = await desk.reads.simulation(simulation_id)
    if found is None:
        raise Problem("not-found", f"There is no simulation {simulation_id}.")
    return found
