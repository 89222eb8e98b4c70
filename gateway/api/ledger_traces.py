"""/v1/ledger/traces and /v1/ledger/lineages: documents by any of their names, and whole lineages as trees."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from adapters.canonical import DOMAINS
from gateway.api.answer import Answer
from gateway.api.cursor import make_cursor, read_cursor
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import ID_PATTERN, checked_id
from gateway.api.ledger_asking import PATH, AnyRequest, ledger_of, recorded
from gateway.api.ledger_examples import LINEAGE_TREE, TRACES
from gateway.api.ledger_schemas import LineageTreeAnswer, TracePage
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import (
    AMOUNT,
    CURSOR,
    DAY,
    EXTERNAL_ID,
    NODE,
    PAGE_SIZE,
    Parameter,
    Query,
    amount,
    day,
    page_size,
    read_query,
)  # fmt: skip
from gateway.api.visibility import Visibility
from gateway.api.wire import document_summaries, pin, tree_node
from gateway.domain.document_names import NamedBy
from gateway.domain.identity import external_reference
from gateway.domain.months import Month
from gateway.domain.records import TransactionRecord
from gateway.domain.wire import instant
from gateway.ledger.lineage_tree import tree_of
from gateway.store.entry_reads import PlacedStep
from gateway.store.ledger_reads import LedgerReads
from gateway.store.named_documents import MOST_OF_THESE
from gateway.store.reads import LINEAGE_ROWS

TRACES_PATH: Final = f"{PATH}/traces"
_NAMES: Final = (
    Parameter("name", EXTERNAL_ID, "Any name: an id, an external id, a number or reference in any ERP.", "4500000017"),
    Parameter("documentId", ID_PATTERN, "The document.", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("transactionId", ID_PATTERN, "What was done to it.", "txn_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("lineageId", ID_PATTERN, "The lineage.", "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    Parameter("externalId", EXTERNAL_ID, "The caller's own id, of Salesforce or billing.", "SO-1001"),
    Parameter("source", NODE, "Who owns the external id.", "salesforce"),
    Parameter("documentNumber", EXTERNAL_ID, "The number in an ERP.", "4500000017"),
    Parameter("systemId", NODE, "The ERP that issued the number.", "legacy-main"),
    Parameter("documentType", "[a-z_]{1,40}", "The number's type in that ERP.", "sales_order"),
    Parameter("customer", EXTERNAL_ID, "Any name of its customer.", "VINET"),
    Parameter("amount", AMOUNT, "Its amount.", "440.00"),
    Parameter("currencyCode", "[A-Z]{3}", "Its currency.", "USD"),
    Parameter("domain", "[a-z_]{1,20}", "The document family.", "orders", values=tuple(DOMAINS)),
    Parameter("postingDateFrom", DAY, "Posting date on or after this day.", "2026-11-01", form="date"),
    Parameter("postingDateUntil", DAY, "Posting date before this day.", "2026-12-01", form="date"),
    CURSOR,
    PAGE_SIZE,
)


def ledger_trace_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Find, and read a lineage. What lies outside the caller's data scope is not there."""
    return [_traces(parts, visibility), _lineage(parts, visibility)]


def _traces(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    @get(
        TRACES_PATH,
        operation_id="findLedgerTraces",
        summary="Find documents by any of their names, with all that was done to them",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(answers={200: TracePage}, query=_NAMES, answer_examples={200: TRACES}),
        ),
    )
    async def traces(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], _NAMES, parts.limits)
        size, after = page_size(query, parts.limits), read_cursor(TRACES_PATH, query)
        where = _named(query)
        reads, visible = ledger_of(parts).reads, visibility.of(caller_of(request.scope))
        found = list(await reads.documents_by(where, visible, size + 1, after))
        page = found[:size]
        ids = [one.document_id for one in page]
        transactions = await reads.transactions_of(ids, visible)
        statuses = {one.transaction_id: one.status for one in transactions}
        shown = await traced(reads, transactions)
        items = [
            {"document": summary, "transactions": shown.get(summary["documentId"], [])}
            for summary in document_summaries(page, await reads.numbers_of(ids), statuses)
        ]
        following = make_cursor(TRACES_PATH, query, ids[-1]) if len(found) > size else None
        content = {"items": items, "nextCursor": following, "isCut": len(transactions) >= MOST_OF_THESE}
        return await recorded(parts, request, TRACES_PATH, query, content, rows=len(items))

    return traces


