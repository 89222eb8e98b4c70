"""The shapes of what can be done where."""

from __future__ import annotations

from types import NoneType

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel


class DomainCapability(AnswerModel):
    """A document family. `served`: the rulebook has a table for it; `operations`: what callers may ask for at all,
    nothing where it is not served."""

    domain: str
    served: bool
    operations: list[str]


class OperationCapability(AnswerModel):
    """What a system can do. `reason`: why not. `can_validate`: it checks without posting. `changeable_members`: all
    that a change may touch there. `reference_unique`: it refuses the same posting twice by itself."""

    operation: str
    supported: bool
    reason: str
    max_lines: int | None = Field(description="Lines that one document may have there; more are refused.")
    mixed_lines: bool | None = Field(
        default_factory=NoneType,
        description="Whether lines of one journal entry may have other company codes and currencies than its head; "
        "where not, such an entry is split, or refused.",
    )
    can_validate: bool
    changeable_members: list[str]
    reference_unique: bool


class SystemDomain(AnswerModel):
    """A document family in one system."""

    domain: str
    operations: list[OperationCapability]


class SystemCapability(AnswerModel):
    """An ERP installation. `regions`: geographies whose documents it may hold, each with all below it."""

    system_id: str
    system_name: str
    side: str
    driver: str
    regions: list[str]
    domains: list[SystemDomain]


class SliceOperation(AnswerModel):
    """The systems in which this can be done to documents of the slice; none: it cannot."""

    operation: str
    system_ids: list[str]


class SliceOverlay(AnswerModel):
    """An overlay that people or a monitor set over the slice, or over a part of it."""

    overlay: str
    overlay_id: str = Field(description="Under it everything else of it can be read.")
    business_unit: str = Field(description="It lies over this node and all below it.")
    geography: str = Field(description="It lies over this node and all below it.")
    whole_slice: bool = Field(description="Whether all of the row lies under it; otherwise a part.")
    expected_until: str | None = Field(description="When it will be lifted as far as is known; nothing lifts itself.")
    effect: str = Field(description="What it does, in a sentence.")


class SliceCapability(AnswerModel):
    """A row of a rule table; `*` matches all. A row that lies within another one is an exception to it.

    `new_root_system_ids`: where new documents go that follow none; in a pilot to both, by its share.
    `follow_up_system_ids`: where documents of the slice may lie already, hence where what follows them goes. Where
    `kept_by_gateway` is true, the ERP takes no contracts and the gateway keeps them itself, as the system `gateway`.
    """

    domain: str
    row: str
    business_unit: str
    geography: str
    company_code: str
    document_type: str
    customer_segment: str
    amount: str
    stage: str
    overlay: str | None = Field(description="What the row itself plans.")
    overlays_in_force: list[SliceOverlay] | None = Field(
        default_factory=NoneType, description="What was set over the slice and not lifted; empty if nothing was."
    )
    new_root_system_ids: list[str]
    follow_up_system_ids: list[str]
    kept_by_gateway: bool
    operations: list[SliceOperation]


class CapabilitiesAnswer(Answered):
    """What can be done today: by the rules in force, and by the drivers of the systems."""

    domains: list[DomainCapability]
    systems: list[SystemCapability]
    slices: list[SliceCapability]
    slices_left_out: int = Field(description="Slices beyond the most that one answer holds; ask for one domain.")
