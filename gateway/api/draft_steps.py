"""/v1/drafts/{draftId}/approve, waive, activate, withdraw: what other persons do to a draft."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, Final

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.draft_bodies import ActivatingAt, Approving, Closing, Waiving, micros
from gateway.api.draft_examples import ACTIVATION, APPROVAL, WAIVER
from gateway.api.draft_requests import BODY, EDIT, desk_of, draft_id_of, etags_of, read_request
from gateway.api.draft_schemas import ActivationAnswer, ApprovalAnswer, WaiverAnswer
from gateway.api.draft_wire import activation_wire, approval_wire, waiver_wire
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.preferences import preferred
from gateway.cutover.activate_draft import activate_draft, settled_within, withdraw_draft
from gateway.cutover.approve_draft import approve_draft, waive_gate
from gateway.domain.activations import OPEN_STATES, ActivationRequest, ActivationState
from gateway.errors import FieldError, Problem
from routing_rules import Rulebook
from routing_rules.calendar import PeriodUnknown
from routing_rules.calendars import calendar_of

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/drafts/{draftId:str}"
PREFER: Final = {"Prefer": "`wait=n` (0 to 8 seconds) waits for the end of the activation, `respond-async` does not."}
_STEP: Final = (*BODY, "not-found", "stale", "document-closed", "policy-check-failed")
_POLL_AFTER_S: Final = 2


def draft_step_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """Approve, waive, activate, withdraw."""
    return [_approve(parts), _waive(parts), _activate(parts), _withdraw(parts)]


def _approve(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/approve",
        operation_id="approveDraft",
        summary="Approve a draft as it was read, over what is in force, with its newest simulation",
        tags=["rules"],
        status_code=200,
        opt=described(
            any_scope_of("rules:approve"),
            Operation(
                body=Approving,
                answers={200: ApprovalAnswer},
                headers=EDIT,
                problems=(*_STEP, "precondition-required"),
                example={"ifMatch": "v2"},
                answer_examples={200: APPROVAL},
            ),
        ),
    )
    async def approve(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        body.of(Approving)
        demanded = etags_of(request, body)
        if demanded is None:
            raise Problem("precondition-required", "An approval names the version of the draft that was read.")
        approval = await approve_draft(desk_of(parts).parts, caller_of(request.scope), draft_id_of(request), demanded)
        desk_of(parts).events_left()
        return json_answer(exchange_of(request.scope), approval_wire(approval))

    return approve


def _waive(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/waive",
        operation_id="waiveGate",
        summary="Let a draft pass without one gate for some time",
        tags=["rules"],
        status_code=200,
        opt=described(
            any_scope_of("rules:waive"),
            Operation(
                body=Waiving,
                answers={200: WaiverAnswer},
                headers=EDIT,
                problems=_STEP,
                example={"gate": "calendar", "reason": "Agreed with finance", "expiresAt": "2026-12-24T00:00:00Z"},
                answer_examples={200: WAIVER},
            ),
        ),
    )
    async def waive(request: AnyRequest) -> Answer:
        body = await read_request(parts, request)
        asked = body.of(Waiving)
        waiver = await waive_gate(
            desk_of(parts).parts,
            caller_of(request.scope),
            draft_id_of(request),
            asked.gate,
            asked.reason,
            micros(asked.expires_at),
            etags_of(request, body),
        )
        desk_of(parts).events_left()
        return json_answer(exchange_of(request.scope), waiver_wire(waiver))

    return waive


def _activate(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/activate",
        operation_id="activateDraft",
        summary="Ask that a draft comes into force: now, at an instant, or at the end of a fiscal period",
        tags=["rules"],
        status_code=200,
        opt=described(
            any_scope_of("rules:activate"),
            Operation(
                body=ActivatingAt,
                answers={200: ActivationAnswer, 202: ActivationAnswer},
                headers=EDIT | PREFER,
                problems=(*_STEP, "document-busy"),
                example={"companyCode": "NW01", "period": "2026-11"},
                answer_examples={
                    200: ACTIVATION | {"state": "activated", "activationNumber": 8},
                    202: ACTIVATION,
                },
            ),
        ),
    )
    async def activate(request: AnyRequest) -> Answer:
        exchange = exchange_of(request.scope)
        body = await read_request(parts, request)
        asked = body.of(ActivatingAt)
        effective_at = _instant(asked, parts.rulebook())
        desk = desk_of(parts)
        wait_s, exchange.preference_applied = preferred(exchange.header(b"prefer"))
        asked_for = await activate_draft(
            desk, caller_of(request.scope), draft_id_of(request), effective_at, etags_of(request, body)
        )
        is_due = effective_at is None or effective_at <= parts.clock.now()
        return activation_answer(exchange, await settled_within(desk.parts, asked_for, wait_s if is_due else 0.0))

    return activate


def _withdraw(parts: AppParts) -> HTTPRouteHandler:
    @post(
        f"{PATH}/withdraw",
        operation_id="withdrawActivation",
        summary="Take back the request to activate a draft before it is due",
        tags=["rules"],
        status_code=200,
        opt=described(
            any_scope_of("rules:activate"),
            Operation(
                body=Closing,
                answers={200: ActivationAnswer},
                problems=_STEP,
                example={},
                answer_examples={200: ACTIVATION | {"state": "withdrawn"}},
            ),
        ),
    )
    async def withdraw(request: AnyRequest) -> Answer:
        (await read_request(parts, request)).of(Closing)
        ended = await withdraw_draft(desk_of(parts), caller_of(request.scope), draft_id_of(request))
        desk_of(parts).events_left()
        return json_answer(exchange_of(request.scope), activation_wire(ended))

    return withdraw


def activation_answer(exchange: Exchange, request: ActivationRequest) -> Answer:
    """What became of the request so far. Raises `policy-check-failed` with the gates where it failed."""
    wire = activation_wire(request)
    if request.state is ActivationState.FAILED:
        failed = wire["failedGates"]
        names = ", ".join(dict.fromkeys(str(one["gate"]) for one in failed))
        why = "; ".join(str(one["why"]) for one in failed[:5])
        raise Problem(
            "policy-check-failed",
            f"The activation failed, and the rules in force stay. Gates that do not hold: {names}. {why}.",
            remedy="Mend what `failedGates` names, then ask again.",
            extra={"activationId": request.activation_id, "failedGates": failed},
        )
    if request.state in OPEN_STATES:
        headers = [(b"retry-after", b"%d" % _POLL_AFTER_S)]
        if request.draft_id is not None:
            headers.append((b"location", f"/v1/drafts/{request.draft_id}".encode()))
        return json_answer(exchange, wire, 202, headers)
    return json_answer(exchange, wire)


def _instant(asked: ActivatingAt, rulebook: Rulebook) -> int | None:
    """µs since 1970 UTC; None: now. Raises `invalid-document`."""
    if asked.period is None and asked.company_code is None:
        return None if asked.effective_at is None else micros(asked.effective_at)
    if asked.period is None or asked.company_code is None or asked.effective_at is not None:
        raise _strange("period", "goes with companyCode, and not with effectiveAt")
    calendar = calendar_of(rulebook.governance, asked.company_code)
    if calendar is None:
        raise _strange("companyCode", "has no calendar in the rules in force")
    try:
        end = calendar.period_named(asked.period).end
    except PeriodUnknown as error:
        raise _strange("period", str(error)) from error
    return micros(datetime.combine(end, time(), UTC))


def _strange(field: str, message: str) -> Problem:
    remedy = "Send nothing for now, effectiveAt, or companyCode and period."
    return Problem("invalid-document", f"{field}: {message}", errors=(FieldError(field, message, remedy),))
