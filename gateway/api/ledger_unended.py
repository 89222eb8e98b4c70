"""/v1/ledger/unended: transactions without an end, now or as of a past instant."""

from __future__ import annotations

from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded
from gateway.api.ledger_entries import PLACE
from gateway.api.ledger_examples import UNENDED
from gateway.api.ledger_filters import AS_OF, as_of
from gateway.api.ledger_schemas import UnendedPage
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import CURSOR, PAGE_SIZE, page_size, read_query
from gateway.api.visibility import Visibility
from gateway.domain.records import TransactionRecord
from gateway.domain.wire import instant
from gateway.store.entry_index import SpanRecord

UNENDED_PATH: Final = f"{PATH}/unended"
_QUERY: Final = (*AS_OF, CURSOR, PAGE_SIZE)


def ledger_unended_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """List them. What lies outside the caller's data scope is not there."""

    @get(
        UNENDED_PATH,
        operation_id="listUnendedTransactions",
        summary="List transactions that have not ended, or had not as of then, in the order of their acceptance",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(answers={200: UnendedPage}, query=_QUERY, answer_examples={200: UNENDED}),
        ),
    )
    async def unended(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _QUERY, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(UNENDED_PATH, query, PLACE)
        ledger = ledger_of(parts)
        then, visible = await as_of(ledger, query), visibility.of(caller_of(request.scope))
        found = await ledger.reads.under_way(then.log_size, visible, -1 if after is None else int(after), size + 1)
        page = found[:size]
        records = await ledger.reads.transactions_with([one.trace for one in page], visible)
        known = {one.transaction_id: one for one in records}
        items = [_wire(one, known.get(one.trace)) for one in page]
        following = make_cursor(UNENDED_PATH, query, str(page[-1].first_index)) if len(found) > size else None
        content = {"items": items, "nextCursor": following, "asOf": then.wire()}
        return await recorded(parts, request, UNENDED_PATH, query, content, rows=len(items))

    return [unended]


def _wire(span: SpanRecord, record: TransactionRecord | None) -> dict[str, Any]:
    return {
        "transactionId": span.trace,
        "acceptedIndex": span.first_index,
        "endedIndex": span.ended_index,
        "statusNow": None if record is None else record.status.value,
        "lineageId": None if record is None else record.lineage_id,
        "documentId": None if record is None else record.document_id,
        "domain": None if record is None else record.domain,
        "businessUnit": None if record is None else record.business_unit,
        "geography": None if record is None else record.geography,
        "acceptedAt": None if record is None else instant(record.accepted_at),
    }
