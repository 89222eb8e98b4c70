"""/v1/lineages: a root document and all that follows from it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.chains import links_by_document, quote_of, with_a_quote
from gateway.api.examples import LINEAGE
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import not_found
from gateway.api.query import read_query
from gateway.api.schemas import LineageAnswer
from gateway.api.visibility import Visibility
from gateway.api.wire import document_summaries, pin, relation
from gateway.domain.queries import LineageView
from gateway.domain.wire import transaction_wire

AnyRequest = Request[Any, Any, Any]


def lineage_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Read one lineage, without what lies outside the caller's data scope."""

    @get(
        "/v1/lineages/{lineageId:str}",
        operation_id="getLineage",
        summary="Read a lineage with its pin, documents, transactions, numbers and links",
        tags=["lineages"],
        opt=described(
            any_scope_of("documents:read", "ledger:read"),
            Operation(answers={200: LineageAnswer}, problems=("not-found",), answer_examples={200: LINEAGE}),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        lineage_id = checked_id("lineageId", request.scope["path_params"]["lineageId"])
        view = await parts.reads.lineage(lineage_id, visibility.of(caller_of(request.scope)))
        if view is None:
            raise not_found("lineage")
        content = {
            "lineageId": view.lineage.lineage_id,
            "rootDocumentId": view.lineage.root_document_id,
            "pin": None if view.pin is None else pin(view.pin),
            "documents": await _documents(parts, view),
            "transactions": [transaction_wire(one) for one in view.transactions],
            "relations": [relation(one) for one in view.relations],
        }
        return json_answer(exchange_of(request.scope), content)

    return [read]


async def _documents(parts: AppParts, view: LineageView) -> list[dict[str, Any]]:
    """Each with its place in the chain."""
    links = links_by_document(view)
    statuses = {one.transaction_id: one.status for one in view.transactions}
    quotes = {
        one.document_id: quote_of(await parts.reads.payload(one.payload_id or ""))
        for one in with_a_quote(view.documents)
    }
    return [
        {**shown, "quoteReference": quotes.get(shown["documentId"]), **links[shown["documentId"]]}
        for shown in document_summaries(view.documents, view.cross_references, statuses)
    ]
