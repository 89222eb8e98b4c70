"""What the line is asked for and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from adapters.canonical import CanonicalDocument
from gateway.domain.caller import Caller
from gateway.domain.records import TransactionRecord
from routing_rules import Facts

MAX_WAIT_S = 8.0
"""Longest a caller waits for the end of its transaction; Salesforce's default callout limit is 10 s."""


@dataclass(frozen=True, slots=True)
class Create:
    """Create a document. `wait_s`: how long the caller waits for a resting status (0: answer once accepted).

    `replaces`: the rejected or cancelled transaction with the same natural key that this one corrects.
    """

    caller: Caller
    document: CanonicalDocument
    idempotency_key: str | None = None
    replaces: str | None = None
    wait_s: float = MAX_WAIT_S
    traceparent: str = ""


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


class Submissions(Protocol):
    """The line as its callers see it. Every method raises `gateway.errors.Problem` for what it refuses."""

    async def submit(self, command: Create) -> Answer:
        """Accept the document (durably), and wait for its end as long as the command says."""
        ...

    async def answer(self, transaction: TransactionRecord) -> Answer:
        """The stored transaction with its external reference, as `submit` would have answered it."""
        ...

    def explain(self, facts: Facts) -> DecisionView:
        """How these facts would be routed now."""
        ...
