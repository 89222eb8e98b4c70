"""The shapes of a comparison of what a source sent with what was accepted."""

from __future__ import annotations

from datetime import date
from types import NoneType
from typing import Annotated, Any, Final

from pydantic import Field

from adapters.canonical import CanonicalModel
from gateway.api.answer_model import AnswerModel
from gateway.api.ledger_schemas import LedgerAnswered
from gateway.api.schemas import TransactionAnswer

MOST_LISTED: Final = 5_000
"""Lines of one list that is compared."""


Domain = Annotated[str, Field(pattern=r"^[a-z_]{1,20}$", examples=["orders"])]


class SentDocument(CanonicalModel):
    """One line of the caller's own list; what is left out is not compared. `content_hash`: SHA-256 of the document's
    canonical text (docs/ledger.md). `domain`: the document family, by default that of the list; needed where documents
    of several families bear one external id."""

    external_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
    domain: Domain | None = None
    amount: Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$")] | None = None
    currency_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class SentList(CanonicalModel):
    """What a source sent to be created from `sent_from` on and before `sent_until`, days of UTC. `source`: by default
    the caller's own. `domain`: the list is of this document family alone; without it, it is of all."""

    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$", examples=["salesforce"])] | None = None
    domain: Domain | None = None
    sent_from: Annotated[date, Field(strict=False, examples=["2026-11-01"])]
    sent_until: Annotated[date, Field(strict=False, examples=["2026-12-01"])]
    documents: Annotated[tuple[SentDocument, ...], Field(max_length=MOST_LISTED)]


def _added(description: str) -> Any:
    """A member that came to the first version's answer later."""
    return Field(default_factory=NoneType, description=description)


class SentDifference(AnswerModel):
    """Both have it, and these members differ."""

    external_id: str
    transaction_id: str
    members: list[str]
    domain: str | None = _added("The document family.")


class ListedDocument(AnswerModel):
    """A line of the list. `domain`: null where neither the line nor the list says it."""

    external_id: str
    domain: str | None


class ComparedScope(AnswerModel):
    """The data scope of the token, each node with all below it; null: all of them."""

    business_units: list[str] | None
    geographies: list[str] | None


class CompletenessAnswer(LedgerAnswered):
    """What is missing on either side. `missing_here`: listed, and not accepted, as far as the token sees.
    `missing_there`: accepted in the period, not listed. `other_period`: listed, accepted before or after. `repeated`:
    listed more than once. `unnamed_count`: accepted without an external id. Of each list, the first thousand
    are shown."""

    source: str
    listed_count: int
    accepted_count: int = Field(description="Accepted in the period.")
    agreed_count: int = Field(
        description="Listed and accepted in the period, the same on both sides: `acceptedCount` at most."
    )
    unnamed_count: int
    missing_here_count: int
    missing_there_count: int
    missing_here: list[str]
    missing_there: list[TransactionAnswer]
    other_period: list[TransactionAnswer]
    differing: list[SentDifference]
    repeated: list[str]
    is_complete: bool = Field(description="Within `dataScope`: neither side lacks anything, and nothing is in doubt.")
    data_scope: ComparedScope | None = _added(
        "Only what lies in it was compared. A listed document that lies outside cannot be told from one that was never "
        "accepted, and an accepted one that lies outside is not counted. Null: everything was compared."
    )
    missing_here_documents: list[ListedDocument] | None = _added("`missingHere` with the domains.")
    ambiguous_count: int | None = _added("How many are `ambiguous`.")
    ambiguous: list[str] | None = _added(
        "External ids that are listed without a domain, and that documents of several domains bear: neither agreed nor "
        "missing. Say the `domain` of these lines."
    )
