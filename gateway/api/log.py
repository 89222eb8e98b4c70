"""/v1/ledger/log: the verifiable log's files, and proofs of a transaction's entries.

Checkpoints and hashes say nothing of what was posted: `ledger:read` is enough. Bundles hold the entries of every unit
and geography, so they are for callers whose data scope is not restricted. Formats: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from pydantic import Field

from gateway.api.answer import Answer, json_answer
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.auditing import no_question
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.identifiers import checked_id
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.problems import malformed, not_found
from gateway.api.query import read_query
from gateway.api.visibility import Visibility
from gateway.domain.caller import DataScope
from gateway.errors import Problem
from gateway.ledger.errors import Malformed, NoteUnsigned
from gateway.ledger.lines import base64_text
from gateway.ledger.tile_store import CHECKPOINT
from gateway.ledger.tiles import ENTRIES, parse_tile_path
from gateway.ledger.witness_request import TEXT_TYPE
from gateway.store.log_reads import EntriesArchived

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/ledger/log"
_BYTES: Final = "application/octet-stream"
_EVERYTHING: Final = DataScope()
_MIRRORED: Final = no_question("a mirror follows the log; a log that grew by being read would never rest")
_NOTE: Final = (
    "ledger.example/one\n700\nYvTkAzXqFhAz5HcT2xO9yuvnWrTuNnUE4RgrXo8mc2A=\n\n"
    "\u2014 ledger.example/one mK/Srb0Xg3xM8U1Jqg…\n"
)


class EntryReceiptAnswer(AnswerModel):
    """One entry of a transaction, and what proves that it is in the ledger.

    `entry`: the bytes that are hashed, in base64; null where they are in the archive of `archived_month`. `receipt`: a
    c2sp.org/tlog-proof text.
    """

    seq: int
    log_index: int
    entry: str | None
    receipt: str
    archived_month: str | None = None


class ReceiptsAnswer(Answered):
    """Receipts of a transaction's entries, in order; entries are signed within about a second."""

    transaction_id: str
    receipts: list[EntryReceiptAnswer] = Field(description="Of the entries that a signed checkpoint covers.")


def log_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Files and receipts."""

    @get(
        f"{PATH}/checkpoint",
        operation_id="getLedgerCheckpoint",
        summary="Read the newest signed checkpoint of the ledger",
        tags=["ledger"],
        opt=described(any_scope_of("ledger:read") | _MIRRORED, _file("text/plain", _NOTE)),
    )
    async def checkpoint(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        return await _answer(parts, CHECKPOINT, TEXT_TYPE)

    @get(
        f"{PATH}/keys/{{keyNumber:str}}",
        operation_id="getLedgerKeyAnnouncement",
        summary="Read how the ledger's key was followed by another",
        tags=["ledger"],
        opt=described(any_scope_of("ledger:read") | _MIRRORED, _file("text/plain", "key-announcement/v1\n…")),
    )
    async def key(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        return await _answer(parts, f"keys/{request.scope['path_params']['keyNumber']}", TEXT_TYPE)

    @get(
        f"{PATH}/tile/{{tile:path}}",
        operation_id="getLedgerTile",
        summary="Read hashes or entries of the ledger: a tile or an entry bundle",
        tags=["ledger"],
        opt=described(any_scope_of("ledger:read") | _MIRRORED, _file(_BYTES, "", "out-of-scope")),
    )
    async def tile(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        path = f"tile/{str(request.scope['path_params']['tile']).lstrip('/')}"
        if _is_bundle(path) and caller_of(request.scope).data_scope != _EVERYTHING:
            raise Problem(
                "out-of-scope",
                "Entry bundles hold the entries of every business unit and geography.",
                remedy="Use a client without a restricted data scope, or read the receipts of single transactions.",
            )
        return await _answer(parts, path, _BYTES)

    @get(
        "/v1/transactions/{transactionId:str}/receipts",
        operation_id="getTransactionReceipts",
        summary="Prove offline that the entries of a transaction are in the ledger",
        tags=["transactions"],
        opt=described(
            any_scope_of("documents:read", "ledger:read"),
            Operation(answers={200: ReceiptsAnswer}, problems=("not-found",), answer_examples={200: _RECEIPTS_EXAMPLE}),
        ),
    )
    async def receipts(request: AnyRequest) -> Answer:
        read_query(request.scope["query_string"], (), parts.limits)
        transaction_id = checked_id("transactionId", request.scope["path_params"]["transactionId"])
        if await parts.reads.transaction(transaction_id, visibility.of(caller_of(request.scope))) is None:
            raise not_found("transaction")
        try:
            found = await parts.published_log.receipts(transaction_id)
        except NoteUnsigned:  # the first second of a gateway
            found = ()
        shown = [
            {
                "seq": one.seq,
                "logIndex": one.receipt.index,
                "entry": None if one.entry is None else base64_text(one.entry),
                "receipt": bytes(one.receipt).decode(),
            }
            | ({} if one.archived_month is None else {"archivedMonth": str(one.archived_month)})
            for one in found
        ]
        content = {"transactionId": transaction_id, "receipts": shown}
        return json_answer(exchange_of(request.scope), content, listed="receipts")

    return [checkpoint, key, tile, receipts]


def _file(media_type: str, example: str, *problems: str) -> Operation:
    return Operation(
        answers={200: None},
        answer_media_type=media_type,
        answer_examples={200: example},
        problems=("not-found", *problems),
    )


async def _answer(parts: AppParts, path: str, media_type: str) -> Answer:
    try:
        found = await parts.published_log.read(path)
    except Malformed as error:
        raise malformed("tile", "is no path of a file of the ledger", "See https://c2sp.org/tlog-tiles.") from error
    except EntriesArchived as error:
        raise Problem(
            "not-found",
            str(error),
            remedy="Read the archives of `archivedMonths`, or a mirror of the log.",
            extra={"archivedMonths": [str(one) for one in error.months]},
        ) from error
    if found is None:
        raise Problem("not-found", f"The signed ledger has no {path} now.")
    return Answer(200, found, media_type.encode("ascii"))


def _is_bundle(path: str) -> bool:
    """Of what is no path of a file nothing is given out, so it need not be one."""
    try:
        return parse_tile_path(path).level == ENTRIES
    except Malformed:
        return False


_RECEIPTS_EXAMPLE: Final = {
    "transactionId": "txn_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "receipts": [
        {
            "seq": 1,
            "logIndex": 41,
            "entry": "eyJ2IjoxfQ==",
            "receipt": f"c2sp.org/tlog-proof@v1\nindex 41\n7W663YCp6kHDs3r6eUUSfWaAQ/ByNh+UwIzVAFoWBs=\n\n{_NOTE}",
        }
    ],
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "rateLimit": {"policy": "default", "quota": 6000, "windowS": 60, "remaining": 5999, "resetS": 1},
}
