"""The shape of a problem document, with every member that a problem of ours can carry."""

from __future__ import annotations

from types import NoneType
from typing import Any

from pydantic import Field

from gateway.api.adoption_schemas import AdoptionControl
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.explanation_schemas import DecisionExplanation
from gateway.api.leg_schemas import LegAnswer
from gateway.api.schemas import ErpNumberAnswer, PartReadiness, RoutedTo
from gateway.domain.transaction import Status


def _only(description: str) -> Any:
    """A member that only some problems have."""
    return Field(default_factory=NoneType, description=description)


class FieldComplaint(AnswerModel):
    """One thing that is wrong: where (`lines[0].netAmount`), what, and what to do."""

    field: str
    message: str
    remedy: str


class RefusalOfErp(AnswerModel):
    """The ERP's own words."""

    system_id: str | None = Field(default_factory=NoneType)
    message_code: str | None = Field(default_factory=NoneType)
    field: str | None = Field(default_factory=NoneType)
    message: str | None = Field(default_factory=NoneType)


class FollowUp(AnswerModel):
    """A document that follows the one that the request is about."""

    document_id: str
    domain: str
    transaction_id: str | None


class SplitPart(AnswerModel):
    """A reference of the document, and the system that what it names belongs to."""

    field: str
    lineage_id: str
    system_id: str


class FailedGate(AnswerModel):
    """A gate that a change of the rules does not pass."""

    gate: str
    subject: str
    why: str


class RefusedTransaction(AnswerModel):
    """Only where the request was accepted and then refused: its transaction, which is kept. The transaction's status is
    `transaction_status`, for `status` is the problem's."""

    transaction_id: str | None = _only("The transaction that this is about.")
    transaction_status: Status | None = _only("How the refused transaction ended.")
    status_url: str | None = _only("Where the refused transaction can be read.")
    request_trace_id: str | None = Field(
        default_factory=NoneType, description="The trace of this request, where `traceId` is another one's."
    )
    lineage_id: str | None = _only("As in the refused transaction.")
    document_id: str | None = _only("The document that this is about.")
    document_url: str | None = _only("Where the document can be read.")
    domain: str | None = _only("As in the refused transaction.")
    operation: str | None = _only("What was asked for.")
    source: str | None = _only("As in the refused transaction.")
    external_id: str | None = _only("As in the refused transaction.")
    business_unit: str | None = _only("As in the refused transaction.")
    geography: str | None = _only("As in the refused transaction.")
    company_code: str | None = _only("As in the refused transaction.")
    document_type: str | None = _only("As in the refused transaction.")
    amount: str | None = _only("As in the refused transaction.")
    currency_code: str | None = _only("As in the refused transaction.")
    posting_date: str | None = _only("As in the refused transaction.")
    parent_transaction_id: str | None = _only("As in the refused transaction.")
    replaces: str | None = _only("As in the refused transaction.")
    routed_to: RoutedTo | None = _only("The system that refused it.")
    erp_reference: str | None = _only("As in the refused transaction.")
    erp_number: ErpNumberAnswer | None = _only("As in the refused transaction.")
    legs: list[LegAnswer] | None = _only("As in the refused transaction.")
    new_customer_transaction_id: str | None = _only("As in the refused transaction.")
    made_for_transaction_id: str | None = _only("As in the refused transaction.")
    replayed: bool | None = _only("Whether an earlier request with the same keys was refused.")
    accepted_at: str | None = _only("As in the refused transaction.")
    updated_at: str | None = _only("As in the refused transaction.")


class ProblemDocument(RefusedTransaction, Answered):
    """RFC 9457. `code` is the slug of `type`; `remedy` says what to do; other members depend on the problem."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    remedy: str
    errors: list[FieldComplaint]
    trace_id: str = Field(description="The trace of this request.")
    retry_after_s: int | None = Field(alias="retryAfterS")
    etag: str | None = _only("The document's etag now.")
    state: str | None = _only("How the document, or the activation, stands that takes no more requests.")
    busy_with_transaction_id: str | None = _only("What must end first.")
    busy_with_status: Status | None = _only("How far that came.")
    follow_ups: list[FollowUp] | None = _only("What follows the document; the first 20.")
    follow_up_count: int | None = _only("How many documents follow it.")
    split: list[SplitPart] | None = _only("Which reference leads to which system.")
    system_id: str | None = _only("The system to which the document belongs.")
    customer_system_id: str | None = _only(
        "The system that a new customer belongs to, where its order belongs to another."
    )
    order_system_id: str | None = _only("The system that the order of a new customer belongs to.")
    late_kind: str | None = _only("What kind of late document it is, where the lineage's slice is closed.")
    activation_number: int | None = _only("What is in force by now.")
    activation_id: str | None = _only("The activation that this is about.")
    failed_gates: list[FailedGate] | None = _only("The gates that stand in the way.")
    check: str | None = _only("The policy check that refused it.")
    period: str | None = _only("The period that is closed.")
    adoption_id: str | None = _only("The batch of an adoption in which a document waits already.")
    open_here: AdoptionControl | None = _only("What is open, where a batch's control total is another.")
    slice: str | None = _only("The slice that this is about.")
    window_id: str | None = _only("The rule row that freezes the slice.")
    explanation: DecisionExplanation | None = _only("Which rows came near, where no rule decides.")
    allowed_methods: list[str] | None = _only("As the header Allow.")
    accepted_media_types: list[str] | None = _only("As the header Accept.")
    required_scopes: list[str] | None = _only("A token needs one of them.")
    token_missing: bool | None = _only("True if no token was sent at all.")
    most_bytes: int | None = _only("The largest body that is taken.")
    most_lines: int | None = _only("The most lines that one batch may have.")
    archived_months: list[str] | None = _only("In whose archives the entries of a bundle are that cannot be given.")
    parts: list[PartReadiness] | None = _only("How each part of the gateway is.")
    erp: RefusalOfErp | None = Field(default_factory=NoneType)
