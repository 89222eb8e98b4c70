"""Batches on the wire: a line as it is sent, and how a batch stands."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.idempotency import KEY_PATTERN


class BatchLine(CanonicalModel):
    """One line of a batch. `document`: as it would be submitted to /v1/{domain}. `idempotency_key`: required where the
    document has no externalId."""

    domain: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$", examples=["invoices"])]
    document: dict[str, Any]
    idempotency_key: Annotated[str, Field(pattern=f"^{KEY_PATTERN}$", examples=["run-2026-11-4711"])] | None = None


class BatchStatusCount(AnswerModel):
    """How many transactions of the batch have this status now."""

    status: str
    count: int


class BatchMoney(AnswerModel):
    """Amounts of the batch in one currency: of all that was accepted, and of what is posted by now."""

    currency_code: str
    accepted_amount: str
    posted_amount: str


class BatchAnswer(Answered):
    """How a batch stands. `batch_state`: `open` while it is received, or was cut; `cut` once nobody sent it again in
    time (no line waits any more; sent again, it goes on); `complete` once every line was accepted or refused.
    `received`: lines that were dealt with, from the first on. `replayed`: those of the accepted that were accepted
    before. `waiting`: lines whose parent is not known yet."""

    batch_id: str
    batch_state: str
    status_url: str
    results_url: str
    received: int
    accepted: int
    replayed: int
    refused: int
    waiting: int
    by_status: list[BatchStatusCount]
    money: list[BatchMoney]
    created_at: str
    updated_at: str
    completed_at: str | None
