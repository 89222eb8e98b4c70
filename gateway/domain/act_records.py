"""What the store keeps of acts: overlays with their lifts, and periods.

Persons are the HMAC of their claim, as the ledger holds them. A reason is a payload of its own (`payload_id`), which
can be erased and to which the entry holds a salted commitment. Times are whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OverlayRecord:
    """An overlay that a person or a monitor set.

    `overlay`, the nodes and `expected_until` as `gateway.domain.acts.ActiveOverlay` has them. `person`: None where a
    monitor set it. `lift_asked_*`: the first person who wants it lifted; `lifted_*`: the second one, who lifted it.
    `entry_count`: of its trace.
    """

    overlay_id: str
    overlay: str
    domain: str
    business_unit: str
    geography: str
    set_at: int
    set_by: str
    person: str | None
    payload_id: str
    expected_until: int | None = None
    lift_asked_at: int | None = None
    lift_asked_by: str | None = None
    lift_asked_person: str | None = None
    lift_payload_id: str | None = None
    lifted_at: int | None = None
    lifted_by: str | None = None
    lifted_person: str | None = None
    entry_count: int = 0

    @property
    def state(self) -> str:
        """`set`, `lift_asked` (still in force) or `lifted`."""
        if self.lifted_at is not None:
            return "lifted"
        return "set" if self.lift_asked_at is None else "lift_asked"

    @property
    def slice(self) -> str:
        """What it lies over, as the board names it."""
        return f"{self.domain}.{self.business_unit}.{self.geography}"


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """A fiscal period of a company code that was closed at least once, or tied out.

    `starts`: its first day, `ends`: the first day after it (ISO dates), by the calendar of the last act. `state`:
    `open` or `closed`. `trace`: of its entries. `tie_out_id`: what it was tied out by; None once that is void.
    """

    company_code: str
    period: str
    trace: str
    starts: str
    ends: str
    state: str
    acted_at: int
    acted_by: str
    person: str | None
    payload_id: str | None
    tied_out_at: int | None = None
    tie_out_id: str | None = None
    tie_out_voided_at: int | None = None
    entry_count: int = 0
