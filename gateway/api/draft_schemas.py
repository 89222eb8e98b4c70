"""The shapes of drafts, their reviews, approvals, waivers and activations in answers."""

from __future__ import annotations

from typing import Any

from gateway.api.answer_model import Answered, AnswerModel


class RuleVersions(AnswerModel):
    """The version of all tables together, and that of what governs changes."""

    table_version: str
    governance_version: str


class FileText(AnswerModel):
    """A file of a rulebook."""

    file_name: str
    text: str


class DraftSummary(AnswerModel):
    """A draft. `base_activation_number`: what it was last saved on. `activation_id`: the request to activate it."""

    draft_id: str
    title: str
    state: str
    version: int
    etag: str
    rule: RuleVersions
    base_activation_number: int
    created_at: str
    updated_at: str
    activation_id: str | None
    effective_at: str | None
    activation_number: int | None


class DraftAnswer(DraftSummary, Answered):
    """A draft as it stands. `replayed`: an earlier request with this key saved it."""

    replayed: bool


class DraftPage(Answered):
    """Drafts, newest first."""

    items: list[DraftSummary]
    next_cursor: str | None


class ActingPerson(AnswerModel):
    """Who did something. `person`: the same for all machine clients of one person, and as the ledger has it;
    `person_name`: null where it was erased."""

    person: str
    person_name: str | None
    client: str


class DraftEdit(AnswerModel):
    """Somebody saved a version of the draft, and is one of its authors."""

    version: int
    edited_by: ActingPerson
    edited_at: str
    rule: RuleVersions
    base_activation_number: int


class CellText(AnswerModel):
    """A column of a rule table and what stands in it."""

    column: str
    text: str


class ChangedCell(AnswerModel):
    """An output of a rule table, before and after; empty: nothing."""

    column: str
    before: str
    after: str


class RuleChange(AnswerModel):
    """A box of facts that are decided differently: all combinations of `conditions`; a column not named holds all."""

    domain: str
    conditions: list[CellText]
    changed: list[ChangedCell]
    rows_before: list[str]
    rows_after: list[str]


class GroundChange(AnswerModel):
    """An entry of rulebook.yaml that changes: trees, systems, what a share is split by, calendars, late documents,
    policies and so on. `before`, `after`: JSON; empty where it is not there."""

    section: str
    entry: str
    before: str
    after: str


class RowPlaced(AnswerModel):
    """A row and where it stands. `line`: from 1; 0 of a stored version, whose lines are not known."""

    row: str
    file_name: str
    line: int


class ProofFinding(AnswerModel):
    """What the proof found. `witness`: a document for which it is so."""

    code: str
    severity: str
    domain: str
    message: str
    mend: str
    witness: dict[str, Any] | None
    conditions: list[CellText]
    rows: list[RowPlaced]


class ProofReport(AnswerModel):
    """The proof of the draft against what is in force. `more`: there are more findings than are listed."""

    clean: bool
    cells: int
    more: bool
    findings: list[ProofFinding]


class TouchedDomain(AnswerModel):
    """A domain that the draft changes, and the teams of which one must approve; none: anybody with the scope."""

    domain: str
    owners: list[str]
    approved: bool


class CoverageReport(AnswerModel):
    """How many rows there are, and those that no worked example decides by."""

    rows: int
    rows_without_example: list[RowPlaced]


class SimulationShown(AnswerModel):
    """The newest stored simulation of the draft on what is in force: of the traffic of a window (its end excluded).
    `digest`: what approvals name."""

    simulation_id: str
    digest: str
    window_start: str
    window_end: str
    entries: int
    finished_at: str | None


class ApprovalShown(AnswerModel):
    """An approval. `void_reasons`: why it does not count now; none: it counts. `domains`: those it answers for."""

    approval_id: str
    approved_by: ActingPerson
    approved_at: str
    teams: list[str]
    draft_version: int
    rule: RuleVersions
    base_activation_number: int
    base_rule: RuleVersions
    simulation_id: str | None
    simulation_digest: str | None
    counts: bool
    void_reasons: list[str]
    domains: list[str]


class WaiverShown(AnswerModel):
    """A waiver. `reason`: null where it was erased."""

    waiver_id: str
    gate: str
    waived_by: ActingPerson
    waived_at: str
    expires_at: str
    reason: str | None
    counts: bool


class GateShown(AnswerModel):
    """What a gate says. `holds`: it passed, or is waived. `subject`: the slice or company code that it speaks of."""

    gate: str
    passed: bool
    holds: bool
    waivable: bool
    waiver_id: str | None
    subject: str | None
    why: str
    evidence: dict[str, Any]


class DraftReview(DraftSummary, Answered):
    """A draft with all that its reviewers judge by; a closed one as it was judged, over what it was last saved on.
    `based_on_what_is_in_force`: no other rules came into force since.
    `changes` is null where the difference falls into too many cells to be told; `changes_why` says so."""

    based_on_what_is_in_force: bool
    in_force: RuleVersions
    in_force_activation_number: int
    files: list[FileText]
    edits: list[DraftEdit]
    changes: list[RuleChange] | None
    changes_in_all: int
    changes_why: str | None
    ground_changes: list[GroundChange]
    touches: list[TouchedDomain]
    proof: ProofReport
    failed_examples: list[str]
    coverage: CoverageReport
    simulation: SimulationShown | None
    approvals: list[ApprovalShown]
    waivers: list[WaiverShown]
    gates: list[GateShown]


class ApprovalAnswer(Answered):
    """The approval that was given."""

    approval_id: str
    draft_id: str
    approved_at: str
    draft_version: int
    rule: RuleVersions
    base_activation_number: int
    base_rule: RuleVersions
    simulation_id: str | None
    simulation_digest: str | None


class WaiverAnswer(Answered):
    """The waiver that was given."""

    waiver_id: str
    draft_id: str
    gate: str
    waived_at: str
    expires_at: str


class GateFailure(AnswerModel):
    """A gate that did not hold when it counted."""

    gate: str
    subject: str | None
    why: str


class ActivationAnswer(Answered):
    """A request to bring rules into force. `state`: scheduled, prepared, activated, failed or withdrawn; `failed_gates`
    where it failed. `draft_id`: null where a slice goes back."""

    activation_id: str
    draft_id: str | None
    state: str
    rule: RuleVersions
    base_activation_number: int
    requested_at: str
    effective_at: str
    settled_at: str | None
    activation_number: int | None
    failed_gates: list[GateFailure]
