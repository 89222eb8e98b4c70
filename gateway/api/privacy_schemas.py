"""The bodies and answers of erasing and of legal holds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from adapters.canonical import CanonicalModel, Reference
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.draft_schemas import ActingPerson
from gateway.api.identifiers import ID_PATTERN
from gateway.api.undoings import Reason


class ErasureRequest(CanonicalModel):
    """What tells of a customer shall be erased. `customer`: any of its names; an external id with its source. `reason`:
    for people; kept beside the ledger."""

    customer: Reference
    reason: Reason

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        _refuse_sourceless(self.customer)
        return self


class ErasureApproval(CanonicalModel):
    """An approval has no content of its own: the address names the erasure."""


class HoldRequest(CanonicalModel):
    """What must not be erased: all that tells of a customer, or one lineage; one of both. `reason`: for people; kept
    beside the ledger."""

    customer: Reference | None = None
    lineage_id: Annotated[str, Field(pattern=f"^{ID_PATTERN}$")] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.customer is None) == (self.lineage_id is None):
            raise ValueError("give exactly one of customer, lineageId")
        if self.customer is not None:
            _refuse_sourceless(self.customer)
        return self


def _refuse_sourceless(customer: Reference) -> None:
    if customer.external_id is not None and customer.source is None:
        raise ValueError("customer.externalId needs customer.source, whose id it is")


class KeptTransaction(AnswerModel):
    """A transaction whose payload is not erased yet. `kept_for`: under-way (its lineage has a transaction that has not
    ended), exception-open (it stands in front of a person), archived (its month is), legal-hold, retention.
    `kept_until`: the last day, of retention."""

    transaction_id: str
    document_id: str
    domain: str
    kept_for: Literal["under-way", "exception-open", "archived", "legal-hold", "retention"]
    kept_until: str | None


class ErasureAnswer(Answered):
    """An erasure as it stands. `state`: asked; approved (what may go is gone, what must be kept goes when it may);
    finished. `erased`: transactions whose payloads went with it. `erasable`: how many would go now. `kept`: what must
    be kept for now, a hundred at most. `more`: there is more than was looked at. Reasons are null where they were
    erased."""

    erasure_id: str
    customer_id: str
    state: Literal["asked", "approved", "finished"]
    reason: str | None
    asked_at: str
    asked_by: ActingPerson
    approved_at: str | None
    approved_by: ActingPerson | None
    finished_at: str | None
    erased: int
    erasable: int
    kept: list[KeptTransaction]
    more: bool
    replayed: bool


class HoldShown(AnswerModel):
    """A legal hold. `state`: set; lift_asked (in force until a second person confirms); lifted. One of `customer_id`,
    `lineage_id` is null."""

    hold_id: str
    state: Literal["set", "lift_asked", "lifted"]
    customer_id: str | None
    lineage_id: str | None
    reason: str | None
    set_at: str
    set_by: ActingPerson
    lift_asked_at: str | None
    lift_asked_by: ActingPerson | None
    lift_reason: str | None
    lifted_at: str | None
    lifted_by: ActingPerson | None


class HoldAnswer(HoldShown, Answered):
    """A legal hold as it stands. `replayed`: an earlier request with this key set it."""

    replayed: bool


class HoldPage(Answered):
    """Legal holds, newest first."""

    items: list[HoldShown]
    next_cursor: str | None


class RetentionRuleShown(AnswerModel):
    """How long payloads are kept below a geography, in days. `domain`: null for all. `erase_after_days`: null where
    nothing is erased unasked. `from_year_end`: counted from the end of the calendar year."""

    domain: str | None
    geography: str
    keep_days: int
    erase_after_days: int | None
    from_year_end: bool


class RetentionAnswer(Answered):
    """The rules in force, and a dry run over the oldest transactions whose payload is there. `due`: how many would be
    erased now. `kept`: how many are due and must be kept, by reason. `more`: there is more than was looked at."""

    rules: list[RetentionRuleShown]
    due: int
    kept: dict[str, int]
    more: bool
