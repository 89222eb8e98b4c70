"""/v1/transactions/{transactionId}/explanation: how it was decided then, and how it would be decided now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from pydantic import Field

from gateway.api.answer import Answer, json_answer
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.examples import ROUTING
from gateway.api.exchange import exchange_of
from gateway.api.explanation_schemas import DecisionExplanation, OverlayInForce
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import Parameter, read_query
from gateway.api.visibility import Visibility
from gateway.api.wording import explanation_in_wire_words
from gateway.cutover.past_decisions import PastDecisions
from routing_rules import Facts

AnyRequest = Request[Any, Any, Any]

_QUERY: Final = (
    Parameter("whyNot", r"[A-Za-z0-9_.-]{1,64}", "A row of then: why it did not decide, and what would.", "o-base"),
)


class NumberedExplanation(DecisionExplanation):
    """A decision under the rules with this activation number."""

    activation_number: int
    overlay_in_force: OverlayInForce | None = Field(
        None, description="Only of now: what lies over the slice, set or planned; null if nothing does."
    )


class StoredDecision(AnswerModel):
    """What the entry `routed` says. `ruledSystemId`: the system that the rules named where the gateway keeps the
    document itself. `pinned`: it follows its lineage."""

    system_id: str
    ruled_system_id: str | None
    stage: str
    row: str | None
    table_version: str | None
    activation_number: int | None
    pinned: bool
    explanation: str | None


class PastDecision(Answered):
    """`governingTransactionId`: whose decision it was, its own or that of its lineage's root. `reproduced`: what was
    recorded of facts and rules gives the stored decision. `wouldDiffer`: system or stage would be others now.
    `remark`: why something could not be told."""

    transaction_id: str
    decided_at: str
    governing_transaction_id: str | None
    stored: StoredDecision
    reproduced: bool | None
    as_of_then: NumberedExplanation | None
    as_of_now: NumberedExplanation | None
    would_differ: bool | None
    remark: str | None


_ID: Final = "txn_01JD9Q5V8W2M4N6P8R0S2T4V6Y"
_THEN: Final = {name: value for name, value in ROUTING.items() if name != "traceId"}
_EXAMPLE: Final[Mapping[str, Any]] = {
    "transactionId": _ID,
    "decidedAt": "2026-11-23T18:58:00.000001Z",
    "governingTransactionId": _ID,
    "stored": {
        "systemId": ROUTING["target"]["systemId"],
        "ruledSystemId": None,
        "stage": ROUTING["stage"],
        "row": ROUTING["namedRow"],
        "tableVersion": ROUTING["tableVersion"],
        "activationNumber": 1,
        "pinned": False,
        "explanation": ROUTING["effect"],
    },
    "reproduced": True,
    "asOfThen": _THEN,
    "asOfNow": {**_THEN, "activationNumber": 4},
    "wouldDiffer": False,
    "remark": None,
    "traceId": ROUTING["traceId"],
}


def past_decision_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Explain one. What lies outside the caller's data scope is not found."""
    past = PastDecisions(parts.reads)

    def now(facts: Facts) -> Mapping[str, Any]:
        return explanation_in_wire_words(parts.submissions.explain(facts).body)

    @get(
        "/v1/transactions/{transactionId:str}/explanation",
        operation_id="explainTransaction",
        summary="Explain how a transaction was decided then, and how it would be decided now",
        tags=["transactions"],
        opt=described(
            any_scope_of("documents:read", "ledger:read", "rules:edit", "operations:act"),
            Operation(
                answers={200: PastDecision},
                query=_QUERY,
                problems=("not-found",),
                answer_examples={200: _EXAMPLE},
            ),
        ),
    )
    async def explain(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _QUERY, parts.limits)
        transaction_id = checked_id("transactionId", request.scope["path_params"]["transactionId"])
        visible = visibility.of(caller_of(request.scope))
        record = await parts.reads.transaction(transaction_id, visible)
        if record is None:
            raise not_found("transaction")
        told = await past.explain(record, visible, now, query.get("whyNot"))
        if told["asOfThen"] is not None:
            told["asOfThen"] = explanation_in_wire_words(told["asOfThen"])
        return json_answer(exchange_of(request.scope), told)

    return [explain]
