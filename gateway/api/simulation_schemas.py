"""The shapes of simulations and of dark observation."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import Answered, AnswerModel


class SimulationRequest(CanonicalModel):
    """The window of recorded traffic: from `since` on, before `until`, which is past; instants with an offset."""

    since: Annotated[AwareDatetime, Field(strict=False, examples=["2026-10-01T00:00:00Z"])]
    until: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-01T00:00:00Z"])]


class Versions(AnswerModel):
    """Both versions of a rulebook."""

    table_version: str
    governance_version: str


class BaseVersions(Versions):
    """What was in force, with its activation number."""

    activation_number: int


class TrafficWindow(AnswerModel):
    """[since, until)."""

    since: str
    until: str


class ReadEntries(AnswerModel):
    """Exactly which entries were read: how many, the last of them, and SHA-256 over their leaf hashes in order."""

    entries: int
    last_trace: str | None
    last_seq: int | None
    leaves_hash: str


class MoneyTotal(AnswerModel):
    """Documents and their money in one currency ("": without an amount), under a name: a direction, a system, or what
    was not recorded."""

    name: str
    currency_code: str
    documents: int
    amount: str


class MovedDocuments(AnswerModel):
    """Documents that go to another system, of one slice, company code, period and currency."""

    direction: str
    from_system: str
    to_system: str
    domain: str
    business_unit: str
    geography: str
    company_code: str
    period: str
    currency_code: str
    documents: int
    amount: str


class UnmatchedDocuments(AnswerModel):
    """Documents that a version gives no system: gap, conflict, unknown_node, domain_not_served; some are named."""

    kind: str
    currency_code: str
    documents: int
    amount: str
    transactions: list[str]


class OpenInBoth(AnswerModel):
    """Customers with open lineages in both ERPs, and what is open on each side."""

    customers: int
    legacy: list[MoneyTotal]
    cloud: list[MoneyTotal]


class BusiestMinute(AnswerModel):
    """The calls of a system's busiest minute beside its budget; minutes since 1970 UTC."""

    system_id: str
    budget: int
    in_force_calls: int
    in_force_minute: int | None
    candidate_calls: int
    candidate_minute: int | None
    candidate_percent: str


class LargestMove(AnswerModel):
    """One of the twenty largest documents of a currency that move."""

    transaction_id: str
    domain: str
    direction: str
    from_system: str
    to_system: str
    row_before: str
    row_after: str
    currency_code: str
    amount: str


class FoundBySimulation(AnswerModel):
    """What the replay found. `pinned` documents belong to lineages from before the window and stay."""

    format: str
    in_force: str
    candidate: str
    first_minute: int | None
    last_minute: int | None
    documents: int
    decided: int
    followed: int
    pinned: int
    moved_documents: int
    moved: list[MovedDocuments]
    moved_totals: list[MoneyTotal]
    kept_totals: list[MoneyTotal]
    pinned_totals: list[MoneyTotal]
    undetermined: list[MoneyTotal]
    unmatched_in_force: list[UnmatchedDocuments]
    unmatched_candidate: list[UnmatchedDocuments]
    open_in_both_in_force: OpenInBoth
    open_in_both_candidate: OpenInBoth
    peaks: list[BusiestMinute]
    largest: list[LargestMove]


class SimulationResult(AnswerModel):
    """`resultHash` is SHA-256 of the RFC 8785 form of `format`, `candidate`, `base`, `window`, `position` and
    `resultDigest`; it stands in the `simulated` entry."""

    format: str
    candidate: Versions
    base: BaseVersions
    window: TrafficWindow
    position: ReadEntries
    result_digest: str
    result_hash: str
    found: FoundBySimulation


class SimulationSummary(AnswerModel):
    """A simulation: running, done, or failed. `entriesRead` of `entriesExpected` tells how far it is."""

    simulation_id: str
    draft_id: str
    state: str
    candidate: Versions
    base: BaseVersions
    window: TrafficWindow
    requested_at: str
    requested_by: str
    finished_at: str | None
    entries_expected: int
    entries_read: int
    result_hash: str | None
    failure: str | None
    status_url: str
    report_url: str | None


class SimulationAnswer(Answered, SimulationSummary):
    """`result` is null until it is done."""

    result: SimulationResult | None


class SimulationList(Answered):
    """The newest first, a hundred at most."""

    items: list[SimulationSummary]


class DarkCount(AnswerModel):
    """`kind`: same; stage (the same system at another stage); to_cloud, to_legacy, within_cloud, within_legacy; gap,
    conflict, unknown_node, domain_not_served; undetermined; followed (goes where its root goes)."""

    kind: str
    currency_code: str
    documents: int
    amount: str


class DarkChoice(AnswerModel):
    """Where a document was sent, or would be."""

    system_id: str | None
    stage: str | None
    row: str | None


class DarkSample(AnswerModel):
    """One document that the candidate would decide otherwise; `candidate` is null where it gives no system."""

    transaction_id: str
    kind: str
    routed_to: DarkChoice
    candidate: DarkChoice | None


class DarkSlice(AnswerModel):
    """What was counted of one slice, with the first documents that differ."""

    domain: str
    business_unit: str
    geography: str
    counts: list[DarkCount]
    samples: list[DarkSample]


class DarkAnswer(Answered):
    """A draft evaluated beside live traffic. `isCurrent`: the draft still says what is observed. `readUntil`: so much
    of the traffic is counted."""

    draft_id: str
    state: str
    table_version: str
    is_current: bool
    started_at: str
    started_by: str
    ended_at: str | None
    read_until: str
    documents: int
    different_documents: int
    slices: list[DarkSlice]
