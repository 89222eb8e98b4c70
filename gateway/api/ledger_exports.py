"""/v1/ledger/entries.csv and .jsonl: all that a filter finds, streamed, with count and hash in the last line."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive, Scope, Send

from gateway.api.guard import any_scope_of, caller_of
from gateway.api.ledger_asking import AnyRequest, asker_of, ledger_of
from gateway.api.ledger_entries import ENTRIES_PATH
from gateway.api.ledger_filters import FILTER, as_of, asked_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import read_query
from gateway.api.visibility import Visibility
from gateway.domain.accesses import AccessRecord
from gateway.errors import GatewayError
from gateway.ledger.access_log import AccessLog, Question
from gateway.ledger.exports import Export, Form

_MEDIA_TYPES: Final[dict[Form, str]] = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
_EXAMPLES: Final[dict[Form, str]] = {
    "csv": "logIndex,trace,seq,kind,…\r\n41,txn_01JD…,1,accepted,…\r\n"
    "# queryId=qry_01JD… rows=1 sha256=9f86d0… logSize=259\r\n",
    "jsonl": '{"logIndex":41,…}\n{"export":{"queryId":"qry_01JD…","rows":1,"sha256":"9f86d0…","logSize":259}}\n',
}

_log = structlog.get_logger(__name__)


def ledger_export_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """One address for each form. What lies outside the caller's data scope is left out."""
    return [_export(parts, visibility, "csv"), _export(parts, visibility, "jsonl")]


def _export(parts: AppParts, visibility: Visibility, form: Form) -> HTTPRouteHandler:
    path = f"{ENTRIES_PATH}.{form}"

    @get(
        path,
        operation_id=f"exportLedgerEntries{form.capitalize()}",
        summary=f"Export entries of the ledger as {'CSV' if form == 'csv' else 'JSON lines'}, with count and hash",
        tags=["ledger"],
        opt=described(
            any_scope_of("ledger:read"),
            Operation(
                answers={200: None},
                answer_media_type=_MEDIA_TYPES[form],
                answer_examples={200: _EXAMPLES[form]},
                query=FILTER,
                problems=("unknown-node",),
            ),
        ),
    )
    async def export(request: AnyRequest) -> ExportAnswer:
        query = read_query(request.scope["query_string"], FILTER, parts.limits)
        ledger = ledger_of(parts)
        then = await as_of(ledger, query)
        asked = await asked_of(
            parts.reads, ledger, visibility, visibility.of(caller_of(request.scope)), query, then.log_size
        )
        query_id = ledger.accesses.new_id()
        question = Question(resource=path, filter=query, log_size=then.log_size)  # of what it looks at: its last line
        record = await ledger.accesses.export_begins(query_id, asker_of(request), question)
        return ExportAnswer(
            ledger.accesses, record, Export(ledger.reads, asked, form, query_id, then.wire()["knownAt"])
        )

    return export


class ExportAnswer:
    """A response in parts. How it ended is recorded before its last line is sent, or when the caller has left."""

    __slots__ = ("_accesses", "_export", "_record")

    def __init__(self, accesses: AccessLog, record: AccessRecord, export: Export) -> None:
        self._accesses = accesses
        self._record = record
        self._export = export

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        media_type = _MEDIA_TYPES[self._export.form]
        headers = [
            (
                b"content-type",
                f"{media_type}; charset=utf-8".encode() if media_type == "text/csv" else media_type.encode(),
            ),
            (b"cache-control", b"no-store"),
        ]
        is_whole = False
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for part in self._export.parts():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await self._accesses.export_ends(self._record, self._export.rows, self._export.answer_hash, broken=False)
            is_whole = True
            await send({"type": "http.response.body", "body": self._export.last_line(), "more_body": False})
        finally:
            if not is_whole:
                await asyncio.shield(self._broke_off())

    async def _broke_off(self) -> None:
        try:
            await self._accesses.export_ends(self._record, self._export.rows, self._export.answer_hash, broken=True)
        except GatewayError as error:  # that it began is in the ledger
            _log.warning("export_end_not_recorded", query_id=self._record.query_id, error=str(error))
