"""From a request to the line, and from its answer to a response."""

from __future__ import annotations

import json
from typing import Any, Final

from litestar.types import Receive

from adapters.canonical import CanonicalDocument
from gateway.api.answer import Answer, json_answer, problem_document
from gateway.api.body import read_body
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.guard import caller_of
from gateway.api.parts import AppParts
from gateway.api.preferences import wait_seconds
from gateway.api.problems import CORE_MEMBERS, KINDS, problem_body
from gateway.api.query import read_query
from gateway.api.submission import read_submission
from gateway.api.visibility import Visibility
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import status_url, transaction_wire
from gateway.errors import Problem
from gateway.transactions.commands import Answer as LineAnswer
from gateway.transactions.commands import Create

POLL_AGAIN_S: Final = 2
"""Seconds after which a pending transaction is worth another look, where the line names none."""

_REFUSED: Final = frozenset({Status.REJECTED, Status.COMPENSATED})
_DONE: Final = frozenset({Status.POSTED, Status.CANCELLED})
_OF_THE_PROBLEM: Final = frozenset({"status", "problem", "traceId", "retryAfterS"})


async def submit(
    parts: AppParts, visibility: Visibility, model: type[CanonicalDocument], scope: Any, receive: Receive
) -> Answer:
    """Submit the document in the body, and answer as far as the line came in the caller's time."""
    exchange = exchange_of(scope)
    caller = caller_of(scope)
    read_query(scope["query_string"], (), parts.limits)
    raw = await read_body(exchange, receive, parts.limits)
    submission = read_submission(raw, exchange.header(b"idempotency-key"), model, parts.limits)
    visibility.check(caller, submission.document)
    wait_s, applied = wait_seconds(exchange.header(b"prefer"))
    answer = await parts.submissions.submit(
        Create(
            caller=caller,
            document=submission.document,
            idempotency_key=submission.idempotency_key,
            replaces=submission.replaces,
            wait_s=wait_s,
            traceparent=exchange.trace.traceparent,
        )
    )
    headers = [] if applied is None else [(b"preference-applied", applied)]
    return answer_of(exchange, answer, headers)


def answer_of(exchange: Exchange, answer: LineAnswer, headers: list[tuple[bytes, bytes]]) -> Answer:
    """201 posted by this request, 200 by an earlier one, 202 pending, 422 refused by the ERP."""
    record = answer.transaction
    wire = transaction_wire(record, external_reference=answer.external_reference, replayed=answer.replayed)
    if record.status in _REFUSED:
        return problem_document(exchange, _refusal(exchange, record, wire), headers)
    if record.status in _DONE:
        status = 200 if answer.replayed or record.status is not Status.POSTED else 201
        location = f"/v1/{record.domain}/{record.document_id}"
        return json_answer(wire, status, [*headers, (b"location", location.encode("ascii"))])
    wire["retryAfterS"] = retry_after = record.retry_after_s or POLL_AGAIN_S
    pending = [(b"location", status_url(record.transaction_id).encode("ascii")), (b"retry-after", b"%d" % retry_after)]
    return json_answer(wire, 202, [*headers, *pending])


def _refusal(exchange: Exchange, record: TransactionRecord, wire: dict[str, Any]) -> dict[str, Any]:
    """The problem `rejected-by-erp` with what was recorded of the refusal, and the members of the transaction.

    `status` is the problem's (RFC 9457), so the transaction's is `transactionStatus`.
    """
    recorded = json.loads(record.problem) if record.problem else {}
    detail = recorded.get("detail") or "The document was refused; nothing of it stands in any ERP."
    # Refused without asking an ERP (a parent that was rejected, say): then it is a problem of that kind.
    slug = recorded.get("code", "")
    slug = slug if slug in KINDS else "rejected-by-erp"
    body = problem_body(Problem(slug, detail), exchange.instance, exchange.trace_id)
    body["errors"] = recorded.get("errors") or []
    body["remedy"] = recorded.get("remedy") or body["remedy"]
    body.update((name, value) for name, value in recorded.items() if name not in CORE_MEMBERS)
    body.update((name, value) for name, value in wire.items() if name not in _OF_THE_PROBLEM)
    body["transactionStatus"] = record.status.value
    return body
