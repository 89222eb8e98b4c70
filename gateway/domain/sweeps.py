"""What the periodic sweep looks for, and how long is too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.domain.transaction import Status


class Finding(StrEnum):
    """What was found; `<status>-long` is a transaction that has stood in that status for too long."""

    JOB_MISSING = "job-missing"
    """Not at rest, and nobody will ever look at it again: put back into the queue."""
    JOB_OVERDUE = "job-overdue"
    """Due, free, and not taken: no process works, or not in its lane. The workers are woken."""
    PROCESS_ENDED = "process-ended"
    """Leases of a process that is proven ended: freed at once, instead of when they are over."""
    EVENT_UNPUBLISHED = "event-unpublished"
    """Events that the stream has not acknowledged: NATS is away, or refuses them. They stay in the outbox."""
    POSTED_TWICE = "posted-twice"
    """An ERP holds several documents under one reference that was sent again: its longest execution is not true."""
    ACCEPTED_LONG = "accepted-long"
    ROUTED_LONG = "routed-long"
    DISPATCHED_LONG = "dispatched-long"
    UNKNOWN_LONG = "unknown-long"
    WAITING_LONG = "waiting-long"
    COMPENSATING_LONG = "compensating-long"


LONG: Final[Mapping[Status, Finding]] = {
    status: Finding(f"{status}-long")
    for status in (
        Status.ACCEPTED,
        Status.ROUTED,
        Status.DISPATCHED,
        Status.UNKNOWN,
        Status.WAITING,
        Status.COMPENSATING,
    )
}
"""`held` is not among them: people hold, and people release. `in_doubt` is in front of a person already."""


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """Seconds. `long_s`: by status, since the transaction changed last. `most`: rows of one kind in one sweep."""

    every_s: float = 60.0
    job_missing_s: float = 60.0
    job_overdue_s: float = 300.0
    event_unpublished_s: float = 300.0
    long_s: Mapping[Status, float] = field(
        default_factory=lambda: {
            Status.ACCEPTED: 900.0,
            Status.ROUTED: 900.0,
            Status.DISPATCHED: 900.0,
            Status.UNKNOWN: 3_600.0,
            Status.WAITING: 86_400.0,
            Status.COMPENSATING: 3_600.0,
        }
    )
    most: int = 500


@dataclass(frozen=True, slots=True)
class Stalled:
    """A transaction that has not changed for too long."""

    transaction_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A posted step of more than one attempt; `dispatched_at` (µs): when the last was sent."""

    transaction_id: str
    step: int
    direction: str
    dispatched_at: int
