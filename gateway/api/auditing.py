"""Whose reads are recorded in the ledger, and how: in the one place that all answers pass.

An auditor is whoever holds `ledger:read`, but where one of the scopes of those who work with what is read opens the
operation too (an author reads the own draft, operations the open exceptions). Whatever an auditor reads is recorded
before the first byte of the answer is sent, whichever scope opens it: documents and transactions as well. So is a
question that nothing is found for: who looked for a name is worth as much as what was there. Operations that record
themselves, because their answer names its own record or is streamed, say so by `recorded_itself`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway.api.exchange import Exchange, exchange_of
from gateway.api.ledger_parts import LedgerParts
from gateway.auth import Identity
from gateway.domain.caller import SCOPES
from gateway.ledger.access_log import Asker, Question

AUDITS: Final = "ledger:read"
NO_QUESTION: Final = "no_question"
_WORKS: Final = SCOPES - {AUDITS, "documents:read"}
_READING: Final = frozenset({"GET", "HEAD"})


def no_question(because: str) -> dict[str, Any]:
    """The options of a route whose reads leave no entry; `because`: for people who read the code."""
    return {NO_QUESTION: because}


def asker(identity: Identity) -> Asker:
    """Who asks, as the access log keeps it."""
    caller = identity.caller
    return Asker(
        client=caller.client,
        person=caller.person_or_client,
        issuer=identity.issuer,
        teams=tuple(sorted(caller.teams)),
    )


class AuditedReads:
    """Sees to it that what an auditor reads is recorded before it is answered."""

    def __init__(self, ledger: LedgerParts) -> None:
        self._ledger = ledger

    def watch(self, scope: Any, identity: Identity, options: Mapping[str, Any], opened_by: frozenset[str]) -> None:
        """Behind the guard. `opened_by`: the scopes of which one opens the operation."""
        held = identity.caller.scopes
        if AUDITS not in held or held & opened_by & _WORKS:
            return
        if scope["method"] not in _READING or NO_QUESTION in options:
            return

        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        named = {name: str(value) for name, value in scope["path_params"].items()}
        record_answer(self._ledger, exchange_of(scope), identity, str(scope["path_template"]), asked | named)


def record_answer(
    ledger: LedgerParts, exchange: Exchange, identity: Identity, resource: str, asked: Mapping[str, Any]
) -> None:
    """See to it that the answer to this question is recorded before it is sent; so is that there is none (404)."""

    async def record(body: bytes, rows: int) -> None:
        question = Question(resource=resource, filter=asked, log_size=await ledger.reads.log_size())
        accesses = ledger.accesses
        await accesses.queried(accesses.new_id(), asker(identity), question, rows, sha256(body).hexdigest())

    exchange.record_answer = record


def recorded_itself(exchange: Exchange) -> None:
    """The operation has recorded what it is about to answer."""
    exchange.record_answer = None
