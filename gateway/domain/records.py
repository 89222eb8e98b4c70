"""What the store keeps, one frozen record per table row, in the words of the domain.

Times are whole microseconds since 1970-01-01 UTC. Amounts are canonical decimal texts. Ids are time-ordered.
Field names are the column names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.domain.lanes import DEFAULT_PRIORITY
from gateway.domain.transaction import Status

StepState = Literal["dispatched", "not_sent", "posted", "rejected", "unknown"]
DocumentState = Literal["active", "cancelled", "reversed"]
RelationKind = Literal["follows", "relates"]


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """One accepted request to create, change, cancel or reverse a document.

    `business_unit` and `geography` are node ids (the tree's root where the document has none); `entry_count` counts
    its ledger entries; `problem` is the RFC 9457 body of its refusal, as JSON text.

    `payload_id`: the document as it shall stand; for a cancellation or reversal, what was said about it.
    `base_payload_id`: the document as it stood before a change, cancellation or reversal; None for a create.
    `exception_id`: the open exception by which it stands in front of a person.
    `legs`: the parts into which it is split, as JSON text (`gateway.domain.legs`); None where it is one posting. What
    is split has no system and no rule of its own: each leg has.
    `new_customer_id`: of a creation, its customer, if that came with it, or was `made_for` an order when this was
    accepted.
    `customer_id`: the canonical id of the customer that its document names; of a journal entry, which names none, the
    customer of what it follows. It stays when the document is sent again for another customer. None of what no
    customer is told of, and of what was accepted before this was kept: the document's then.
    """

    transaction_id: str
    lineage_id: str
    document_id: str
    domain: str
    operation: str
    status: Status
    client: str
    source: str
    external_id: str | None
    business_unit: str
    geography: str
    company_code: str | None
    document_type: str | None
    currency_code: str | None
    amount: str | None
    posting_date: str | None
    content_hash: str
    payload_id: str
    trace_id: str
    parent_transaction_id: str | None
    replaces: str | None
    accepted_at: int
    updated_at: int
    entry_count: int = 0
    system_id: str | None = None
    side: str | None = None
    stage: str | None = None
    table_version: str | None = None
    rule_row: str | None = None
    activation_number: int | None = None
    pinned: bool = False
    explanation: str | None = None
    erp_document_type: str | None = None
    erp_document_number: str | None = None
    problem: str | None = None
    retry_after_s: int | None = None
    base_payload_id: str | None = None
    exception_id: str | None = None
    legs: str | None = None
    new_customer_id: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class PayloadRecord:
    """The canonical body beside the ledger; erasable. The ledger holds SHA-256(salt ‖ body) only."""

    payload_id: str
    salt: bytes
    body: bytes | None
    erased_at: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document in the real world. `transaction_id` is the one that created it last; None for imported ones.

    `payload_id`: its content as it stands; `amount` and what stands beside it are of that content. `customer_id`: the
    canonical id of its customer. `version` counts what it said, from 1. `busy_with`: the change, cancellation or
    reversal of it that has not ended. `made_for`: of a customer, the order with which it came; None once something
    that has this customer is posted, or somebody asked for the customer by itself.
    """

    document_id: str
    domain: str
    source: str
    external_id: str | None
    lineage_id: str
    transaction_id: str | None
    payload_id: str | None
    business_unit: str
    geography: str
    created_at: int
    company_code: str | None = None
    document_type: str | None = None
    currency_code: str | None = None
    amount: str | None = None
    posting_date: str | None = None
    customer_id: str | None = None
    state: DocumentState = "active"
    version: int = 1
    busy_with: str | None = None
    made_for: str | None = None

    @property
    def etag(self) -> str:
        """Names what the document says now (RFC 9110 section 8.8.3, without its quotes)."""
        return f"v{self.version}"


@dataclass(frozen=True, slots=True)
class RelationRecord:
    """A document refers to another one by `field` (wire path). `follows` carries the pin, `relates` is only shown.

    `amount`: of an allocation, how much of the payment it takes.
    """

    document_id: str
    field: str
    target_document_id: str
    kind: RelationKind = "relates"
    amount: str | None = None


@dataclass(frozen=True, slots=True)
class NaturalKeyRecord:
    """(source, domain, external id): one document for ever. `transaction_id` is None for imported documents."""

    source: str
    domain: str
    external_id: str
    document_id: str
    transaction_id: str | None
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class IdempotencyKeyRecord:
    """A caller's own key, scoped to (client, operation, resource)."""

    client: str
    operation: str
    resource: str
    idempotency_key: str
    content_hash: str
    transaction_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class LineageRecord:
    """A root document and all that follows from it. `event_count` numbers its events."""

    lineage_id: str
    root_document_id: str
    event_count: int = 0


@dataclass(frozen=True, slots=True)
class PinRecord:
    """The system to which a lineage belongs, and the decision that put it there."""

    lineage_id: str
    system_id: str
    side: str
    stage: str
    rule_row: str | None
    table_version: str | None
    activation_number: int | None
    pinned_at: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One posting of a plan. `closed_at` (µs): when our own connection closed, as its sender says, or when that was
    proven ended; None before.

    `process_id` says who sent the latest attempt; `inquiries` counts empty ones since that attempt. `earlier_until`
    (µs): until when an earlier attempt of unknown outcome may still be executed; 0 if its sender neither said that
    it is over nor is proven ended, so that nobody knows; None if there is no such attempt.

    `once_unknown` (0 or 1): an inquiry found nothing of an attempt of unknown outcome, so that one after it may post a
    second time; 1 for steps that are older than this field. `twice_at` (µs): of a step that an inquiry showed to stand
    in the ERP several times, when that was asked last; None if it does not, or nobody asked.

    `direction`: `do`, or `undo` for what takes a posted step back. Of an undo: `posting_date` (ISO) is the day for
    which it is posted, `problem` (JSON text) why its latest attempt came to nothing.
    """

    transaction_id: str
    step: int
    direction: str
    system_id: str
    external_reference: str
    state: StepState
    attempt: int
    epoch: int
    process_id: str
    dispatched_at: int
    closed_at: int | None = None
    inquiries: int = 0
    inquired_at: int | None = None
    document_type: str | None = None
    document_number: str | None = None
    earlier_until: int | None = None
    posting_date: str | None = None
    problem: str | None = None
    once_unknown: int = 0
    twice_at: int | None = None


@dataclass(frozen=True, slots=True)
class CrossReferenceRecord:
    """Canonical id ↔ one system's own number, effective-dated."""

    document_id: str
    system_id: str
    document_type: str
    document_number: str
    valid_from: int
    valid_until: int | None = None

    @property
    def is_mirror(self) -> bool:
        """The number of the document's mirror, not its own: it was never valid."""
        return self.valid_until == self.valid_from


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Work to be done on a transaction. Whoever holds the lease under `epoch` may write; `tries` counts runs that
    ended without progress, for backoff. `waiting_for`: the transaction that must rest first, or the act that must end.
    `priority`: 0 goes first, within its lane and system. `system_id`: where it is expected to go, and once it is routed
    where it goes; empty where nobody can tell yet. `enqueued_at`: since when the transaction is in the queue (µs)."""

    transaction_id: str
    lane: str
    due_at: int
    epoch: int
    lease_owner: str | None
    lease_until: int
    waiting_for: str | None = None
    tries: int = 0
    priority: int = DEFAULT_PRIORITY
    system_id: str = ""
    enqueued_at: int = 0


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """One ledger entry as stored: `body` are the bytes that are hashed; the other columns only index it."""

    trace: str
    seq: int
    kind: str
    at: int
    lineage_id: str | None
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """One event to be published. `sequence` numbers the events of a lineage from 1."""

    event_id: str
    lineage_id: str
    sequence: int
    subject: str
    body: bytes
    traceparent: str
    created_at: int
    published_at: int | None = None
    stream_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class ActivationRecord:
    """A rulebook put in force. `rules` and `governance` are the RFC 8785 texts that the versions hash."""

    activation_number: int
    table_version: str
    governance_version: str
    activated_at: int
    activated_by: str
    rules: str
    governance: str