def _lineage(parts: AppParts, visibility: Visibility) -> HTTPRouteHandler:
    path = f"{PATH}/lineages"

    @get(
        f"{path}/{{lineageId:str}}",
        operation_id="getLedgerLineage",
        summary="Read a whole lineage as a tree, with both ERPs' numbers, amounts, dates and each entry's place",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(answers={200: LineageTreeAnswer}, problems=("not-found",), answer_examples={200: LINEAGE_TREE}),
        ),
    )
    async def lineage(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        lineage_id = checked_id("lineageId", request.scope["path_params"]["lineageId"])
        ledger = ledger_of(parts)
        visible = visibility.of(caller_of(request.scope))
        view = await parts.reads.lineage(lineage_id, visible)
        if view is None:
            raise not_found("lineage")
        statuses = {one.transaction_id: one.status for one in view.transactions}
        shown = await traced(ledger.reads, view.transactions)
        seen = await ledger.reads.lineages_seen([lineage_id], visible)
        beside = await ledger.reads.entries_beside(lineage_id) if seen else []
        nodes = [
            {
                **tree_node(one, statuses.get(one.document.transaction_id or "")),
                "transactions": shown.get(one.document.document_id, []),
            }
            for one in tree_of(view)
        ]
        content = {
            "lineageId": lineage_id,
            "rootDocumentId": view.lineage.root_document_id,
            "pin": None if view.pin is None else pin(view.pin),
            "nodes": nodes,
            "adoptions": [
                {
                    "adoptionId": one.trace,
                    "seq": one.seq,
                    "kind": one.kind,
                    "documentId": one.document_id,
                    "recordedAt": instant(one.at),
                    "logIndex": one.log_index,
                }
                for one in beside
            ],
            "isCut": max(len(view.documents), len(view.transactions)) >= LINEAGE_ROWS,
        }
        return await recorded(parts, request, path, {"lineageId": lineage_id}, content, rows=len(nodes))

    return lineage


async def traced(reads: LedgerReads, transactions: Sequence[TransactionRecord]) -> dict[str, list[dict[str, Any]]]:
    """By document, what was done to it, each with its entries and their places."""
    asked = reads.steps_of([one.transaction_id for one in transactions])
    steps, gone = await asyncio.gather(asked, reads.months_taken_out())
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(transactions, key=lambda record: record.transaction_id):
        found.setdefault(one.document_id, []).append(_transaction(one, steps) | _archived(one, gone))
    return found


def _archived(record: TransactionRecord, gone: Collection[Month]) -> dict[str, Any]:
    month = Month.of_trace(record.transaction_id)
    return {"archivedMonth": str(month)} if month in gone else {}


def _transaction(record: TransactionRecord, steps: Mapping[str, Sequence[PlacedStep]]) -> dict[str, Any]:
    reference = external_reference(record.transaction_id, 1, "do") if record.system_id else None
    return {
        "transactionId": record.transaction_id,
        "operation": record.operation,
        "status": record.status.value,
        "systemId": record.system_id,
        "row": record.rule_row,
        "tableVersion": record.table_version,
        "erpReference": reference,
        "documentNumber": record.erp_document_number,
        "amount": record.amount,
        "currencyCode": record.currency_code,
        "postingDate": record.posting_date,
        "acceptedAt": instant(record.accepted_at),
        "entries": [
            {"seq": one.seq, "kind": one.kind, "recordedAt": instant(one.at), "logIndex": one.log_index}
            for one in steps.get(record.transaction_id, ())
        ],
    }


def _named(query: Query) -> NamedBy:
    """Raises `invalid-request` where nothing narrows the question."""
    since, until = day(query, "postingDateFrom"), day(query, "postingDateUntil")
    where = NamedBy(
        name=query.get("name"),
        document_id=query.get("documentId"),
        transaction_id=query.get("transactionId"),
        lineage_id=query.get("lineageId"),
        source=query.get("source"),
        external_id=query.get("externalId"),
        system_id=query.get("systemId"),
        document_type=query.get("documentType"),
        document_number=query.get("documentNumber"),
        customer=query.get("customer"),
        amount=amount(query, "amount"),
        currency_code=query.get("currencyCode"),
        domain=query.get("domain"),
        posting_date_from=None if since is None else since.isoformat(),
        posting_date_until=None if until is None else until.isoformat(),
    )
    if not where.names_something:
        raise malformed("name", "is missing, and nothing else names documents", "Give a name, a customer, an amount, or"
                        " both posting dates.")  # fmt: skip
    for name in ("systemId", "documentType"):
        if name in query and "documentNumber" not in query:
            raise malformed("documentNumber", f"is missing beside {name}", "Give the number too.")
    return where
