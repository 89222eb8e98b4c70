"""A transaction's statuses and the moves between them that are legal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a transaction stands."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    HELD = "held"
    ROUTED = "routed"
    DISPATCHED = "dispatched"
    POSTED = "posted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    IN_DOUBT = "in_doubt"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"


LEGAL_MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.ACCEPTED: frozenset({Status.WAITING, Status.HELD, Status.ROUTED, Status.CANCELLED, Status.REJECTED}),
    Status.WAITING: frozenset({Status.ROUTED, Status.CANCELLED, Status.REJECTED}),
    Status.HELD: frozenset({Status.ROUTED, Status.CANCELLED, Status.REJECTED}),
    Status.ROUTED: frozenset({Status.DISPATCHED, Status.HELD, Status.CANCELLED}),
    Status.DISPATCHED: frozenset(
        {
            Status.POSTED,
            Status.REJECTED,
            Status.UNKNOWN,
            Status.DISPATCHED,
            Status.HELD,
            Status.COMPENSATING,
        }
    ),
    Status.UNKNOWN: frozenset(
        {
            Status.POSTED,
            Status.REJECTED,
            Status.DISPATCHED,
            Status.IN_DOUBT,
            # to be called off, and inquired first: `gateway.transactions.asking_first`
            Status.CANCELLED,
            Status.COMPENSATING,
        }
    ),
    Status.IN_DOUBT: frozenset(
        {Status.POSTED, Status.REJECTED, Status.DISPATCHED, Status.CANCELLED, Status.COMPENSATING}
    ),
    Status.COMPENSATING: frozenset({Status.COMPENSATED, Status.IN_DOUBT}),
    # a customer that came with an order, and nothing else wants: `gateway.transactions.new_customers`
    Status.POSTED: frozenset({Status.COMPENSATING}),
    Status.REJECTED: frozenset(),
    Status.COMPENSATED: frozenset(),
    Status.CANCELLED: frozenset(),
}

ENDS: Final = frozenset({Status.POSTED, Status.REJECTED, Status.COMPENSATED, Status.CANCELLED})
"""Statuses that nothing follows; but a customer that was posted for an order is taken back with it."""

RESTING: Final = ENDS | {Status.IN_DOUBT}
"""Statuses in which the gateway itself does nothing more: the ends, and `in_doubt` in front of a person."""

FAILED_ENDS: Final = frozenset({Status.REJECTED, Status.CANCELLED, Status.COMPENSATED})
"""Ends that left no document in any ERP."""


class IllegalMove(RuntimeError):
    """A defect of ours: some code tried a move that the table does not have."""


def check_move(before: Status, after: Status) -> None:
    """Raise `IllegalMove` unless `after` may follow `before`."""
    if after not in LEGAL_MOVES[before]:
        raise IllegalMove(f"a transaction may not go from {before} to {after}")
