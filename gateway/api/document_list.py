"""GET /v1/{domain}: the documents of a domain, newest first."""

from __future__ import annotations

from typing import Any, Final, get_args

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.examples import document_page_example
from gateway.api.exchange import exchange_of
from gateway.api.filters import check_filters
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import ID_PATTERN
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed
from gateway.api.query import (
    CURSOR,
    DAY,
    EXTERNAL_ID,
    INSTANT,
    NODE,
    PAGE_SIZE,
    Parameter,
    Query,
    day,
    instant,
    page_size,
    read_query,
)
from gateway.api.resources import Resource
from gateway.api.schemas import DocumentPage
from gateway.api.visibility import Visibility
from gateway.api.wire import document_summaries
from gateway.domain.shown_state import ShownState
from gateway.domain.transaction import Status
from gateway.transactions.queries import DocumentFilter

AnyRequest = Request[Any, Any, Any]

_STATUSES: Final = tuple(one.value for one in Status)
_FILTERS: Final = (
    Parameter("externalId", EXTERNAL_ID, "The caller's own id of the document.", "SO-1001"),
    Parameter("source", NODE, "Who owns the external id.", "salesforce"),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "Western"),
    Parameter("geography", NODE, "A geography, with all below it.", "US"),
    Parameter("companyCode", "[A-Z0-9]{1,10}", "The document's company code.", "NW01"),
    Parameter(
        "state",
        "[a-z_]{1,20}",
        "What became of it: `active` stands, or may yet; `not_created` never came to be.",
        "active",
        values=get_args(ShownState),
    ),
    Parameter("status", "[a-z_]{1,20}", "The status of its submission now.", "posted", values=_STATUSES),
    Parameter("systemId", NODE, "An ERP in which it has or had a number.", "legacy-main"),
    Parameter("documentNumber", EXTERNAL_ID, "Its number in an ERP; goes with systemId.", "4500000017"),
    Parameter(
        "createdFrom",
        INSTANT,
        "Known since this instant or later (RFC 3339).",
        "2026-11-01T00:00:00Z",
        form="date-time",
    ),
    Parameter(
        "createdUntil", INSTANT, "Known before this instant (RFC 3339).", "2026-12-01T00:00:00Z", form="date-time"
    ),
)
_FILTERS_OF_MEMBERS: Final = {
    "document_type": (Parameter("documentType", "[a-z_]{1,40}", "The document's type.", "standard_order"),),
    "currency_code": (Parameter("currencyCode", "[A-Z]{3}", "The document's currency (ISO 4217).", "USD"),),
    "posting_date": (
        Parameter("postingDateFrom", DAY, "Posting date on or after this day.", "2026-11-01", form="date"),
        Parameter("postingDateUntil", DAY, "Posting date before this day.", "2026-12-01", form="date"),
    ),
    "customer": (
        Parameter("customerId", ID_PATTERN, "The documentId of the customer.", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ),
}
"""Filters that a domain has only if its documents have the member."""


def filters_of(resource: Resource) -> tuple[Parameter, ...]:
    """What a list of this domain can be narrowed by."""
    members = resource.model.model_fields
    own = (one for name, found in _FILTERS_OF_MEMBERS.items() if name in members for one in found)
    return (*_FILTERS, *own, CURSOR, PAGE_SIZE)


def list_route(resource: Resource, parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    """The handler that lists. Pages go on by id, and ids are time-ordered: what comes in between shifts nothing."""
    path, filters = resource.path, filters_of(resource)

    @get(
        path,
        operation_id=f"list{resource.plural}",
        summary=f"List {resource.plural_words}, newest first",
        tags=[resource.domain],
        opt=described(
            any_scope_of("documents:read"),
            Operation(
                answers={200: DocumentPage},
                query=filters,
                problems=("unknown-node",),
                answer_examples={200: document_page_example(resource)},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], filters, parts.limits)
        if "documentNumber" in query and "systemId" not in query:
            raise malformed("systemId", "is missing", "Two ERPs may issue the same number: name the system as well.")
        check_filters(query, parts.rulebook())
        size, after = page_size(query, parts.limits), read_cursor(path, query)
        where = _filter(resource, query, visibility)
        visible = visibility.of(caller_of(request.scope))
        found = list(await parts.reads.documents(where, visible, size + 1, after))
        page = found[:size]
        numbers = await parts.reads.cross_references([one.document_id for one in page]) if page else ()
        statuses = await parts.reads.statuses([one.transaction_id for one in page if one.transaction_id is not None])
        following = make_cursor(path, query, page[-1].document_id) if len(found) > size else None
        content = {"items": document_summaries(page, numbers, statuses), "nextCursor": following}
        return json_answer(exchange_of(request.scope), content)

    return listing


def _filter(resource: Resource, query: Query, visibility: Visibility) -> DocumentFilter:
    since, until = day(query, "postingDateFrom"), day(query, "postingDateUntil")
    return DocumentFilter(
        domain=resource.domain,
        external_id=query.get("externalId"),
        source=query.get("source"),
        business_units=visibility.filtered("businessUnit", query),
        geographies=visibility.filtered("geography", query),
        company_code=query.get("companyCode"),
        document_type=query.get("documentType"),
        currency_code=query.get("currencyCode"),
        posting_date_from=None if since is None else since.isoformat(),
        posting_date_until=None if until is None else until.isoformat(),
        customer_id=query.get("customerId"),
        state=query.get("state"),
        status=query.get("status"),
        system_id=query.get("systemId"),
        erp_document_number=query.get("documentNumber"),
        created_from=instant(query, "createdFrom"),
        created_until=instant(query, "createdUntil"),
    )
