"""/v1/ledger/erasures, /v1/ledger/retention: what tells of a customer is erased, now or when its time has come."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_requests import BODY, key_of, read_request
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.privacy_examples import ERASURE_APPROVED, ERASURE_ASKED, ERASURE_REQUEST, RETENTION
from gateway.api.privacy_requests import ACTS, READS, asking
from gateway.api.privacy_schemas import ErasureAnswer, ErasureApproval, ErasureRequest, RetentionAnswer
from gateway.api.privacy_wire import customer_of, erasure_wire, privacy_parts
from gateway.api.problems import not_found
from gateway.api.query import read_query
from gateway.privacy.due import dry_run
from gateway.privacy.parts import refuse_part_of_business
from gateway.privacy.requests import approve_erasure, ask_erasure

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/ledger/erasures"


def erasure_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Ask, approve, read; and what is due. For callers whose data scope is unrestricted."""
    return [_ask(parts), _approve(parts), _read(parts), _retention(parts)]


def _ask(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="requestErasure",
        summary="Ask for all that tells of a customer to be erased; shows what would go, and what must be kept and why",
        tags=["ledger"],
        opt=described(
            ACTS,
            asking(ErasureRequest, ErasureAnswer, ERASURE_REQUEST, ERASURE_ASKED),
        ),
    )
    async def ask(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        body = await read_request(parts, request)
        key = key_of(request, body, "ask for a second erasure")
        asked, desk = body.of(ErasureRequest), privacy_parts(parts)
        record, replayed = await ask_erasure(
            desk, caller_of(request.scope), customer_of(asked.customer), asked.reason, key
        )
        headers = [] if replayed else [(b"location", f"{PATH}/{record.erasure_id}".encode())]
        content = await erasure_wire(desk, record, replayed=replayed)
        return json_answer(exchange, content, 200 if replayed else 201, headers)

    return ask


def _approve(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/{{erasureId:str}}/approve",
        operation_id="approveErasure",
        summary="Approve an erasure as a second person: what may go is gone for ever, the rest goes when it may",
        tags=["ledger"],
        status_code=200,
        opt=described(
            ACTS,
            Operation(
                body=ErasureApproval,
                answers={200: ErasureAnswer},
                problems=(*BODY, "in-flight", "not-found", "out-of-scope", "policy-check-failed"),
                example={},
                answer_examples={200: ERASURE_APPROVED},
            ),
        ),
    )
    async def approve(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        body.of(ErasureApproval)
        desk = privacy_parts(parts)
        record = await approve_erasure(desk, caller_of(request.scope), _id_of(request))
        return json_answer(exchange_of(request.scope), await erasure_wire(desk, record))

    return approve


def _read(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{PATH}/{{erasureId:str}}",
        operation_id="getErasure",
        summary="Read an erasure: what is gone, what must be kept and why",
        tags=["ledger"],
        opt=described(
            READS,
            Operation(
                answers={200: ErasureAnswer},
                problems=("not-found", "out-of-scope"),
                answer_examples={200: ERASURE_APPROVED},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        refuse_part_of_business(caller_of(request.scope))
        erasure_id, desk = _id_of(request), privacy_parts(parts)
        record = await desk.store.reads.erasure(erasure_id)
        if record is None:
            raise not_found("erasure")
        return json_answer(exchange_of(request.scope), await erasure_wire(desk, record))

    return read


def _retention(parts: AppParts) -> HTTPRouteHandler:
    @get(
        "/v1/ledger/retention",
        operation_id="getRetention",
        summary="Read how long payloads are kept, and what is due by now; nothing is erased by asking",
        tags=["ledger"],
        opt=described(
            READS,
            Operation(answers={200: RetentionAnswer}, problems=("out-of-scope",), answer_examples={200: RETENTION}),
        ),
    )
    async def retention(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        refuse_part_of_business(caller_of(request.scope))
        desk = privacy_parts(parts)
        found, more = await dry_run(desk)
        rules = [
            {
                "domain": one.domain,
                "geography": one.geography,
                "keepDays": one.keep_days,
                "eraseAfterDays": one.erase_after_days,
                "fromYearEnd": one.from_year_end,
            }
            for one in desk.rules
        ]
        kept = {why: count for why, count in found.items() if why != "erased"}
        content = {"rules": rules, "due": found.get("erased", 0), "kept": kept, "more": more}
        return json_answer(exchange_of(request.scope), content)

    return retention


def _id_of(request: AnyRequest) -> str:
    return checked_id("erasureId", request.scope["path_params"]["erasureId"])
