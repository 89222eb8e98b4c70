"""The bodies and answers of acts: overlays, periods."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.draft_schemas import ActingPerson
from gateway.api.query import NODE
from gateway.api.undoings import Reason

SLICE: Final = rf"[a-z_]{{1,32}}\.{NODE}\.{NODE}"
"""`<domain>.<business unit>.<geography>`, nodes by their ids."""


class OverlaySetting(CanonicalModel):
    """Lays something over a slice and all below its nodes. `expected_until`: when it will be lifted as far as is known;
    callers are told when to come again, and nothing lifts itself. `reason`: for people; kept beside the ledger."""

    overlay: Literal["freeze", "hold", "paused"]
    slice: Annotated[str, Field(pattern=f"^{SLICE}$", examples=["orders.Eastern.DE"])]
    reason: Reason
    expected_until: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-30T06:00:00Z"])] | None = None


class ActReason(CanonicalModel):
    """Why. `reason`: for people; kept beside the ledger."""

    reason: Reason


class OverlayShown(AnswerModel):
    """An overlay. `state`: set; lift_asked (in force until a second person confirms); lifted. `set_by`: null where a
    monitor set it; `counts` then says what it saw. Reasons are null where they were erased."""

    overlay_id: str
    overlay: str
    slice: str
    state: str
    set_at: str
    set_by: ActingPerson | None
    reason: str | None
    counts: dict[str, Any] | None
    expected_until: str | None
    lift_asked_at: str | None
    lift_asked_by: ActingPerson | None
    lift_reason: str | None
    lifted_at: str | None
    lifted_by: ActingPerson | None


class OverlayAnswer(OverlayShown, Answered):
    """An overlay as it stands. `replayed`: an earlier request with this key set it."""

    replayed: bool


class OverlayPage(Answered):
    """Overlays, newest first."""

    items: list[OverlayShown]
    next_cursor: str | None


class PeriodShown(AnswerModel):
    """A fiscal period that was acted on. `ends_before`: the first day after it. `acted_by`: who closed or reopened it
    last; null if it was only tied out. `tie_out_id`: null if it was never tied out, or that is void."""

    company_code: str
    period: str
    starts_on: str
    ends_before: str
    state: str
    acted_at: str
    acted_by: ActingPerson | None
    reason: str | None
    tied_out_at: str | None
    tie_out_id: str | None
    tie_out_voided_at: str | None


class PeriodAnswer(PeriodShown, Answered):
    """A period as it stands."""


class PeriodPage(Answered):
    """Periods that were acted on, by company code, newest first. Any other period is open."""

    items: list[PeriodShown]
    next_cursor: str | None


_TRACE: Final = {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}
_PERSON: Final = {
    "person": "7d2f0c6a1b3e4d5c6f7081929394a5b6c7d8e9f00112233445566778899aabbcc",
    "personName": "ann",
    "client": "console",
}
_OVERLAY: Final[dict[str, Any]] = {
    "overlayId": "ovl_01JD9QFG8H0J2K4M6N8P0Q2R4S",
    "overlay": "hold",
    "slice": "orders.Eastern.DE",
    "state": "set",
    "setAt": "2026-11-27T16:00:00.000001Z",
    "setBy": _PERSON,
    "reason": "The warehouse is counted",
    "counts": None,
    "expectedUntil": "2026-11-30T06:00:00.000000Z",
    "liftAskedAt": None,
    "liftAskedBy": None,
    "liftReason": None,
    "liftedAt": None,
    "liftedBy": None,
}
_PERIOD: Final[dict[str, Any]] = {
    "companyCode": "NW01",
    "period": "2026-11",
    "startsOn": "2026-11-01",
    "endsBefore": "2026-12-01",
    "state": "closed",
    "actedAt": "2026-12-03T17:00:00.000001Z",
    "actedBy": _PERSON,
    "reason": "November is closed",
    "tiedOutAt": None,
    "tieOutId": None,
    "tieOutVoidedAt": None,
}
SETTING_EXAMPLE: Final = {
    "overlay": "hold",
    "slice": "orders.Eastern.DE",
    "reason": "The warehouse is counted",
    "expectedUntil": "2026-11-30T06:00:00Z",
    "idempotencyKey": "2b7c1de0-5b1f-4c7e-8c0c-0b7a4c1a9f11",
}
OVERLAY_EXAMPLE: Final[dict[str, Any]] = _OVERLAY | {"replayed": False} | _TRACE
ASKED_EXAMPLE: Final[dict[str, Any]] = OVERLAY_EXAMPLE | {
    "state": "lift_asked",
    "liftAskedAt": "2026-11-30T05:50:00.000001Z",
    "liftAskedBy": _PERSON,
    "liftReason": "Counted",
}
LIFTED_EXAMPLE: Final[dict[str, Any]] = ASKED_EXAMPLE | {
    "state": "lifted",
    "liftedAt": "2026-11-30T05:55:00.000001Z",
    "liftedBy": _PERSON | {"personName": "bob"},
}
OVERLAYS_EXAMPLE: Final[dict[str, Any]] = {"items": [_OVERLAY], "nextCursor": None} | _TRACE
PERIOD_EXAMPLE: Final[dict[str, Any]] = _PERIOD | _TRACE
REOPENED_EXAMPLE: Final[dict[str, Any]] = PERIOD_EXAMPLE | {"state": "open", "reason": "An invoice was forgotten"}
PERIODS_EXAMPLE: Final[dict[str, Any]] = {"items": [_PERIOD], "nextCursor": None} | _TRACE
