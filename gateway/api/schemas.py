"""The shapes of answers, for the API description. Answers are open: members may be added to them.

What is sent is built from records directly; tests hold it to these shapes.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.leg_schemas import LegAnswer
from gateway.domain.records import RelationKind
from gateway.domain.shown_state import ShownState
from gateway.domain.transaction import Status


class RoutedTo(AnswerModel):
    """The system that the transaction went to, and the rule that said so."""

    system_id: str
    side: str | None
    stage: str | None
    table_version: str | None
    row: str | None
    activation_number: int | None
    pinned: bool


class ErpNumberAnswer(AnswerModel):
    """What the document is called in one ERP."""

    system_id: str | None
    document_type: str | None
    document_number: str


class DatedErpNumber(AnswerModel):
    """What a document is called in one ERP, and since when. `mirror`: it is the number of its mirror, by which the
    document is found and was never called."""

    document_id: str
    system_id: str
    document_type: str
    document_number: str
    valid_from: str
    valid_until: str | None
    mirror: bool


class TransactionAnswer(Answered):
    """One accepted request, as it stands. `document_url`: the document that it is about."""

    transaction_id: str
    status: Status
    status_url: str
    trace_id: str = Field(description="The trace of the request that was accepted.")
    lineage_id: str
    document_id: str
    document_url: str
    domain: str
    operation: str
    source: str
    external_id: str | None
    business_unit: str
    geography: str
    company_code: str | None
    document_type: str | None
    amount: str | None
    currency_code: str | None
    posting_date: str | None
    parent_transaction_id: str | None
    replaces: str | None
    routed_to: RoutedTo | None
    erp_reference: str | None
    erp_number: ErpNumberAnswer | None
    legs: list[LegAnswer] | None = Field(
        default_factory=NoneType,
        description="Its parts, where the document lies in the books of several company codes or ERPs; each is routed "
        "and posted by itself, and `routedTo`, `erpReference` and `erpNumber` are null then.",
    )
    problem: dict[str, Any] | None
    replayed: bool
    retry_after_s: int | None = Field(alias="retryAfterS")
    accepted_at: str
    updated_at: str
    request_trace_id: str | None = Field(default_factory=NoneType, description="The trace of this request.")
    etag: str | None = Field(
        default_factory=NoneType,
        description="The document's etag that this transaction made, for If-Match; not in lists. In a replayed answer "
        "too, so others may have changed the document since: then read it again.",
    )
    document_version: int | None = Field(
        default_factory=NoneType, description="The document's version that this transaction made; not in lists."
    )
    new_customer_transaction_id: str | None = Field(
        default_factory=NoneType,
        description="Of an order that came with `newCustomer`: the customer's own transaction, which created it for "
        "this order or had created it before; not in lists, and in events only of `accepted`.",
    )
    made_for_transaction_id: str | None = Field(
        default_factory=NoneType,
        description="Of a customer that was created for an order: the order's transaction; not in lists, and in "
        "events only of `accepted`.",
    )


class TransactionPage(Answered):
    """Newest first; `nextCursor` is null on the last page."""

    items: list[TransactionAnswer]
    next_cursor: str | None


class DocumentSummary(AnswerModel):
    """A document with its numbers in the ERPs. `state`: what became of it; `status`: how the transaction that created
    it stands, null for what was imported: only what is `posted` is in an ERP. `version` counts what it
    said; `busy_with_transaction_id`: what is being done to it now. Only in a lineage: the quote that it came from, and
    the ids of what it `follows` and `relates` to.
    """

    document_id: str
    document_url: str
    domain: str
    source: str
    external_id: str | None
    lineage_id: str
    transaction_id: str | None
    status_url: str | None
    business_unit: str
    geography: str
    company_code: str | None
    document_type: str | None
    amount: str | None
    currency_code: str | None
    posting_date: str | None
    customer_id: str | None
    state: ShownState = Field(
        description="What became of it. `active`: it stands, or may yet, see `status`; `cancelled`: it was called off; "
        "`reversed`: its mirror was posted; `not_created`: its creation was rejected, taken back, or ended by "
        "operations, so that no ERP has it."
    )
    status: Status | None
    version: int
    busy_with_transaction_id: str | None
    created_at: str
    erp_numbers: list[DatedErpNumber]
    quote_reference: str | None = Field(default_factory=NoneType)
    follows: list[str] | None = Field(default_factory=NoneType)
    relates: list[str] | None = Field(default_factory=NoneType)


class DocumentAnswer(DocumentSummary, Answered):
    """`content` is the canonical body; null if it was erased, or never seen by the gateway. `etag`: for If-Match, as
    the header says it, without its quotes."""

    etag: str
    content_state: Literal["present", "erased", "not_recorded"]
    content: dict[str, Any] | None
    is_content_missing: bool | None = Field(default_factory=NoneType)


class DocumentPage(Answered):
    """Newest first; `nextCursor` is null on the last page."""

    items: list[DocumentSummary]
    next_cursor: str | None


class TraceEntry(AnswerModel):
    """A ledger entry. `hashedBytes` (base64) are the bytes whose RFC 6962 leaf hash is `leafHash` (hexadecimal)."""

    trace: str
    seq: int
    kind: str
    recorded_at: str
    leaf_hash: str
    hashed_bytes: str
    entry: dict[str, Any]


class TraceAnswer(Answered):
    """The ledger entries of one transaction, in order. `archived_month`: they are in the archive of that month, all but
    what came since."""

    transaction_id: str
    lineage_id: str
    entries: list[TraceEntry]
    archived_month: str | None = None


class PinAnswer(AnswerModel):
    """The system to which the lineage belongs."""

    system_id: str
    side: str
    stage: str
    row: str | None
    table_version: str | None
    activation_number: int | None
    pinned_at: str


class RelationAnswer(AnswerModel):
    """A document refers to another one by a member. `follows`: in the same lineage; `relates`: not necessarily."""

    document_id: str
    field: str
    relation: RelationKind
    target_document_id: str


class LineageAnswer(Answered):
    """A root document and all that follows from it, as far as the caller may see it. `relations`: links between its
    documents, and with documents of other lineages.
    """

    lineage_id: str
    root_document_id: str
    pin: PinAnswer | None
    documents: list[DocumentSummary]
    transactions: list[TransactionAnswer]
    relations: list[RelationAnswer]


class LivenessAnswer(AnswerModel):
    """The process answers."""

    alive: bool


class PartReadiness(AnswerModel):
    """One part of the gateway. `needed`: without it no request can be served."""

    name: str
    ready: bool
    needed: bool


class ReadinessAnswer(AnswerModel):
    """Whether requests can be served, and how each part is."""

    ready: bool
    parts: list[PartReadiness]


class ProblemKindAnswer(Answered):
    """What a problem type means."""

    code: str
    title: str
    status: int
    remedy: str
