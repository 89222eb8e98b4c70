"""The shapes of answers about one document by any of its names."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, Literal

from pydantic import Field

from gateway.api.answer_model import AnswerModel
from gateway.api.ledger_schemas import LedgerAnswered

_CUT: Final = "There is more than is listed: the name means more documents than are looked at, or they have more."


def _cut() -> Any:
    """Came to the first version's answers later."""
    return Field(default_factory=NoneType, description=_CUT)


class AskedTransaction(AnswerModel):
    """What was asked for, of which document."""

    transaction_id: str
    document_id: str
    lineage_id: str
    external_id: str | None
    domain: str
    operation: str
    status: str


class StandingTransaction(AskedTransaction):
    """A transaction that has not ended, or that stands in front of a person."""

    since_at: str = Field(description="Since when it has its status: the time of the ledger entry that says so.")
    awaited: Literal["transaction", "overlay", "queue", "erp_answer", "next_attempt", "inquiry", "person"] = Field(
        description="What it waits for: the end of another transaction, the end of an act, a place in the queue, the "
        "answer of an ERP, the next attempt at one that was not reached, whether it was posted, or a person."
    )
    awaited_id: str | None = Field(description="Of the transaction, act, system or exception that is waited for.")
    next_look_at: str | None = Field(description="When the gateway looks at it again by itself; null: it does not.")
    tries: int = Field(description="How often it was tried without progress.")
    system_id: str | None
    problem_code: str | None = Field(description="The slug of the problem that it has now.")
    what_to_do: str = Field(description="In words.")


class WhereStuckAnswer(LedgerAnswered):
    """What has not ended in the lineages of the named documents. What waits for no other transaction comes first: it
    keeps the others back. Nothing in it: nothing is stuck."""

    items: list[StandingTransaction]
    is_cut: bool = Field(description=_CUT)


class RefusedMember(AnswerModel):
    """A member of the document that was complained about."""

    field: str | None
    message: str | None
    remedy: str | None


class FailedTransaction(AskedTransaction):
    """What was refused, or fails still; `erp_message` and what stands beside it are the ERP's own words."""

    failed_at: str = Field(description="The time of the ledger entry of its status.")
    is_final: bool = Field(description="It has ended; otherwise the gateway or a person goes on with it.")
    system_id: str | None
    problem_code: str | None = Field(description="The slug of the problem.")
    detail: str | None
    erp_message_code: str | None = Field(description="The ERP's own code of its message.")
    erp_message: str | None = Field(description="What the ERP said.")
    erp_field: str | None = Field(description="The member of the document that the ERP complained about.")
    errors: list[RefusedMember] = Field(description="What the gateway itself complained about.")
    remedy: str
    exception_id: str | None = Field(description="The open exception by which it stands in front of a person.")
    replaced_by_transaction_id: str | None = Field(description="What was sent in its place.")
    replacement_status: str | None = Field(description="How that stands.")


class WhyFailedAnswer(LedgerAnswered):
    """Of all that was asked for the named documents, what was refused or fails still, the oldest first."""

    items: list[FailedTransaction]
    is_cut: bool | None = _cut()


class SentAgain(AnswerModel):
    """That the same request came once more, and was answered with the transaction that was there."""

    recorded_at: str
    seq: int


class ToldEvent(AnswerModel):
    """An event as it was put on the stream. Under one `event_id` consumers may get it again; it means the same."""

    event_id: str
    kind: str
    sequence: int = Field(description="Its number among the events of its lineage, from 1.")
    created_at: str
    published_at: str | None = Field(description="When the stream acknowledged it last; null: it waits.")
    stream_sequence: int | None = Field(description="Its number in the stream.")
    is_before_stream: bool = Field(
        description="It is older than the stream as it is now: where an earlier stream had it, consumers get it again."
    )


class ToldTransaction(AskedTransaction):
    """What was asked for, whether it came again, and the events about it that are still kept."""

    accepted_at: str
    was_sent_again: bool
    sent_again: list[SentAgain]
    events: list[ToldEvent]


class EventsToldAnswer(LedgerAnswered):
    """Requests that came again, and events with their places in the stream. Events are kept for seven days after the
    stream has acknowledged them."""

    items: list[ToldTransaction]
    stream_began_at: str | None = Field(description="When the stream was created that the relay publishes to.")
    is_cut: bool | None = _cut()


class WaitingTransaction(AskedTransaction):
    """`depth`: 1 waits for a named document itself, 2 for what waits for it, and so on."""

    depth: int
    awaited_transaction_id: str
    since_at: str = Field(description="Since when it has its status: the time of the ledger entry that says so.")
    next_look_at: str = Field(description="When the gateway looks at it again, if nothing wakes it before.")


class WaitingDocumentsAnswer(LedgerAnswered):
    """What waits for the named documents to be posted."""

    items: list[WaitingTransaction]
    is_cut: bool = Field(description=_CUT)
