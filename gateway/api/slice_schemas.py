"""The shapes of the board."""

from __future__ import annotations

from types import NoneType
from typing import Any

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel


class CurrencyAmount(AnswerModel):
    """Money of one currency."""

    currency_code: str
    amount: str


class LineageTally(AnswerModel):
    """How many lineages, and how much money."""

    lineage_count: int
    amounts: list[CurrencyAmount]


class BySide(AnswerModel):
    """Lineages pinned to the legacy side, to the cloud, and without a pin so far."""

    legacy: LineageTally
    cloud: LineageTally
    unrouted: LineageTally | None = Field(default_factory=NoneType)


class SlicePart(AnswerModel):
    """A part of a slice that is given one outcome. `columns`: what restricts it, by column; empty: it is all of the
    slice. `stage`: null where rows contradict each other. `planned_overlay`: of the table's column. `cutover_date`: new
    roots that are posted before it go to the legacy system."""

    columns: dict[str, str]
    stage: str | None
    legacy_system_id: str | None
    cloud_system_id: str | None
    share_percent: str | None
    planned_overlay: str | None
    cutover_date: str | None
    rows: list[str]


class LyingOver(AnswerModel):
    """An overlay that was set and not lifted, over this slice or a part of it."""

    overlay_id: str
    overlay: str
    slice_id: str
    expected_until: str | None


class GatesSummary(AnswerModel):
    """The latest evaluation of the slice's gates in this process; null: nobody asked since it started, or since other
    rules came into force."""

    evaluated_at: str
    next_stages: list[str]
    passed: int
    failed: list[str]


class SliceSummary(AnswerModel):
    """A slice: everything at or below both nodes, so slices overlap. `stages`: those of its parts; one: it is not
    split. `roots`: all root documents; `open_lineages`: those of which something is still to come."""

    slice_id: str
    domain: str
    business_unit: str
    geography: str
    stages: list[str]
    parts: list[SlicePart]
    overlays: list[LyingOver]
    roots: BySide
    open_lineages: BySide
    gates: GatesSummary | None


class SlicePage(Answered):
    """By slice id; `nextCursor` is null on the last page."""

    items: list[SliceSummary]
    next_cursor: str | None


class AgeBucket(AnswerModel):
    """Lineages open in legacy whose root has been known for so many days; `until_days` is excluded, null: no end."""

    from_days: int
    until_days: int | None
    lineage_count: int
    amounts: list[CurrencyAmount]


class BurnDownStep(AnswerModel):
    """Legacy lineages of a day (UTC): those whose root came, those that moved last on it and are closed now, and those
    open at its end. A lineage that was closed and opened again counts as open throughout."""

    day: str
    came: int
    closed: int
    open: int


class CompanyCodeTally(AnswerModel):
    """Open lineages of a company code; null: their root has none."""

    company_code: str | None
    open_lineages: BySide


class FollowUpsToExpect(AnswerModel):
    """Documents that are open in the cloud for one reason, and what is still to come for them."""

    reason: str
    document_count: int
    amounts: list[CurrencyAmount]
    expected: str


class RollbackImpact(AnswerModel):
    """What was born in the cloud and is open there. Going back moves new roots only: all of this stays in the cloud
    with its follow-ups."""

    lineage_count: int
    amounts: list[CurrencyAmount]
    follow_ups: list[FollowUpsToExpect]


class InBothSides(AnswerModel):
    """Customers with open lineages in legacy and in the cloud, and what they have open in each."""

    customer_count: int
    open_lineages: BySide


class SliceAnswer(SliceSummary, Answered):
    """A slice with its drain, and with what going back would meet."""

    drain_ages: list[AgeBucket]
    drain_days: list[BurnDownStep]
    company_codes: list[CompanyCodeTally]
    open_in_both: InBothSides
    rollback_impact: RollbackImpact


class OpenReason(AnswerModel):
    """Why a lineage is open: so many documents (or transactions), for so much."""

    reason: str
    count: int
    currency_code: str | None
    amount: str | None


class OpenLineageAnswer(AnswerModel):
    """An open lineage, by its root."""

    lineage_id: str
    business_unit: str
    geography: str
    company_code: str | None
    customer_id: str | None
    side: str | None
    system_id: str | None
    created_at: str
    reasons: list[OpenReason]


class OpenLineagePage(Answered):
    """Oldest first; `nextCursor` is null on the last page."""

    items: list[OpenLineageAnswer]
    next_cursor: str | None


class SliceGate(AnswerModel):
    """What a gate found. `holds`: it does not stand in the way. `subject`: the slice, company code or system that it
    speaks of; null: all of it."""

    gate: str
    passed: bool
    holds: bool
    waivable: bool
    waiver_id: str | None
    subject: str | None
    why: str
    evidence: dict[str, Any]


class SliceGatesAnswer(Answered):
    """The gates of a slice, judged as if every part of it went to its next stage now. Gates that judge a draft (its
    persons, proof, simulation and loading) are shown with the draft."""

    slice_id: str
    evaluated_at: str
    next_stages: list[str]
    gates: list[SliceGate]
