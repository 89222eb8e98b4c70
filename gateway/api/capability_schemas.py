"""The shapes of what can be done where."""

from __future__ import annotations

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel


class DomainCapability(AnswerModel):
    """A document family. `served`: the rulebook has a table for it; `operations`: what callers may ask for at all."""

    domain: str
    served: bool
    operations: list[str]


class OperationCapability(AnswerModel):
    """What a system can do. `reason`: why not. `can_validate`: it checks without posting. `changeable_members`: all
    that a change may touch there. `reference_unique`: it refuses the same posting twice by itself."""

    operation: str
    supported: bool
    reason: str
    max_lines: int | None
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
    overlay: str | None
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
