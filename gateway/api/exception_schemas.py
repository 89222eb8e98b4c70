"""The bodies and answers of exceptions: what stands in front of people, and what they do about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.draft_schemas import ActingPerson
from gateway.api.query import NODE
from gateway.api.undoings import Reason

Move = Literal["retry", "resubmit", "mark_posted", "cancel"]
Node = Annotated[str, Field(pattern=f"^{NODE}$", examples=["Western"])]
ErpText = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$", examples=["0090000017"])]


class MoveWanted(CanonicalModel):
    """What is to be done about an exception. `erp_document_type`, `erp_document_number`: for `mark_posted`, the number
    that the ERP gave it. `document`: for `resubmit`, the whole corrected document as it would be submitted, an order
    with its `newCustomer` if it brings one. `etag`: of the exception as it was read; left out, it may have changed.
    `reason`: for people; kept beside the ledger."""

    move: Move
    reason: Reason
    erp_document_type: ErpText | None = None
    erp_document_number: ErpText | None = None
    document: dict[str, Any] | None = None
    etag: Annotated[str, Field(pattern=r"^v[1-9][0-9]{0,9}$", examples=["v1"])] | None = None


class MoveApproval(CanonicalModel):
    """An approval has no content of its own: the address names the move."""


class ExceptionClaim(CanonicalModel):
    """A claim has no content of its own: the token says whose it is."""


class OwnerWanted(CanonicalModel):
    """Who shall care for an exception. `owner_team`: as `owners` of the rulebook calls it. `owner_person`: as tokens
    call the person. What is left out is nobody."""

    owner_team: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$", examples=["finance"])] | None = (
        None
    )
    owner_person: (
        Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["ann"])] | None
    ) = None


class BulkFilter(CanonicalModel):
    """Which open exceptions a bulk move is for; every condition that is given must hold. `opened_until` is excluded."""

    reason_code: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$", examples=["rejected-by-erp"])] | None = None
    cause: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$", examples=["several-found"])] | None = None
    domain: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$", examples=["orders"])] | None = None
    operation: Annotated[str, Field(pattern=r"^[a-z]{1,10}$", examples=["create"])] | None = None
    business_unit: Node | None = None
    geography: Node | None = None
    system_id: Node | None = None
    owner_team: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")] | None = None
    lineage_id: Annotated[str, Field(pattern=r"^lin_[0-9A-Z]{26}$")] | None = None
    opened_from: Annotated[AwareDatetime, Field(strict=False, examples=["2026-11-01T00:00:00Z"])] | None = None
    opened_until: Annotated[AwareDatetime, Field(strict=False, examples=["2026-12-01T00:00:00Z"])] | None = None


class BulkWanted(CanonicalModel):
    """A move for all that a filter meets: shown, not made. `reason`: for people; kept beside the ledger."""

    move: Literal["retry", "cancel"]
    reason: Reason
    filter: BulkFilter = BulkFilter()


class BulkRun(CanonicalModel):
    """Makes a bulk move. `digest`: of what the dry run showed."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ErpSaid(AnswerModel):
    """The ERP's own words. Where an inquiry found what puts it in doubt, the gateway's: the cause, and the numbers that
    the ERP has under the reference, with what cancelled or reversed them."""

    message_code: str
    field: str
    message: str


class NamedPerson(AnswerModel):
    """A person, as the ledger has it. `person_name`: null where it was erased."""

    person: str
    person_name: str | None


class ErpDocument(AnswerModel):
    """A number in an ERP names something only with the system."""

    system_id: str | None
    document_type: str
    document_number: str


class MoveShown(AnswerModel):
    """A move. `state`: asked (it waits for a second person), approved, under_way (the gateway inquires, or waits until
    it may), done, refused (`result` says why) or replaced: something else was quicker, a later move or how the
    transaction ended (`result`). `reason`: null where it was erased."""

    move_id: str
    move: str
    state: str
    reason: str | None
    erp_number: ErpDocument | None
    asked_at: str
    asked_by: ActingPerson
    approved_at: str | None
    approved_by: ActingPerson | None
    finished_at: str | None
    result: str | None


class ExceptionShown(AnswerModel):
    """A transaction in front of a person. `reason_code`: `in-doubt`, `undo-refused`, `stuck`, or the problem with which
    it was rejected. `cause`: a closer word. `erp_said`: null where the ERP said nothing, or it was erased. `age_s`:
    since it opened; of a closed one, how long it was open. `outcome`: how it closed. `second_person`: the moves that
    one person asks for and another one approves."""

    exception_id: str
    etag: str
    state: str
    reason_code: str
    cause: str | None
    erp_said: ErpSaid | None
    transaction_id: str
    transaction_status: str | None
    status_url: str
    lineage_id: str
    domain: str
    operation: str
    business_unit: str
    geography: str
    system_id: str | None
    company_code: str | None
    amount: str | None
    currency_code: str | None
    owner_team: str | None
    owner_person: NamedPerson | None
    opened_at: str
    age_s: int
    allowed_moves: list[str]
    second_person: list[str]
    move_id: str | None
    closed_at: str | None
    outcome: str | None
    replaced_by_transaction_id: str | None


class ExceptionAnswer(ExceptionShown, Answered):
    """An exception with its moves, the newest first."""

    moves: list[MoveShown]


class MovedAnswer(ExceptionAnswer):
    """An exception after a move. `move`: as it stands. `replayed`: an earlier request with this key asked for it."""

    move: MoveShown
    replayed: bool


class ExceptionPage(Answered):
    """Exceptions, the oldest first."""

    items: list[ExceptionShown]
    next_cursor: str | None


class MoneyOf(AnswerModel):
    """A sum in one currency."""

    amount: str
    currency_code: str


class BulkShown(Answered):
    """A bulk move. `exceptions`: how many it is for. `second_person`: whether another person must run it. `results`:
    how many came to what (done, under_way, changed, or a problem's code); `left`: not dealt with yet."""

    bulk_id: str
    move: str
    digest: str
    exceptions: int
    second_person: bool
    reason: str | None
    asked_at: str
    asked_by: ActingPerson
    started_at: str | None
    started_by: ActingPerson | None
    results: dict[str, int]
    left: int


class BulkDryRun(BulkShown):
    """What a bulk move would deal with. `money`: by currency. `first`: the oldest of them. `not_allowed`: how many the
    filter meets besides, of which this move is not allowed."""

    money: list[MoneyOf]
    first: list[ExceptionShown]
    not_allowed: int
