"""What the line is asked for and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from adapters.canonical import CanonicalDocument, Customer
from gateway.domain.caller import Caller
from gateway.domain.lanes import SYNCHRONOUS, Queueing
from gateway.domain.records import TransactionRecord
from gateway.errors import Problem
from routing_rules import Facts

MAX_WAIT_S = 8.0
"""Longest a caller waits for the end of its transaction; Salesforce's default callout limit is 10 s."""


@dataclass(frozen=True, slots=True)
class SentByMove:
    """The move of an exception that sends a document, and the ended transaction in whose place it does."""

    move_id: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create a document. `wait_s`: how long the caller waits for a resting status (0: answer once accepted).

    `replaces`: the rejected or cancelled transaction with the same natural key that this one corrects. `queueing`: with
    `alone` the answer is the accepted transaction, and nobody waits. `new_customer`: of an order, its customer, to be
    created before it unless it is known; the order refers to it by its external id. `sent_by`: it is accepted only
    while that move is asked for, and ends the exception.
    """

    caller: Caller
    document: CanonicalDocument
    idempotency_key: str | None = None
    replaces: str | None = None
    wait_s: float = MAX_WAIT_S
    traceparent: str = ""
    queueing: Queueing = SYNCHRONOUS
    new_customer: Customer | None = None
    sent_by: SentByMove | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Change a document. `patch`: a JSON merge patch (RFC 7396) of its canonical body, in wire words.

    `if_match`: the etag of the document as the caller knows it; None where it did not say (428 `stale`).
    `idempotency_key` names this request on all its repetitions.
    """

    caller: Caller
    domain: str
    document_id: str
    patch: Mapping[str, Any]
    idempotency_key: str | None
    if_match: str | None = None
    wait_s: float = MAX_WAIT_S
    traceparent: str = ""
    queueing: Queueing = SYNCHRONOUS


@dataclass(frozen=True, slots=True)
class Cancel:
    """Call a document off before anything followed from it. `reason`: the caller's words, erasable."""

    caller: Caller
    domain: str
    document_id: str
    idempotency_key: str | None
    reason: str = ""
    if_match: str | None = None
    wait_s: float = MAX_WAIT_S
    traceparent: str = ""
    queueing: Queueing = SYNCHRONOUS


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo a posted document by its mirror. `posting_date`: the mirror's; None for that of the original."""

    caller: Caller
    domain: str
    document_id: str
    idempotency_key: str | None
    reason: str = ""
    posting_date: date | None = None
    if_match: str | None = None
    wait_s: float = MAX_WAIT_S
    traceparent: str = ""
    queueing: Queueing = SYNCHRONOUS


@dataclass(frozen=True, slots=True)
class Answer:
    """The transaction as it stands. `replayed`: it was accepted by an earlier request."""

    transaction: TransactionRecord
    external_reference: str | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A routing decision in wire words, and nothing posted: `body` is JSON-able and lowerCamelCase."""

    body: dict[str, object]


Command = Create | Change | Cancel | Reverse
"""What a caller wants done."""


def patience(command: Command) -> float:
    """Seconds that the caller waits; whoever wants it accepted alone wants the answer then."""
    return 0.0 if command.queueing.alone else command.wait_s


class Submissions(Protocol):
    """The line as its callers see it. Every method raises `gateway.errors.Problem` for what it refuses."""

    async def submit(self, command: Create) -> Answer:
        """Accept the document (durably), and wait for its end as long as the command says."""
        ...

    async def accept_many(self, commands: Sequence[Create]) -> list[Answer | Problem]:
        """Accept each document by itself, many in one commit; nobody waits for their ends."""
        ...

    async def change(self, command: Change) -> Answer:
        """Accept a change of a document, and wait as `submit` does."""
        ...

    async def cancel(self, command: Cancel) -> Answer:
        """Accept the cancellation of a document, and wait as `submit` does."""
        ...

    async def reverse(self, command: Reverse) -> Answer:
        """Accept the reversal of a document, and wait as `submit` does."""
        ...

    async def answer(self, transaction: TransactionRecord) -> Answer:
        """The stored transaction with its external reference, as `submit` would have answered it."""
        ...

    def explain(self, facts: Facts) -> DecisionView:
        """How these facts would be routed now."""
        ...
