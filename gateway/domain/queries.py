"""What can be asked of the store, and in what form it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.canonical import ErpNumber
from gateway.domain.records import (
    CrossReferenceRecord,
    DocumentRecord,
    LineageRecord,
    PinRecord,
    RelationRecord,
    TransactionRecord,
)


@dataclass(frozen=True, slots=True)
class DocumentName:
    """One of the names of a document, as the store looks it up.

    Exactly one of: `document_id`; (`source`, `external_id`); `erp_number`.
    """

    domain: str
    document_id: str | None = None
    source: str | None = None
    external_id: str | None = None
    erp_number: ErpNumber | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    """What a caller may see: node ids, all descendants listed; None means everything."""

    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Every condition that is not None must hold. Times in µs; `accepted_until` is excluded."""

    external_id: str | None = None
    source: str | None = None
    erp_document_number: str | None = None
    system_id: str | None = None
    status: str | None = None
    domain: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    lineage_id: str | None = None
    accepted_from: int | None = None
    accepted_until: int | None = None
    operation: str | None = None
    document_id: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Conditions on documents of one domain; every one that is not None must hold.

    `posting_date_from` and `posting_date_until` (excluded): ISO dates. `created_from`, `created_until` (excluded): µs.
    `status`: of the transaction that created it. `system_id`, `erp_document_number`: of a number that it has or had.
    """

    domain: str
    external_id: str | None = None
    source: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    company_code: str | None = None
    document_type: str | None = None
    currency_code: str | None = None
    posting_date_from: str | None = None
    posting_date_until: str | None = None
    customer_id: str | None = None
    state: str | None = None
    status: str | None = None
    system_id: str | None = None
    erp_document_number: str | None = None
    created_from: int | None = None
    created_until: int | None = None


@dataclass(frozen=True, slots=True)
class LineageView:
    """A lineage with all that belongs to it. `relations`: the links from and to its documents."""

    lineage: LineageRecord
    pin: PinRecord | None
    documents: Sequence[DocumentRecord]
    transactions: Sequence[TransactionRecord]
    cross_references: Sequence[CrossReferenceRecord]
    relations: Sequence[RelationRecord] = ()


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The jobs of one lane at one system (empty: it cannot be told yet). Each is counted once: `under_way` in some
    process; `waiting` for another transaction or the end of an act; `put_off` after a failure; or `due`.

    Ages in seconds, 0.0 where there is none: `oldest_s` since the acceptance, of all that is not under way;
    `oldest_due_s` since it was due, of what is due.
    """

    lane: str
    system_id: str
    under_way: int
    waiting: int
    put_off: int
    due: int
    oldest_s: float
    oldest_due_s: float


@dataclass(frozen=True, slots=True)
class QueueState:
    """Depth and age of what waits. Ages in seconds, 0.0 where nothing waits. `in_doubt`: transactions that do, for a
    person. `depths`: the jobs by lane and system."""

    jobs: int
    oldest_job_s: float
    events: int
    oldest_event_s: float
    in_doubt: int = 0
    depths: Sequence[QueueDepth] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The stream took this event as its message number `stream_sequence`."""

    event_id: str
    stream_sequence: int


@dataclass(frozen=True, slots=True)
class StreamMemory:
    """The stream as the relay last saw it: when it was created (µs) and its last sequence."""

    stream: str
    created_at: int
    last_sequence: int
