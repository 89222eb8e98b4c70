"""Exceptions: dead ends that need a person, what may be done about them, and what was. Pure.

Persons are the HMAC of their claim, as the ledger holds them. Whatever people or an ERP said is a payload of its own,
erasable. Times are whole microseconds since 1970-01-01 UTC. Source: docs/operations.md, 'Exceptions'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

IN_DOUBT: Final = "in-doubt"
"""Nobody knows whether it was posted, and the gateway may not find out by itself."""
UNDO_REFUSED: Final = "undo-refused"
"""A step that was to undo what a plan had posted was refused: part of it stands in an ERP."""
STUCK: Final = "stuck"
"""A sweep found that nothing happened for too long."""
PARENT_REJECTED: Final = "parent-rejected"
REJECTED_BY_ERP: Final = "rejected-by-erp"

SEVERAL_FOUND: Final = "several-found"
FOUND_OTHER: Final = "found-other"
FOUND_UNDONE: Final = "found-undone"
NO_LONGER_FOUND: Final = "no-longer-found"
"""Causes of doubt that come from what an inquiry found under the reference: two documents, one that does not agree,
one that was cancelled or reversed there, none any more."""
FOUND_BEFORE: Final = frozenset({SEVERAL_FOUND, FOUND_OTHER, FOUND_UNDONE, NO_LONGER_FOUND})
"""Causes after which nothing is sent again: it was there once."""

ExceptionState = Literal["open", "closed"]
MoveName = Literal["retry", "resubmit", "mark_posted", "cancel"]
MoveState = Literal["asked", "approved", "under_way", "done", "refused", "replaced"]

MOVES: Final[tuple[MoveName, ...]] = ("retry", "resubmit", "mark_posted", "cancel")
UNFINISHED: Final[frozenset[MoveState]] = frozenset({"asked", "approved", "under_way"})


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """A transaction in front of a person; one that is open at most for each.

    `reason_code`: `in-doubt`, `undo-refused`, `stuck`, or the slug of the problem with which the transaction was
    rejected. `cause`: a closer word of the gateway's own. `payload_id`: what the ERP said. `move_id`: the move that is
    asked for or under way. `outcome`: how it closed, a move's name or the status that the transaction reached.
    `replaced_by`: the transaction that was sent in its place. `version` counts its changes.
    """

    exception_id: str
    transaction_id: str
    lineage_id: str
    domain: str
    operation: str
    business_unit: str
    geography: str
    system_id: str | None
    company_code: str | None
    currency_code: str | None
    amount: str | None
    reason_code: str
    cause: str | None
    payload_id: str | None
    state: ExceptionState
    opened_at: int
    updated_at: int
    owner_team: str | None = None
    owner_person: str | None = None
    move_id: str | None = None
    closed_at: int | None = None
    outcome: str | None = None
    replaced_by: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class EarlierWords:
    """A payload with what the ERP said of an exception before it said what the exception's `payload_id` names."""

    exception_id: str
    payload_id: str


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """What somebody wants done about an exception.

    `payload_id`: why, and with what (the ERP's number, the corrected document). `state`: asked (a second person must
    approve it); approved; under_way (the gateway inquires); done; refused (`result` says why); replaced: a later one,
    or the end of the transaction (`result`), was quicker.
    """

    move_id: str
    exception_id: str
    move: MoveName
    state: MoveState
    payload_id: str
    asked_at: int
    asked_by: str
    asked_person: str
    approved_at: int | None = None
    approved_by: str | None = None
    approved_person: str | None = None
    finished_at: int | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class BulkRecord:
    """One move for many exceptions: what a dry run found, and how far the real run came.

    `digest`: names exactly what was shown; the real run must repeat it. `second_person`: whether somebody else must
    start it. `payload_id`: the reason and the filter.
    """

    bulk_id: str
    move: MoveName
    digest: str
    count: int
    second_person: int
    payload_id: str
    asked_at: int
    asked_by: str
    asked_person: str
    started_at: int | None = None
    started_by: str | None = None
    started_person: str | None = None


@dataclass(frozen=True, slots=True)
class BulkItemRecord:
    """One exception of a bulk move, as it stood in the dry run. `result`: None until it was dealt with, then `done`,
    `under_way`, `changed` (it is not any more what was shown), or the slug of the problem."""

    bulk_id: str
    position: int
    exception_id: str
    version: int
    result: str | None = None


@dataclass(frozen=True, slots=True)
class ExceptionFilter:
    """Every condition that is not None must hold. `opened_from`, `opened_until` (excluded): µs."""

    state: str | None = None
    reason_code: str | None = None
    cause: str | None = None
    domain: str | None = None
    operation: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    system_id: str | None = None
    company_code: str | None = None
    currency_code: str | None = None
    owner_team: str | None = None
    owner_person: str | None = None
    transaction_id: str | None = None
    lineage_id: str | None = None
    opened_from: int | None = None
    opened_until: int | None = None


@dataclass(frozen=True, slots=True)
class OpenExceptions:
    """How many exceptions of a reason are open with a team. `oldest_at`: when the oldest was opened (µs)."""

    reason_code: str
    owner_team: str | None
    count: int
    oldest_at: int


def achieves(move: MoveName, outcome: str) -> bool:
    """Whether an exception that closes so closes as who asked for the move wanted. One that closes because another
    document was sent closes by the move that sent it alone, which only that move can tell."""
    match move:
        case "retry":
            return outcome in {"posted", "compensated", "cancelled"}
        case "resubmit":
            return False
        case "mark_posted":
            return outcome in {"posted", "compensated"}
        case "cancel":
            return outcome in {"cancel", "cancelled"}


def moves_for(status: str, operation: str, reason_code: str, *, several: bool) -> tuple[MoveName, ...]:
    """The moves that may be asked for, by the transaction's status, its operation and the exception's reason.
    `several`: whether it is a plan of several steps, or came to more than one.

    - `in_doubt`: `retry` inquires again, and sends again only where the outcome protocol allows it; `mark_posted`
      of a creation; `cancel` once it is certain that nothing was posted. A plan of several steps goes on by `retry`
      alone. Of an undo that was refused: `retry` tries it once more, `mark_posted` names what undid the document in the
      ERP.
    - `rejected`, `compensated`, `cancelled`: the transaction has ended. A creation may be sent again as it is (`retry`)
      or corrected (`resubmit`), as a transaction of its own; `cancel` leaves it at that.
    - what has not ended is looked at again at once (`retry`); it can be called off before it was sent.
    """
    match status:
        case "in_doubt":
            if reason_code == UNDO_REFUSED:
                return ("retry", "mark_posted")
            if several:
                return ("retry",)
            return ("retry", "mark_posted", "cancel") if operation == "create" else ("retry", "cancel")
        case "rejected" | "compensated" | "cancelled":
            return ("retry", "resubmit", "cancel") if operation == "create" else ("cancel",)
        case "accepted" | "waiting" | "held":
            return ("retry", "cancel")
        case "routed" | "dispatched" | "unknown" | "compensating":
            return ("retry",)
        case _:
            return ()
