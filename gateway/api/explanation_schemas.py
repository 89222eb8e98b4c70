"""The shapes of a routing explanation: why a document went, or would go, where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel


class RoutingFacts(AnswerModel):
    """What the rules looked at. A node that was left out is the root of its tree; other facts may be null."""

    schema_version: int = Field(description="Of the set of facts; it rises when the rules learn to look at more.")
    domain: str
    operation: str
    business_unit: str
    geography: str
    company_code: str | None
    document_type: str | None
    customer_segment: str | None
    amount: str | None = Field(description="A decimal, in the currency of `currencyCode`.")
    currency_code: str | None
    posting_date: str | None


class MatchedRow(AnswerModel):
    """A row of the rule table that matches the facts."""

    row: str
    file: str = Field(description="The table's file; with `line`, where the row stands.")
    line: int | None = Field(description="Null where the file that people keep is not known.")
    cells: dict[str, str] = Field(description="What the row asks for, by column; columns that take all are left out.")
    stage: str
    decides: bool = Field(description="False if other rows that match are exceptions to it.")
    exceptions: list[str] = Field(description="Rows that match too and lie within this one: they go before it.")
    note: str = Field(description="Why the row is there, in the words of who wrote it.")


class NearRow(AnswerModel):
    """A row that almost matches; only where none does."""

    row: str
    mismatches: dict[str, str] = Field(description="What the row asks for in each column that does not match.")


class ShareSplit(AnswerModel):
    """How a pilot is split: to the cloud goes what is on the allow-list, or has a bucket below the threshold."""

    share: str = Field(description="Percent of the roots that go to the cloud.")
    hash: str = Field(description="How the bucket is computed.")
    threshold: int = Field(description="The share in hundredths of a percent.")
    bucket: int | None = Field(description="0 to 9,999; null without a share key.")
    allow_hit: bool


class RoutingTarget(AnswerModel):
    """The system that would own the document. `gateway`: the gateway keeps it itself."""

    system_id: str
    side: Literal["legacy", "cloud"]


class ChangedFact(AnswerModel):
    """A fact that would have to be another one."""

    field: str = Field(description="The fact's name, as in `facts`.")
    value: str | None = Field(description="What it is; null if it is absent.")
    needed: str | None = Field(description="What it would have to be, as an example; null for absent.")
    cell: str = Field(description="What the row asks for there.")


class WhyNot(AnswerModel):
    """The row that came nearest to deciding instead, and with which facts it would."""

    row: str
    file: str
    line: int | None = Field(description="Null where the file that people keep is not known.")
    stage: str
    overruled_by: list[str] = Field(description="Rows that go before it; empty if it does not match.")
    changes: list[ChangedFact]
    effect: str = Field(description="The same in a sentence.")


class OverlayInForce(AnswerModel):
    """The strictest of what lies over the facts now: what the row plans (`row`), or what people or a monitor set
    (`overlayId`)."""

    overlay: Literal["freeze", "hold", "paused"]
    overlay_id: str | None = Field(description="Of one that was set; null for a planned one.")
    row: str | None = Field(description="The row that plans it; null for one that was set.")
    expected_until: str | None = Field(description="When it will be lifted as far as is known; nothing lifts itself.")
    effect: str = Field(description="What it does, in a sentence.")


class DecisionExplanation(AnswerModel):
    """A decision of a rule table, or why there is none (`gap`: no row matches; `conflict`: rows contradict each
    other). It holds nothing of a person: no external id and no share key."""

    result: Literal["decision", "gap", "conflict"]
    domain: str
    table_version: str = Field(description="SHA-256 of the rules that decided, in hexadecimal.")
    facts: RoutingFacts
    matched: list[MatchedRow] = Field(description="In the order of the table.")
    deciding: list[str] = Field(description="The rows that decide: several if they say the same, or in a conflict.")
    named_row: str | None = Field(description="The row that a decision is recorded under.")
    stage: str | None
    share: ShareSplit | None = Field(description="Only in a pilot.")
    effect: str = Field(description="How the target came about, in a sentence.")
    target: RoutingTarget | None = Field(description="Null where there is no decision.")
    overlay: str | None = Field(
        description="What the row plans: `freeze`, `hold` or `paused`. What was set since is not in it: see "
        "`overlayInForce`."
    )
    nearest: list[NearRow] = Field(description="Only in a gap, the nearest first.")
    exception_path: list[str] = Field(
        description="From the widest row that matches down to the named one, each an exception to those before it."
    )
    owners: list[str] = Field(description="Who answers for the rules of the domain.")
    cutover_date: str | None = Field(
        None,
        description="Of the named row: what is posted before it goes to the legacy system, whatever the share says.",
    )
    why_not: WhyNot | None = Field(description="Null if nothing that was tried makes another row decide.")


class RoutingExplanation(DecisionExplanation, Answered):
    """How facts would be routed now, and why. Nothing was posted."""

    activation_number: int | None = Field(description="Counts what was put in force; names the rules that are now.")
    overlay_in_force: OverlayInForce | None = Field(
        None, description="What lies over the slice now, set or planned, and what it does; null if nothing does."
    )
    ruled_system_id: str | None = Field(
        None, description="The system that the rules name where the gateway keeps the document instead."
    )
