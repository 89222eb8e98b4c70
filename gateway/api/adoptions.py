"""/v1/cutover/adoptions: lineages that were migrated elsewhere; asked for by one person, approved by another."""

from __future__ import annotations

import json
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.adoption_schemas import (
    APPROVED,
    REQUEST,
    REQUESTED,
    AdoptionAnswer,
    AdoptionApproval,
    AdoptionRequest,
)
from gateway.api.answer import Answer, json_answer
from gateway.api.draft_requests import BODY, KEYED, key_of, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import read_query
from gateway.api.slices import slice_parts
from gateway.cutover.adoption_batch import WantedBatch, WantedLine
from gateway.domain.adoptions import AdoptionLineRecord
from gateway.domain.wire import instant
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/cutover/adoptions"
_ACTS: Final = any_scope_of("operations:act")


def adoption_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Ask for, approve, read. For callers whose data scope is unrestricted: a batch may hold lineages of any slice."""
    return [_request(parts), _approve(parts), _read(parts)]


def _request(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="requestAdoption",
        summary="Ask for lineages to be adopted by the system to which they were migrated",
        tags=["cutover"],
        opt=described(
            _ACTS,
            Operation(
                body=AdoptionRequest,
                answers={201: AdoptionAnswer},
                headers=KEYED,
                problems=(
                    *BODY,
                    "missing-idempotency-key",
                    "in-flight",
                    "idempotency-key-reused",
                    "not-found",
                    "out-of-scope",
                    "policy-check-failed",
                ),
                example=REQUEST,
                answer_examples={201: REQUESTED},
            ),
        ),
    )
    async def request_one(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        key = key_of(request, body, "ask for a second batch")
        batch = _batch(body.of(AdoptionRequest), key)
        adoption_id = await slice_parts(parts).adopting.request(caller_of(request.scope), batch)
        return await _answer(parts, request, adoption_id, 201)

    return request_one


def _approve(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/{{adoptionId:str}}/approve",
        operation_id="approveAdoption",
        summary="Approve a batch as a second person: every line is checked in both systems and moves, or is refused",
        tags=["cutover"],
        status_code=200,
        opt=described(
            _ACTS,
            Operation(
                body=AdoptionApproval,
                answers={200: AdoptionAnswer},
                problems=(*BODY, "in-flight", "not-found", "out-of-scope", "policy-check-failed"),
                example={},
                answer_examples={200: APPROVED},
            ),
        ),
    )
    async def approve(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        body.of(AdoptionApproval)
        adoption_id = checked_id("adoptionId", request.scope["path_params"]["adoptionId"])
        await slice_parts(parts).adopting.approve(caller_of(request.scope), adoption_id)
        return await _answer(parts, request, adoption_id, 200)

    return approve


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{adoptionId:str}}",
        operation_id="getAdoption",
        summary="Read what became of a batch, line by line",
        tags=["cutover"],
        opt=described(
            any_scope_of("ledger:read", "operations:act"),
            Operation(
                answers={200: AdoptionAnswer}, problems=("not-found", "out-of-scope"), answer_examples={200: APPROVED}
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        scope = caller_of(request.scope).data_scope
        if scope.business_units is not None or scope.geographies is not None:
            raise Problem("out-of-scope", "A batch may hold lineages of every slice; your token covers a part of them.")
        adoption_id = checked_id("adoptionId", request.scope["path_params"]["adoptionId"])
        return await _answer(parts, request, adoption_id, 200)

    return read


def _batch(asked: AdoptionRequest, key: str) -> WantedBatch:
    totals = {one.currency_code: one.amount for one in asked.control.amounts}
    if len(totals) != len(asked.control.amounts):
        raise malformed("control.amounts", "names a currency twice", "Give one amount of each currency.")
    if len({one.lineage_id for one in asked.lines}) != len(asked.lines):
        raise malformed("lines", "names a lineage twice", "Give each lineage once.")
    if asked.from_system_id == asked.to_system_id:
        raise malformed("toSystemId", "is the system that the lineages are in", "Name the system that they went to.")
    return WantedBatch(
        from_system_id=asked.from_system_id,
        to_system_id=asked.to_system_id,
        effective_on=asked.effective_on,
        control_count=asked.control.lineage_count,
        control_totals=totals,
        lines=[WantedLine(one.lineage_id, one.document_type, one.document_number) for one in asked.lines],
        idempotency_key=key,
    )


async def _answer(parts: AppParts, request: AnyRequest, adoption_id: str, status: int) -> Answer:
    found = await slice_parts(parts).adopting.read(adoption_id)
    if found is None:
        raise not_found("batch")
    record, lines = found
    headers = [(b"location", f"{PATH}/{adoption_id}".encode())] if status == 201 else []
    content = {
        "adoptionId": record.adoption_id,
        "state": record.state,
        "fromSystemId": record.from_system_id,
        "toSystemId": record.to_system_id,
        "effectiveOn": record.effective_on,
        "control": {"lineageCount": record.control_count, "amounts": json.loads(record.control_totals)},
        "requestedAt": instant(record.requested_at),
        "requestedBy": record.requested_by,
        "approvedAt": _instant(record.approved_at),
        "approvedBy": record.approved_by,
        "adopted": sum(one.state == "adopted" for one in lines),
        "refused": sum(one.state == "refused" for one in lines),
        "lines": [_line(one) for one in lines],
    }
    return json_answer(exchange_of(request.scope), content, status, headers)


def _line(line: AdoptionLineRecord) -> dict[str, Any]:
    return {
        "lineageId": line.lineage_id,
        "documentType": line.document_type,
        "documentNumber": line.document_number,
        "state": line.state,
        "reason": line.reason,
        "settledAt": _instant(line.settled_at),
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else instant(at)
