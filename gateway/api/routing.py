"""/v1/routing: where a document would go, and why. Nothing is posted."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.examples import ROUTING
from gateway.api.exchange import exchange_of
from gateway.api.explanation_schemas import RoutingExplanation
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import AMOUNT, DAY, EXTERNAL_ID, NODE, Parameter, Query, amount, day, read_query
from gateway.api.visibility import Visibility
from gateway.api.wording import explanation_in_wire_words
from gateway.cutover.kept_files import RowPlaces
from routing_rules import DOMAINS, OPERATIONS, Facts

AnyRequest = Request[Any, Any, Any]

_FACTS: Final = (
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", required=True, values=DOMAINS),
    Parameter("operation", "[a-z]{1,10}", "What is done; create if absent.", "create", values=OPERATIONS),
    Parameter("businessUnit", NODE, "The document's business unit; the root if absent.", "Western"),
    Parameter("geography", NODE, "The document's geography; the root if absent.", "US"),
    Parameter("companyCode", "[A-Z0-9]{1,10}", "The document's company code.", "NW01"),
    Parameter("documentType", "[a-z_]{1,40}", "The document's type.", "standard_order"),
    Parameter("customerSegment", NODE, "The customer's segment.", "enterprise"),
    Parameter("amount", AMOUNT, "The document's amount; goes with currencyCode.", "1250.00"),
    Parameter("currencyCode", "[A-Z]{3}", "The currency of the amount (ISO 4217).", "USD"),
    Parameter("postingDate", DAY, "The document's posting date, a day that exists.", "2026-11-23"),
    Parameter("shareKey", EXTERNAL_ID, "What a pilot's share splits by: the customer's canonical id.", "doc_1"),
    Parameter("rootExternalId", EXTERNAL_ID, "The root document's external id, for a pilot's allow-list.", "SO-1001"),
)
_EXAMPLE: Final = ROUTING | {
    "overlayInForce": {
        "overlay": "paused",
        "overlayId": "ovl_01JD9QFG8H0J2K4M6N8P0Q2R4S",
        "row": None,
        "expectedUntil": "2026-11-30T06:00:00.000000Z",
        "effect": "new roots are accepted and kept back as held until it is lifted; what follows or is done to a "
        "document goes on",
    }
}


def routing_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Explain a decision for facts within the caller's data scope."""
    places = RowPlaces(parts.reads)

    @get(
        "/v1/routing/explain",
        operation_id="explainRouting",
        summary="Explain how a document with these facts would be routed now",
        tags=["routing"],
        opt=described(
            any_scope_of("documents:read", "rules:edit", "operations:act"),
            Operation(
                answers={200: RoutingExplanation},
                query=_FACTS,
                problems=("out-of-scope", "unknown-node", "domain-not-served", "no-rule"),
                answer_examples={200: _EXAMPLE},
            ),
        ),
    )
    async def explain(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FACTS, parts.limits)
        facts = _facts(query)
        visibility.check_nodes(caller_of(request.scope), facts.business_unit, facts.geography)
        await parts.refresh()
        body = await places.told(explanation_in_wire_words(parts.submissions.explain(facts).body))
        return json_answer(exchange_of(request.scope), body)

    return [explain]


def _facts(query: Query) -> Facts:
    if "amount" in query and "currencyCode" not in query:
        raise malformed("currencyCode", "is missing", "Amounts are compared within their currency: name it.")
    return Facts(
        domain=query["domain"],
        operation=query.get("operation", "create"),
        business_unit=query.get("businessUnit"),
        geography=query.get("geography"),
        company_code=query.get("companyCode"),
        document_type=query.get("documentType"),
        customer_segment=query.get("customerSegment"),
        amount=amount(query, "amount"),
        currency=query.get("currencyCode"),
        posting_date=day(query, "postingDate"),
        share_key=query.get("shareKey"),
        root_external_id=query.get("rootExternalId"),
    )
