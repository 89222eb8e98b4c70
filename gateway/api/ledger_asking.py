"""Asking the ledger over HTTP: who asks, and that each answer is recorded before it is given."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from litestar import Request

from gateway.api.answer import Answer, json_answer
from gateway.api.auditing import asker, record_answer, recorded_itself
from gateway.api.exchange import exchange_of
from gateway.api.guard import caller_of
from gateway.api.ledger_parts import LedgerParts
from gateway.api.parts import AppParts
from gateway.auth import Identity
from gateway.domain.caller import DataScope
from gateway.errors import Problem
from gateway.ledger.access_log import Asker, Question

AnyRequest = Request[Any, Any, Any]

PATH: Final = "/v1/ledger"
_EVERYTHING: Final = DataScope()


def ledger_of(parts: AppParts) -> LedgerParts:
    """Raises Problem `not-ready` in a process that was given none."""
    if parts.ledger is None:
        raise Problem("not-ready", "This process answers no questions about the ledger.", retry_after_s=30)
    return parts.ledger


def asker_of(request: AnyRequest) -> Asker:
    """Who asks."""
    return asker(_identity_of(request))


def _identity_of(request: AnyRequest) -> Identity:
    identity = exchange_of(request.scope).identity
    if identity is None:
        raise RuntimeError("a public route has no asker")
    return identity


def record_if_nothing(parts: AppParts, request: AnyRequest, resource: str, asked: Mapping[str, Any]) -> None:
    """See to it that the question is recorded where nothing is found for it: for operations that are no GET, and that
    record what they find themselves, which they say by `recorded_itself`."""
    record_answer(ledger_of(parts), exchange_of(request.scope), _identity_of(request), resource, asked)


def refuse_a_part_of_it(request: AnyRequest, what: str) -> None:
    """Raise Problem `out-of-scope` for callers whose data scope is restricted."""
    if caller_of(request.scope).data_scope != _EVERYTHING:
        raise Problem("out-of-scope", f"{what} of every business unit and geography; your token covers a part of them.")


async def recorded(
    parts: AppParts,
    request: AnyRequest,
    resource: str,
    asked: Mapping[str, Any],
    content: dict[str, Any],
    *,
    rows: int,
) -> Answer:
    """The answer, once the ledger holds that it was asked for. Raises StoreUnavailable: then it is not given."""
    ledger = ledger_of(parts)
    query_id = ledger.accesses.new_id()
    answer = json_answer(exchange_of(request.scope), {"queryId": query_id, **content})
    question = Question(resource=resource, filter=asked, log_size=await ledger.reads.log_size())
    await ledger.accesses.queried(query_id, asker_of(request), question, rows, sha256(answer.body).hexdigest())
    recorded_itself(exchange_of(request.scope))
    return answer
