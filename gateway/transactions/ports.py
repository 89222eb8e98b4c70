"""What the line needs from outside: the store, time, ids, randomness and proof of a process's end.

All of it is handed in, so that a simulation can run the same line on a virtual clock and an in-memory store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from adapters.canonical import ErpNumber
from gateway.domain.act_records import PeriodRecord
from gateway.domain.activations import RulesState
from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.lanes import Opening
from gateway.domain.processes import ProcessRecord
from gateway.domain.queries import DocumentName
from gateway.domain.records import (
    ActivationRecord,
    CrossReferenceRecord,
    DocumentRecord,
    EntryRecord,
    IdempotencyKeyRecord,
    JobRecord,
    LineageRecord,
    NaturalKeyRecord,
    OutboxRecord,
    PayloadRecord,
    PinRecord,
    RelationRecord,
    StepRecord,
    TransactionRecord,
)

__all__ = ["Clock", "DocumentName", "Ids", "Liveness", "Randomness", "Store", "UnitOfWork", "WriteUnit"]

T = TypeVar("T")


class WriteUnit(Protocol):
    """One write transaction. Every call is on its connection; all of it commits, or none."""

    # accepting
    async def idempotency_key(
        self, client: str, operation: str, resource: str, key: str
    ) -> IdempotencyKeyRecord | None: ...
    async def idempotency_keys(self, names: Sequence[tuple[str, str, str, str]]) -> Sequence[IdempotencyKeyRecord]:
        """Those of these that are there; of each its client, operation, resource and key."""
        ...

    async def insert_idempotency_key(self, record: IdempotencyKeyRecord) -> None: ...
    async def natural_key(self, source: str, domain: str, external_id: str) -> NaturalKeyRecord | None: ...
    async def natural_keys(self, names: Sequence[tuple[str, str, str]]) -> Sequence[NaturalKeyRecord]:
        """Those of these (source, domain, external id) that are there, locked in that order."""
        ...

    async def insert_natural_key(self, record: NaturalKeyRecord) -> None: ...
    async def rebind_natural_key(self, record: NaturalKeyRecord) -> None:
        """Point an existing key at another transaction and content."""
        ...

    async def insert_payload(self, record: PayloadRecord) -> None: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...

    # documents and their names
    async def documents_named(self, names: Sequence[DocumentName]) -> Mapping[DocumentName, DocumentRecord]:
        """The documents that have these names; a name that nobody has is absent from the answer."""
        ...

    async def document(self, document_id: str, *, alone: bool) -> DocumentRecord | None:
        """The row, kept from changing until the end of the unit: for this unit alone, or for all that follow it."""
        ...

    async def documents_together(self, document_ids: Sequence[str]) -> Sequence[DocumentRecord]:
        """Several rows, kept from changing until the end of the unit for all that follow them; locked in that order."""
        ...

    async def insert_document(self, record: DocumentRecord) -> None: ...
    async def update_document(self, record: DocumentRecord) -> None:
        """Replace all but document_id, domain, source, external_id, created_at."""
        ...

    async def numbers_in(self, document_ids: Sequence[str], system_id: str) -> Mapping[str, ErpNumber]:
        """What these documents are called in that system now; absent where they are not there."""
        ...

    async def insert_cross_reference(self, record: CrossReferenceRecord) -> None:
        """Add a number. The same (document, system, number) again changes nothing."""
        ...

    async def end_numbers(self, document_id: str, system_id: str, at: int) -> int:
        """What the document is called in that system is over (µs); how many numbers that were."""
        ...

    # what refers to what
    async def insert_relations(self, records: Sequence[RelationRecord]) -> None: ...
    async def delete_relations(self, document_id: str) -> None:
        """Forget what this document refers to."""
        ...

    async def followers(self, document_id: str) -> Sequence[DocumentRecord]:
        """The documents that follow this one, or came too late to follow it, and stand or may yet: not undone, and
        their creation did not fail."""
        ...

    async def document_of_customer(self, customer_id: str) -> DocumentRecord | None:
        """One of the customer's documents that stand or may yet, if there is one."""
        ...

    # lineages and pins
    async def insert_lineage(self, record: LineageRecord) -> None: ...
    async def ensure_lineage(self, record: LineageRecord) -> None:
        """Insert it unless it is there."""
        ...

    async def root_of(self, lineage_id: str) -> DocumentRecord | None:
        """The lineage's root as it stands, not locked."""
        ...

    async def pin(self, lineage_id: str) -> PinRecord | None: ...
    async def pins(self, lineage_ids: Sequence[str]) -> Sequence[PinRecord]:
        """Those of these lineages that have one."""
        ...

    async def insert_pin(self, record: PinRecord) -> PinRecord:
        """Insert the pin unless the lineage has one; return the one that stands."""
        ...

    async def delete_pin(self, lineage_id: str) -> None: ...

    # transactions
    async def insert_transaction(self, record: TransactionRecord) -> None: ...
    async def transaction(self, transaction_id: str) -> TransactionRecord | None:
        """The row, locked until the end of the unit where the database locks rows."""
        ...

    async def transactions(self, transaction_ids: Sequence[str]) -> Mapping[str, TransactionRecord]:
        """Several rows, not locked."""
        ...

    async def transactions_held(self, transaction_ids: Sequence[str]) -> Sequence[TransactionRecord]:
        """As `transaction`, of several; locked in that order."""
        ...

    async def update_transaction(self, record: TransactionRecord) -> None:
        """Replace the mutable columns: status, updated_at, entry_count and all that routing and outcome fill."""
        ...

    # steps
    async def steps(self, transaction_id: str) -> Sequence[StepRecord]: ...
    async def insert_step(self, record: StepRecord) -> None: ...
    async def update_step(self, record: StepRecord) -> None:
        """Replace by (transaction_id, step, direction)."""
        ...

    async def close_attempt(self, attempt: StepRecord, at: int) -> bool:
        """Its sender says that its connection is closed: `closed_at` of the row becomes `at` (µs), or the database's
        time if that is later. Only if the row still shows this very attempt (number, epoch, process) without an outcome
        and not closed; whether it did."""
        ...

    # jobs
    async def insert_job(self, record: JobRecord) -> None: ...
    async def job(self, transaction_id: str) -> JobRecord | None:
        """The row, locked until the end of the unit where the database locks rows."""
        ...

    async def update_job(self, record: JobRecord) -> None: ...
    async def delete_job(self, transaction_id: str) -> None: ...
    async def revive_jobs(self, now: int) -> None:
        """Free the jobs whose lease is over, and those that wait although it is time to look at them again, so that
        they can be claimed. Some are left for the next time where there are very many."""
        ...

    async def claim_jobs(
        self, owner: str, now: int, lease_until: int, openings: Sequence[Opening]
    ) -> Sequence[JobRecord]:
        """Take jobs that are due, free and wait for nothing, up to what each opening has room for: by priority, then
        by the time they are due; epoch + 1, lease to `owner`. No two callers get the same job."""
        ...

    async def wake_jobs_waiting_for(self, transaction_id: str, now: int) -> int:
        """Make all jobs due that wait for that transaction, or for the end of that act; they wait no more. How many."""
        ...

    async def release_leases_of(self, owner: str, now: int) -> int:
        """End the leases of a process that is proven ended, so that its jobs are claimed at once; how many."""
        ...

    # many at once
    async def insert_many(self, records: Sequence[object]) -> None:
        """Insert new records of one kind: lineages, documents, keys of either kind, payloads, transactions, or jobs."""
        ...

    # ledger and events
    async def insert_entries(self, records: Sequence[EntryRecord]) -> None: ...
    async def take_event_sequences(self, lineage_id: str, count: int) -> int:
        """Raise the lineage's event count by `count` under its row lock; the first of the new numbers."""
        ...

    async def lineages_held(self, lineage_ids: Sequence[str]) -> Sequence[LineageRecord]:
        """Several rows, locked in that order; who holds one may number its events and `count_events` at the end."""
        ...

    async def count_events(self, records: Sequence[LineageRecord]) -> None:
        """Replace the event counts of lineages that the unit holds."""
        ...

    async def insert_events(self, records: Sequence[OutboxRecord]) -> None: ...

    # dead ends; a transaction's row is taken before its exception's
    async def insert_exception(self, record: ExceptionRecord) -> None: ...
    async def exception(self, exception_id: str) -> ExceptionRecord | None:
        """The row, locked until the end of the unit."""
        ...

    async def update_exception(self, record: ExceptionRecord) -> None:
        """Other words of the ERP take the place of those that the row named; the store keeps leading to these too."""
        ...

    async def exception_move(self, move_id: str) -> MoveRecord | None:
        """The row, locked until the end of the unit."""
        ...

    async def update_exception_move(self, record: MoveRecord) -> None: ...

    # periods
    async def period(self, company_code: str, period: str) -> PeriodRecord | None:
        """What was done to a period, the row locked until the end of the unit; None if nothing was."""
        ...

    async def update_period(self, record: PeriodRecord) -> None:
        """Replace all but company_code, period and trace."""
        ...

    # processes and rulebooks
    async def rules_state(self) -> RulesState:
        """What is in force until the end of the unit: the activation lock is held shared from here on."""
        ...

    async def insert_process(self, record: ProcessRecord) -> None: ...
    async def process(self, process_id: str) -> ProcessRecord | None: ...
    async def processes_holding_leases(self, now: int) -> Sequence[ProcessRecord]: ...
    async def latest_activation(self) -> ActivationRecord | None: ...
    async def insert_activation(self, record: ActivationRecord) -> None: ...


UnitOfWork = Callable[[WriteUnit], Awaitable[T]]


class Store(Protocol):
    """Writes. The same store also answers `gateway.transactions.queries.Reads` and `gateway.messaging.ports.Outbox`.

    `write` returns after the commit is synced; it may run `fn` again; `fn` awaits nothing but its unit.
    Raises `gateway.errors.StoreUnavailable` when nothing was committed and the database does not answer.
    """

    async def write(self, fn: UnitOfWork[T]) -> T: ...


class Clock(Protocol):
    """Time. `now` in microseconds since 1970 UTC."""

    def now(self) -> int: ...
    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Time-ordered ids: prefix, underscore, 26 characters of Crockford base32."""

    def new(self, prefix: str) -> str: ...


class Randomness(Protocol):
    """Salts and jitter."""

    def salt(self) -> bytes:
        """16 unpredictable bytes."""
        ...

    def jitter(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Liveness(Protocol):
    """Whether a process is *proven* ended; False means 'not proven', never 'alive'."""

    def has_ended(self, process: ProcessRecord) -> bool: ...
