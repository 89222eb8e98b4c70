"""From the line's answer to a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.api.answer import Answer, json_answer, problem_document
from gateway.api.etags import quoted
from gateway.api.exchange import Exchange
from gateway.api.problems import CORE_MEMBERS, KINDS, problem_body, with_remedies
from gateway.api.versions import version_members
from gateway.domain.records import TransactionRecord
from gateway.domain.refusals import shown_refusal
from gateway.domain.transaction import Status
from gateway.domain.wire import transaction_wire
from gateway.errors import Problem
from gateway.transactions.commands import Answer as LineAnswer

POLL_AGAIN_S: Final = 2
"""Seconds after which a pending transaction is worth another look, where the line names none."""

_CREATE: Final = "create"
_REFUSED: Final = frozenset({Status.REJECTED, Status.COMPENSATED})
_DONE: Final = frozenset({Status.POSTED, Status.CANCELLED})
_OF_THE_PROBLEM: Final = frozenset({"status", "problem", "traceId", "retryAfterS"})


def answer_of(
    exchange: Exchange,
    answer: LineAnswer,
    version: int | None,
    *,
    of_the_document: bool = False,
    links: Mapping[str, str] | None = None,
) -> Answer:
    """201 created by this request, 200 done otherwise (by an earlier one, or to a document that was there), 202
    pending; a problem's status if it was refused.

    `version`: what it made of the document, if that is known. Its ETag is a header too where this request created the
    document, or did something to it (`of_the_document`): RFC 9110 sections 15.3.2 and 8.8.3. `links`: further members
    of the transaction, which its record does not hold.
    """
    record = answer.transaction
    wire = transaction_wire(record, external_reference=answer.external_reference, replayed=answer.replayed)
    wire.update(links or {})
    if record.status in _REFUSED:
        return problem_document(exchange, _refusal(exchange, record, wire))
    if record.status in _DONE:
        is_new = record.operation == _CREATE and record.status is Status.POSTED and not answer.replayed
        made = version_members(version)
        headers = [(b"location", wire["documentUrl"].encode("ascii"))]
        if made and (is_new or (of_the_document and not answer.replayed)):
            headers.append((b"etag", quoted(made["etag"])))
        return json_answer(exchange, wire | made, 201 if is_new else 200, headers)
    wire["retryAfterS"] = retry_after = record.retry_after_s or POLL_AGAIN_S
    pending = [(b"location", wire["statusUrl"].encode("ascii")), (b"retry-after", b"%d" % retry_after)]
    return json_answer(exchange, wire, 202, pending)


def _refusal(exchange: Exchange, record: TransactionRecord, wire: dict[str, Any]) -> dict[str, Any]:
    """The problem `rejected-by-erp` with what was recorded of the refusal, and the members of the transaction.

    `status` is the problem's (RFC 9457), so the transaction's is `transactionStatus`.
    """
    recorded = shown_refusal(record.problem) or {}
    detail = recorded.get("detail") or "The document was refused; nothing of it stands in any ERP."
    # Refused without asking an ERP (a parent that was rejected, say): then it is a problem of that kind.
    slug = recorded.get("code", "")
    slug = slug if slug in KINDS else "rejected-by-erp"
    body = problem_body(Problem(slug, detail), exchange.instance, exchange.trace_id)
    body["remedy"] = recorded.get("remedy") or body["remedy"]
    body["errors"] = with_remedies(recorded.get("errors") or [], body["remedy"])
    body.update((name, value) for name, value in recorded.items() if name not in CORE_MEMBERS)
    body.update((name, value) for name, value in wire.items() if name not in _OF_THE_PROBLEM)
    body["transactionStatus"] = record.status.value
    return body
