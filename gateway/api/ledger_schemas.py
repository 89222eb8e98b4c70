"""The shapes of answers about the ledger."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.schemas import DocumentSummary, PinAnswer


class AsOfAnswer(AnswerModel):
    """How far the answer looks: at the first `log_size` entries of the log; of a past instant, those that a checkpoint
    covered that was kept by `known_at`, and the rules that were in force by then."""

    log_size: int
    known_at: str | None
    activation_number: int | None
    table_version: str | None


class LedgerAnswered(Answered):
    """`query_id`: under which the ledger holds that this was asked, with the SHA-256 of the bytes of this answer."""

    query_id: str


class LedgerEntryAnswer(AnswerModel):
    """An entry of the ledger with its place in the log and with what it is found by. `amount`: what the ERP confirmed,
    else what decided about it. `persons`: commitments. `leaf_hash` (hexadecimal) is the RFC 6962 hash of `hashed_bytes`
    (base64). Where `archived_month` is there, entry and bytes are in the archive of that month, and null here."""

    log_index: int
    trace: str
    seq: int
    kind: str
    recorded_at: str
    actor: str
    lineage_id: str | None
    domain: str | None
    business_unit: str | None
    geography: str | None
    company_code: str | None
    operation: str | None
    system_id: str | None
    row: str | None
    table_version: str | None
    activation_number: int | None
    persons: list[str]
    amount: str | None
    currency_code: str | None
    leaf_hash: str
    hashed_bytes: str | None
    entry: dict[str, Any] | None
    archived_month: str | None = None


class LedgerEntryPage(LedgerAnswered):
    """In the order of the log. A page may be short, and empty, while `next_cursor` is there: go on with it."""

    items: list[LedgerEntryAnswer]
    next_cursor: str | None
    as_of: AsOfAnswer


class LedgerGroupKey(AnswerModel):
    """What the entries of a group have in common; only what it was grouped by is there."""

    kind: str | None = None
    actor: str | None = None
    system_id: str | None = None
    row: str | None = None
    table_version: str | None = None
    activation_number: int | None = None
    domain: str | None = None
    business_unit: str | None = None
    geography: str | None = None
    company_code: str | None = None
    operation: str | None = None
    day: str | None = None
    month: str | None = None


class LedgerMoneySum(AnswerModel):
    """What the entries of a kind bear in a currency, exactly. `entry_count`: those that bear an amount."""

    kind: str
    currency_code: str
    amount: str
    entry_count: int


class LedgerGroup(AnswerModel):
    """How many entries, and their sums; an order's amount is in its `routed` and again in its `posted`."""

    key: LedgerGroupKey
    entry_count: int
    sums: list[LedgerMoneySum]


class LedgerSummaryAnswer(LedgerAnswered):
    """Counts and sums by group. `archived_months`: of which entries may be counted that are in archives; the counts and
    sums are whole, as the index of these entries stays here, and only the archives prove them."""

    groups: list[LedgerGroup]
    archived_months: list[str]
    as_of: AsOfAnswer


class UnendedTransaction(AnswerModel):
    """A transaction that had not ended. `accepted_index`: the place of its first entry in the log; `ended_index`: of
    its end, if it ended since. `status_now`: as it stands now."""

    transaction_id: str
    accepted_index: int
    ended_index: int | None
    status_now: str | None
    lineage_id: str | None
    document_id: str | None
    domain: str | None
    business_unit: str | None
    geography: str | None
    accepted_at: str | None


class UnendedPage(LedgerAnswered):
    """In the order in which they were accepted."""

    items: list[UnendedTransaction]
    next_cursor: str | None
    as_of: AsOfAnswer


class TraceStep(AnswerModel):
    """An entry in short. `log_index`: its place in the log; null for the second or so until it has one."""

    seq: int
    kind: str
    recorded_at: str
    log_index: int | None


class TracedTransaction(AnswerModel):
    """One of the things that were done to a document. `erp_reference`: what its posting is called at the ERP.
    `archived_month`: the entries are in the archive of that month; in short they are here still."""

    transaction_id: str
    operation: str
    status: str
    system_id: str | None
    row: str | None
    table_version: str | None
    erp_reference: str | None
    document_number: str | None
    amount: str | None
    currency_code: str | None
    posting_date: str | None
    accepted_at: str
    entries: list[TraceStep]
    archived_month: str | None = None


class TracedDocument(AnswerModel):
    """A document with its numbers in both ERPs and all that was done to it."""

    document: DocumentSummary
    transactions: list[TracedTransaction]


class TracePage(LedgerAnswered):
    """The newest documents first."""

    items: list[TracedDocument]
    next_cursor: str | None
    is_cut: bool | None = Field(
        default_factory=NoneType, description="These documents have more transactions, newer ones, than are listed."
    )


class LineageNode(AnswerModel):
    """A document in its lineage, depth first. `depth`: 0 for the root. `parent_document_id`: under which it stands;
    `also_follows`: further ones that it follows; `relates_to`: linked, without following."""

    depth: int
    parent_document_id: str | None
    also_follows: list[str]
    relates_to: list[str]
    document: DocumentSummary
    transactions: list[TracedTransaction]


class LineageAdoption(AnswerModel):
    """An entry that moved the lineage's pin and is of no transaction. `log_index`: null where it has no place yet."""

    adoption_id: str
    seq: int
    kind: str
    document_id: str | None
    recorded_at: str
    log_index: int | None


class LineageTreeAnswer(LedgerAnswered):
    """A whole lineage, both ERPs."""

    lineage_id: str
    root_document_id: str
    pin: PinAnswer | None
    nodes: list[LineageNode]
    adoptions: list[LineageAdoption] | None = Field(
        default_factory=NoneType, description="What moved its pin to another ERP after a migration elsewhere."
    )
    is_cut: bool | None = Field(
        default_factory=NoneType, description="It has more documents or transactions, older ones, than are listed."
    )


class ScopeUse(AnswerModel):
    """How often a scope opened an operation to somebody in the period. `person_name`: null where it was erased."""

    scope: str
    client: str
    person: str
    person_name: str | None
    issuer: str
    teams: list[str]
    uses: int
    first_hour_at: str
    last_hour_at: str


class ScopeUseTotal(AnswerModel):
    """The same by scope and issuer, or by scope and team; `client_count`: how many clients."""

    scope: str
    name: str
    uses: int
    client_count: int


class AccessReviewAnswer(LedgerAnswered):
    """Who used which scope in a period of whole hours. `is_cut`: there are more users than are listed."""

    used_from: str
    used_until: str
    items: list[ScopeUse]
    by_issuer: list[ScopeUseTotal]
    by_team: list[ScopeUseTotal]
    is_cut: bool


class RecordedQuery(AnswerModel):
    """That somebody asked the ledger something. `filter`: what was asked; null where it was erased. `answer_hash`:
    SHA-256 of the answer; of an export, of all before its last line."""

    query_id: str
    kind: Literal["queried", "exported"]
    state: Literal["answered", "begun", "ended", "broken"]
    resource: str
    filter: dict[str, Any] | None
    asked_at: str
    ended_at: str | None
    client: str
    person: str
    person_name: str | None
    issuer: str
    teams: list[str]
    log_size: int
    row_count: int
    answer_hash: str | None


class RecordedQueryPage(LedgerAnswered):
    """The newest first."""

    items: list[RecordedQuery]
    next_cursor: str | None
