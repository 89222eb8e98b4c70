"""What the periodic sweep looks for, and how long is too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.domain.entries import EntryKind
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
    """An ERP holds several documents under one reference that was sent again: its longest execution is not true. It
    stands until an inquiry shows that what is too much there was undone."""
    BATCH_CUT = "batch-cut"
    """Batches that were cut and that nobody sent again for so long: their lines that waited are refused."""
    ACCEPTED_LONG = "accepted-long"
    ROUTED_LONG = "routed-long"
    DISPATCHED_LONG = "dispatched-long"
    UNKNOWN_LONG = "unknown-long"
    WAITING_LONG = "waiting-long"
    COMPENSATING_LONG = "compensating-long"
    HELD_LONG = "held-long"
    """Held for so long, and the look whether it still is fails again and again: nobody would see its release."""


LONG: Final[Mapping[Status, Finding]] = {
    status: Finding(f"{status}-long")
    for status in (
        Status.ACCEPTED,
        Status.ROUTED,
        Status.DISPATCHED,
        Status.UNKNOWN,
        Status.WAITING,
        Status.COMPENSATING,
        Status.HELD,
    )
}
"""`held` only where its job fails again and again: people hold, and people release. `in_doubt` is in front of a person
already."""

AGAIN_AND_AGAIN: Final = 10
"""Runs of a job that failed one after the other, in two to four minutes: it is not waiting for its turn any more."""
OVERTAKEN_S: Final = 3_600.0
"""Seconds that what is worked on in a lane may have become due after what waits there: more, and what waits is not in
its turn, but overtaken by what is more urgent."""

WHERE_IT_STANDS: Final = frozenset(
    {
        EntryKind.ACCEPTED,
        EntryKind.WAITING,
        EntryKind.HELD,
        EntryKind.RELEASED,
        EntryKind.ROUTED,
        EntryKind.DISPATCHED,
        EntryKind.INQUIRED,
        EntryKind.UNKNOWN,
        EntryKind.POSTED,
        EntryKind.REJECTED,
        EntryKind.IN_DOUBT,
        EntryKind.COMPENSATING,
    }
)
"""Entries that tell where a transaction that has not ended stands; what people do beside that moves nothing."""

STILL: Final[Mapping[Status, frozenset[EntryKind]]] = {
    Status.ACCEPTED: frozenset({EntryKind.ACCEPTED}),
    Status.WAITING: frozenset({EntryKind.WAITING}),
    Status.ROUTED: frozenset({EntryKind.ROUTED}),
    Status.DISPATCHED: frozenset({EntryKind.DISPATCHED}),
    Status.UNKNOWN: frozenset({EntryKind.UNKNOWN, EntryKind.INQUIRED, EntryKind.DISPATCHED}),
    Status.COMPENSATING: frozenset(
        {EntryKind.COMPENSATING, EntryKind.DISPATCHED, EntryKind.UNKNOWN, EntryKind.INQUIRED}
    ),
    Status.HELD: frozenset({EntryKind.HELD}),
}
"""Entries after which a transaction still stands where it stood: one more attempt at the same step, one more inquiry.

The first of them in a row says since when. A step that is posted ends the row, and so does each other status; of an
`unknown` it begins with the first attempt, because one that is tried anew now and then is `dispatched` in between.
"""


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """Seconds. `long_s`: by status, since the transaction stands in it. `most`: rows of one kind in one sweep."""

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
            Status.HELD: 900.0,
        }
    )
    most: int = 500


@dataclass(frozen=True, slots=True)
class Stalled:
    """A transaction that has stood where it stands for too long."""

    transaction_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A posted step that was sent again although an attempt before may have posted it too; `dispatched_at` (µs): when
    the last was sent."""

    transaction_id: str
    step: int
    direction: str
    dispatched_at: int
