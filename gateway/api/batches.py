"""/v1/batches: many documents as one stream of lines, what became of each, and how all of it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.serialization import encode_json
from litestar.types import Receive, Scope, Send

from gateway.api.answer import Answer, json_answer
from gateway.api.batch_examples import BATCH, LINE, RESULTS
from gateway.api.batch_schemas import BatchAnswer, BatchLine
from gateway.api.batch_wire import batch_wire, intake_parts, line_wire
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.idempotency import idempotency_key
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import Parameter, read_query
from gateway.domain.batches import BatchRecord, LineResult
from gateway.domain.lanes import IN_BULK
from gateway.errors import Problem
from gateway.intake.batch import PATH, enter, receive
from gateway.intake.line_stream import LineStream, StreamLimits, unpacked
from gateway.intake.lines import DocumentReader
from gateway.intake.parts import IntakeParts
from gateway.intake.ports import BatchReads

AnyRequest = Request[Any, Any, Any]

MEDIA_TYPE: Final = "application/x-ndjson"
RESULTS_AT_ONCE: Final = 1_000
"""Lines that are read and sent together."""
_ONE: Final = f"{PATH}/{{batchId:str}}"
_READS: Final = any_scope_of("documents:submit", "documents:read")
_RESULTS: Final[tuple[LineResult, ...]] = ("accepted", "refused", "waiting")
_FILTER: Final = (
    Parameter("after", "[0-9]{1,9}", "Only lines after this one.", "1000"),
    Parameter("result", "[a-z]{1,10}", "Only lines with this result.", "refused", values=_RESULTS),
)


def batch_routes(parts: AppParts) -> list[HTTPRouteHandler]:
    """A batch is shown to the client that sent it, and to nobody else."""
    return [_send(parts), _progress(parts), _lines(parts)]


def _send(parts: AppParts) -> HTTPRouteHandler:
    @post(
        PATH,
        operation_id="sendBatch",
        summary="Submit many documents, one in each line",
        tags=["batches"],
        opt=described(
            any_scope_of("documents:submit"),
            Operation(
                body=BatchLine,
                body_media_types=(MEDIA_TYPE,),
                answers={201: BatchAnswer, 200: BatchAnswer},
                headers={
                    "Idempotency-Key": "Names this batch: sent again with the same lines after a cut, it goes on where "
                    "it was. Scope: your client.",
                    "Content-Encoding": "`gzip`, or nothing.",
                    "traceparent": "W3C Trace Context.",
                },
                answer_headers={200: ("Location",)},
                problems=(
                    "request-timeout",
                    "too-large",
                    "unsupported-media-type",
                    "idempotency-key-reused",
                    "in-flight",
                ),
                example=LINE,
                answer_examples={201: BATCH, 200: BATCH},
            ),
        ),
    )
    async def send(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        exchange, caller = exchange_of(request.scope), caller_of(request.scope)
        is_packed = _check_kind(exchange)
        key = idempotency_key(exchange.header(b"idempotency-key"), None)
        intake = intake_parts(parts)
        pieces = _pieces(request.receive, parts.limits.body_seconds)
        limits = StreamLimits(line_bytes=parts.limits.body_bytes)
        reader = DocumentReader(caller, parts.rulebook().tables, IN_BULK, parts.limits, exchange.trace.traceparent)
        batch = await enter(intake, caller.client, key)
        done = await receive(intake, batch, reader, LineStream(unpacked(pieces) if is_packed else pieces, limits))
        body = await _shown(intake.reads, done)
        return json_answer(
            exchange, body, 201 if batch.epoch == 1 else 200, [(b"location", body["statusUrl"].encode("ascii"))]
        )

    return send


def _progress(parts: AppParts) -> HTTPRouteHandler:
    @get(
        _ONE,
        operation_id="getBatch",
        summary="Read how a batch stands",
        tags=["batches"],
        opt=described(
            _READS, Operation(answers={200: BatchAnswer}, problems=("not-found",), answer_examples={200: BATCH})
        ),
    )
    async def progress(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        intake = intake_parts(parts)
        return json_answer(exchange_of(request.scope), await _shown(intake.reads, await _own(intake, request)))

    return progress


def _lines(parts: AppParts) -> HTTPRouteHandler:
    @get(
        f"{_ONE}/results",
        operation_id="getBatchResults",
        summary="Read what became of each line, as JSON lines",
        tags=["batches"],
        opt=described(
            _READS,
            Operation(
                answers={200: None},
                answer_media_type=MEDIA_TYPE,
                answer_examples={200: RESULTS},
                query=_FILTER,
                problems=("not-found",),
            ),
        ),
    )
    async def lines(request: AnyRequest) -> LinesAnswer:
        query = read_query(request.scope["query_string"], _FILTER, parts.limits)
        intake = intake_parts(parts)
        batch = await _own(intake, request)
        wanted = next((one for one in _RESULTS if one == query.get("result")), None)
        return LinesAnswer(intake.reads, batch.batch_id, int(query.get("after", "0")), wanted)

    return lines


class LinesAnswer:
    """The results, a page at a time: however many they are, few are held."""

    __slots__ = ("_after", "_batch_id", "_reads", "_result")

    def __init__(self, reads: BatchReads, batch_id: str, after: int, result: LineResult | None) -> None:
        self._reads = reads
        self._batch_id = batch_id
        self._after = after
        self._result = result

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", MEDIA_TYPE.encode("ascii")), (b"cache-control", b"no-store")]
        page = await self._page()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while page:
            await send({"type": "http.response.body", "body": page, "more_body": True})
            page = await self._page()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _page(self) -> bytes:
        found = await self._reads.batch_lines(self._batch_id, self._after, RESULTS_AT_ONCE, self._result)
        if found:
            self._after = found[-1].line_number
        return b"".join(encode_json(line_wire(one)) + b"\n" for one in found)


def _check_kind(exchange: Exchange) -> bool:
    """Whether the body is packed. Raises `unsupported-media-type`."""
    media_type = (exchange.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    coding = (exchange.header(b"content-encoding") or b"identity").strip().lower()
    if media_type != MEDIA_TYPE.encode("ascii") or coding not in {b"identity", b"gzip"}:
        raise Problem(
            "unsupported-media-type",
            f"The body is not {MEDIA_TYPE}, plain or packed with gzip.",
            remedy="Send one of `acceptedMediaTypes` in UTF-8, with Content-Encoding gzip or none.",
            extra={"acceptedMediaTypes": [MEDIA_TYPE]},
        )
    return coding == b"gzip"


async def _pieces(receive: Receive, longest_pause_s: float) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `request-timeout` after a pause, `invalid-request` if the sender left."""
    while True:
        try:
            async with asyncio.timeout(longest_pause_s):
                message: Any = await receive()
        except TimeoutError as error:
            raise Problem("request-timeout", f"Nothing of the body came for {longest_pause_s:g} s.") from error
        if message["type"] != "http.request":
            raise malformed("", "the connection ended before the body did", "Send the whole body.")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _own(intake: IntakeParts, request: AnyRequest) -> BatchRecord:
    """The batch that the address names. Raises `invalid-request`, `not-found`."""
    found = await intake.reads.batch(checked_id("batchId", request.scope["path_params"]["batchId"]))
    if found is None or found.client != caller_of(request.scope).client:
        raise not_found("batch")
    return found


async def _shown(reads: BatchReads, batch: BatchRecord) -> dict[str, Any]:
    progress = await reads.batch_progress(batch.batch_id)
    if progress is None:
        raise not_found("batch")
    return batch_wire(progress)
