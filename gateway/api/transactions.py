"""/v1/transactions: what became of accepted requests."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from adapters.port import Operation as Verb
from gateway.api.answer import Answer, json_answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.examples import TRACE, TRANSACTION, TRANSACTION_PAGE
from gateway.api.exchange import exchange_of
from gateway.api.filters import check_filters
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import ID_PATTERN, checked_id
from gateway.api.new_customer_links import new_customer_links
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import (
    CURSOR,
    EXTERNAL_ID,
    INSTANT,
    NODE,
    PAGE_SIZE,
    Parameter,
    instant,
    page_size,
    read_query,
)
from gateway.api.schemas import TraceAnswer, TransactionAnswer, TransactionPage
from gateway.api.versions import version_made, version_members
from gateway.api.visibility import Visibility
from gateway.api.wire import trace_entry
from gateway.domain.months import month_without
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import transaction_wire
from gateway.transactions.queries import TransactionFilter

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/transactions"
_FILTERS: Final = (
    Parameter("externalId", EXTERNAL_ID, "The caller's own id of the document.", "SO-1001"),
    Parameter("source", NODE, "Who owns the external id.", "salesforce"),
    Parameter("erpNumber", EXTERNAL_ID, "The number in an ERP; names something only with systemId.", "4500000017"),
    Parameter(
        "systemId",
        NODE,
        "The ERP that owns the transaction, or a leg of it; with erpNumber only the transaction itself.",
        "legacy-main",
    ),
    Parameter("status", "[a-z_]{1,20}", "The status now.", "in_doubt", values=tuple(one.value for one in Status)),
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", values=tuple(DOMAINS)),
    Parameter("businessUnit", NODE, "A business unit, with all below it.", "Western"),
    Parameter("geography", NODE, "A geography, with all below it.", "US"),
    Parameter(
        "acceptedFrom", INSTANT, "Accepted at or after this instant, which exists (RFC 3339).", "2026-11-01T00:00:00Z"
    ),
    Parameter(
        "acceptedUntil", INSTANT, "Accepted before this instant, which exists (RFC 3339).", "2026-12-01T00:00:00Z"
    ),
    Parameter("lineageId", ID_PATTERN, "The lineage.", "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("documentId", ID_PATTERN, "The document.", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("operation", "[a-z]{1,10}", "What was asked for.", "change", values=tuple(one.value for one in Verb)),
    CURSOR,
    PAGE_SIZE,
)


def transaction_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Read one, list, and the trace of one. What lies outside the caller's data scope is not found."""

    async def visible_record(request: AnyRequest) -> TransactionRecord:
        read_query(request.scope["query_string"], (), parts.limits)
        transaction_id = checked_id("transactionId", request.scope["path_params"]["transactionId"])
        record = await parts.reads.transaction(transaction_id, visibility.of(caller_of(request.scope)))
        if record is None:
            raise not_found("transaction")
        return record

    @get(
        f"{PATH}/{{transactionId:str}}",
        operation_id="getTransaction",
        summary="Read a transaction as it stands",
        tags=["transactions"],
        opt=described(
            any_scope_of("documents:read", "documents:submit"),
            Operation(
                answers={200: TransactionAnswer},
                answer_headers={200: ("Retry-After",)},
                problems=("not-found",),
                answer_examples={200: TRANSACTION},
            ),
        ),
    )
    async def read(request: AnyRequest) -> Answer:
        answer = await parts.submissions.answer(await visible_record(request))
        record = answer.transaction
        headers = [] if record.retry_after_s is None else [(b"retry-after", b"%d" % record.retry_after_s)]
        wire = transaction_wire(record, external_reference=answer.external_reference)
        made = version_members(await version_made(parts.reads, record))
        links = await new_customer_links(parts.reads, record)
        return json_answer(exchange_of(request.scope), wire | made | links, headers=headers)

    @get(
        f"{PATH}/{{transactionId:str}}/trace",
        operation_id="getTransactionTrace",
        summary="Read the ledger entries of a transaction",
        tags=["transactions"],
        opt=described(
            any_scope_of("documents:read", "ledger:read"),
            Operation(answers={200: TraceAnswer}, problems=("not-found",), answer_examples={200: TRACE}),
        ),
    )
    async def trace(request: AnyRequest) -> Answer:
        record = await visible_record(request)
        entries = await parts.reads.entries(record.transaction_id)
        content: dict[str, Any] = {
            "transactionId": record.transaction_id,
            "lineageId": record.lineage_id,
            "entries": [trace_entry(one) for one in entries],
        }
        month = month_without(record.transaction_id, [one.seq for one in entries])
        if month is not None:
            content["archivedMonth"] = str(month)
        return json_answer(exchange_of(request.scope), content, listed="entries")

    @get(
        PATH,
        operation_id="listTransactions",
        summary="List transactions, newest first",
        tags=["transactions"],
        opt=described(
            any_scope_of("documents:read"),
            Operation(
                answers={200: TransactionPage},
                query=_FILTERS,
                problems=("unknown-node",),
                answer_examples={200: TRANSACTION_PAGE},
            ),
        ),
    )
    async def listing(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _FILTERS, parts.limits)
        if "erpNumber" in query and "systemId" not in query:
            raise malformed("systemId", "is missing", "Two ERPs may issue the same number: name the system as well.")
        check_filters(query, parts.rulebook())
        size, after = page_size(query, parts.limits), read_cursor(PATH, query)
        where = TransactionFilter(
            external_id=query.get("externalId"),
            source=query.get("source"),
            erp_document_number=query.get("erpNumber"),
            system_id=query.get("systemId"),
            status=query.get("status"),
            domain=query.get("domain"),
            business_units=visibility.filtered("businessUnit", query),
            geographies=visibility.filtered("geography", query),
            lineage_id=query.get("lineageId"),
            document_id=query.get("documentId"),
            operation=query.get("operation"),
            accepted_from=instant(query, "acceptedFrom"),
            accepted_until=instant(query, "acceptedUntil"),
        )
        found = list(await parts.reads.transactions(where, visibility.of(caller_of(request.scope)), size + 1, after))
        page = found[:size]
        following = make_cursor(PATH, query, page[-1].transaction_id) if len(found) > size else None
        content = {"items": [transaction_wire(one) for one in page], "nextCursor": following}
        return json_answer(exchange_of(request.scope), content)

    return [read, trace, listing]
