"""/v1/ledger/questions: what people ask about one document, by any of its names, one call each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from gateway.api.answer import Answer
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded
from gateway.api.ledger_named_examples import EVENTS_TOLD, WAITING_DOCUMENTS, WHERE_STUCK, WHY_FAILED
from gateway.api.ledger_named_schemas import EventsToldAnswer, WaitingDocumentsAnswer, WhereStuckAnswer, WhyFailedAnswer
from gateway.api.ledger_schemas import LedgerAnswered
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import EXTERNAL_ID, NODE, Parameter, read_query
from gateway.api.visibility import Visibility
from gateway.domain.document_names import NamedBy
from gateway.domain.named_question import NamedQuestion
from gateway.ledger.named_questions import QUESTIONS

QUESTIONS_PATH: Final = f"{PATH}/questions"
NAMED: Final = (
    Parameter(
        "name",
        EXTERNAL_ID,
        "Any name: an id, an external id, a number or reference in any ERP.",
        "4500000017",
        required=True,
    ),
    Parameter(
        "domain", "[a-z_]{1,20}", "The document family, where a name means several.", "orders", values=tuple(DOMAINS)
    ),
    Parameter("source", NODE, "Who owns the external id.", "salesforce"),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a question is described."""

    name: NamedQuestion
    operation_id: str
    summary: str
    answer: type[LedgerAnswered]
    example: dict[str, Any]


_ASKED: Final = (
    _Asked(
        NamedQuestion.WHERE_STUCK,
        "findWhereStuck",
        "Tell where an order or any other document is stuck, what it waits for, since when, and what to do",
        WhereStuckAnswer,
        WHERE_STUCK,
    ),
    _Asked(
        NamedQuestion.WHY_FAILED,
        "findWhyFailed",
        "Tell why an invoice or any other document failed: the ERP's own words, the member, and the remedy",
        WhyFailedAnswer,
        WHY_FAILED,
    ),
    _Asked(
        NamedQuestion.EVENTS_TOLD,
        "findEventsTold",
        "Tell whether a payment or any other document was sent again, and which events told of it",
        EventsToldAnswer,
        EVENTS_TOLD,
    ),
    _Asked(
        NamedQuestion.WAITING_DOCUMENTS,
        "findWaitingDocuments",
        "List the documents that wait for a document to be posted",
        WaitingDocumentsAnswer,
        WAITING_DOCUMENTS,
    ),
)


def ledger_named_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """An address for each question. What lies outside the caller's data scope is not there."""
    return [_route(parts, visibility, one) for one in _ASKED]


def _route(parts: AppParts, visibility: Visibility, asked: _Asked) -> HTTPRouteHandler:
    path, ask = f"{QUESTIONS_PATH}/{asked.name}", QUESTIONS[asked.name]

    @get(
        path,
        operation_id=asked.operation_id,
        summary=asked.summary,
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: asked.answer},
                query=NAMED,
                problems=("not-found",),
                answer_examples={200: asked.example},
            ),
        ),
    )
    async def answer(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], NAMED, parts.limits)
        where = NamedBy(name=query["name"], domain=query.get("domain"), source=query.get("source"))
        found = await ask(ledger_of(parts).reads, where, visibility.of(caller_of(request.scope)))
        if found is None:
            raise not_found("document")
        return await recorded(parts, request, path, query, found, rows=len(found["items"]))

    return answer
