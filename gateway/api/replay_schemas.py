"""Sending events again: what is asked and answered."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import Answered
from gateway.api.identifiers import ID_PATTERN
from gateway.messaging.replay import SUBJECT


class ReplayWanted(CanonicalModel):
    """Which events are sent again, and where. `nats_subject`: below `erp.replay.<your client>.`. `lineage_id` or
    `occurred_from` must be given; `occurred_until` is excluded."""

    nats_subject: Annotated[str, Field(pattern=f"^{SUBJECT}$", max_length=255, examples=["erp.replay.billing.again"])]
    lineage_id: Annotated[str, Field(pattern=f"^{ID_PATTERN}$", examples=["lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"])] | None = (
        None
    )
    occurred_from: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-01T00:00:00Z"])] | None = None
    occurred_until: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-02T00:00:00Z"])] | None = None
    domain: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$", examples=["invoices"])] | None = None


class ReplayAnswer(Answered):
    """What was sent. `replay_id`: the trace of its entry in the ledger. `kept_from`: since when all events are there;
    of older ones some or all are gone. `complete`: false where what was asked for reaches back beyond that, so that
    some of it may be missing; the API has what they told."""

    replay_id: str
    nats_subject: str
    events: int
    complete: bool
    kept_from: str


WANTED: Final[dict[str, Any]] = {
    "natsSubject": "erp.replay.billing.again",
    "occurredFrom": "2026-11-01T00:00:00Z",
    "occurredUntil": "2026-11-02T00:00:00Z",
    "domain": "invoices",
}
REPLAYED: Final[dict[str, Any]] = {
    "replayId": "rpl_01JD9Q5V8W2M4N6P8R0S2T4V6W",
    "natsSubject": "erp.replay.billing.again",
    "events": 412,
    "complete": True,
    "keptFrom": "2026-10-26T09:30:00.000000Z",
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
}
