"""Batches of documents: what is kept of each, and of each of its lines.

Times are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

BatchState = Literal["open", "cut", "complete"]
"""`open`: being received, or cut lately. `cut`: cut, and not sent again in time; no line of it waits any more. Sent
again, either goes on."""
LineResult = Literal["accepted", "refused", "waiting"]
"""`waiting`: it refers to a document that is not known yet, and is looked at again when the batch has gone through."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch of a client.

    `idempotency_key`: the client's name for it, by which it goes on. `epoch` counts the requests that carried it on:
    only the newest may write. `received`: lines that were dealt with, from the first on, empty ones too: how far in the
    body it came. `digest` is the SHA-256 of these, each with a line feed, in hexadecimal.
    """

    batch_id: str
    client: str
    idempotency_key: str | None
    state: BatchState
    epoch: int
    received: int
    digest: str
    created_at: int
    updated_at: int
    completed_at: int | None = None


@dataclass(frozen=True, slots=True)
class BatchLineRecord:
    """What became of one line, counted from 1. Empty lines have none.

    `problem`: the RFC 9457 body of a refusal, as JSON text. `body`: the line itself while it waits.
    """

    batch_id: str
    line_number: int
    result: LineResult
    transaction_id: str | None = None
    replayed: int = 0
    problem: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class BatchLineShown:
    """A line as it is read. `status`: of its transaction, as that stands now."""

    line_number: int
    result: LineResult
    transaction_id: str | None
    replayed: int
    problem: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class BatchPart:
    """Lines of a batch of one result; of accepted ones, those with one status and currency.

    `transactions`: how many these lines name, each counted once, however many lines repeat it. `amount`: the sum of
    these transactions.
    """

    result: LineResult
    status: str | None
    currency_code: str | None
    lines: int
    replayed: int
    transactions: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch and all its parts, of one moment."""

    batch: BatchRecord
    parts: Sequence[BatchPart]
