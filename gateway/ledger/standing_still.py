"""Where a transaction stands still: what it waits for, and what there is to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.domain.records import JobRecord, TransactionRecord
from gateway.domain.transaction import ENDS, Status

Awaited = Literal["transaction", "overlay", "queue", "erp_answer", "next_attempt", "inquiry", "person"]
"""What is waited for: the end of another transaction; the end of an act (`hold`, `freeze`, `paused`); a place in the
queue; the answer of an ERP; the next attempt at an ERP that could not be reached; the inquiry whether it was posted; a
person."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """`awaited_id`: of the transaction, act or exception that is waited for; of an ERP, its system's id."""

    awaited: Awaited
    awaited_id: str | None
    what_to_do: str


def standstill(record: TransactionRecord, job: JobRecord | None, *, is_unsent: bool) -> Standstill:
    """What a transaction that has not ended, or that stands in front of a person, waits for. `is_unsent`: nothing of
    its present step has reached its ERP."""
    if record.status in ENDS or record.status is Status.IN_DOUBT:
        return _person(record, job)
    waiting_for = None if job is None else job.waiting_for
    if waiting_for is not None:
        return _named(waiting_for)
    at_work = job is not None and job.lease_owner is not None
    if record.exception_id is not None and not at_work:
        return _person(record, job)
    system_id = record.system_id or (job.system_id if job is not None and job.system_id else None)
    if is_unsent and not at_work:
        return Standstill(
            "next_attempt",
            system_id,
            f"Nothing was posted and it is tried again by itself; see that {system_id or 'its ERP'} can be reached.",
        )
    if record.status is Status.UNKNOWN:
        return Standstill(
            "inquiry",
            system_id,
            f"The gateway asks {system_id or 'its ERP'} whether it was posted; do not send it again by another way.",
        )
    if record.status in {Status.DISPATCHED, Status.COMPENSATING}:
        told = "its ERP" if system_id is None else system_id
        return Standstill("erp_answer", system_id, f"{told} has it; the gateway inquires by itself if no answer comes.")
    return Standstill("queue", system_id, "It is carried on by itself as soon as there is a place; see /v1/queues.")


def _person(record: TransactionRecord, job: JobRecord | None) -> Standstill:
    if job is not None and job.lease_owner is not None:
        return Standstill("inquiry", record.system_id, "A person asked for an inquiry, which is under way.")
    if record.exception_id is None:
        return Standstill("person", None, "It is in doubt: look the document up in the ERP by its reference.")
    return Standstill(
        "person", record.exception_id, f"Decide about the exception: /v1/exceptions/{record.exception_id}."
    )


def _named(waiting_for: str) -> Standstill:
    if waiting_for.startswith("txn_"):
        return Standstill(
            "transaction",
            waiting_for,
            f"It goes by itself once {waiting_for} is posted; ask where that one stands still.",
        )
    return Standstill(
        "overlay",
        waiting_for,
        f"It goes by itself once {waiting_for} is lifted: /v1/cutover/overlays.",
    )
