"""The one port through which the gateway speaks to an ERP.

A driver translates between canonical objects and one vendor's wire. What all of them MUST and MUST NOT do stands
here, and one contract suite (tests/contract) holds every driver to it against a peer that we did not write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, runtime_checkable

from adapters.canonical import ErpNumber
from adapters.postings import Cancellation, Change, Operation, Posting, Reversal, Submission

__all__ = [
    "Cancellation",
    "Capabilities",
    "Capability",
    "Change",
    "Confirmation",
    "ControlTotals",
    "ErpPort",
    "Expectation",
    "FoundDocument",
    "Health",
    "Operation",
    "Page",
    "Permit",
    "Posted",
    "Posting",
    "Reversal",
    "Search",
    "Submission",
    "ValidationReport",
]

Permit = Callable[[], None]
"""Called right before the first byte of a posting call. Raises when the caller may no longer send (its lease ran
out); the driver lets that exception through and sends nothing."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What a system can do for one (domain, operation).

    `reference_unique`: the ERP itself refuses a second document with the same external reference.
    `longest_execution_s`: no execution ends later than this after its sender ended (seconds).
    `one_at_a_time_key`: calls with the same key must not overlap ("" if they may); e.g. "company_code".
    `can_validate`: `validate` exists and posts nothing.
    `max_lines`: lines that one document may have there.
    `mixed_lines`: lines of one journal entry may have other company codes and currencies than the entry itself.
    `changeable`: for a change, the members (wire names, `lines`) that it can change; others cannot.
    """

    supported: bool
    reference_unique: bool = False
    longest_execution_s: float = 150.0
    one_at_a_time_key: str = ""
    can_validate: bool = False
    max_lines: int = 999
    mixed_lines: bool = False
    changeable: frozenset[str] = frozenset()
    reason: str = ""


Capabilities = Mapping[tuple[str, Operation], Capability]
"""By (domain, operation); what is absent is not supported."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the ERP confirmed of a posting; None where its answer does not say."""

    amount: Decimal | None = None
    currency_code: str | None = None
    company_code: str | None = None
    posting_date: date | None = None
    fiscal_year: int | None = None
    fiscal_period: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting that happened. `messages`: warnings that the ERP gave with it, bounded."""

    number: ErpNumber
    confirmed: Confirmation = Confirmation()
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an inquiry must find to be this document: party (its number there), currency, total there."""

    party: str | None
    currency_code: str | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document as it stands in the ERP. `total` in the same sense as `Expectation.total` of its domain.

    `as_demanded`: False where an inquiry found it neither as it was before the posting nor as it was to be.
    `cancelled`: all of it was called off there. `reversed_by`: a reversal of it that itself stands; `also_reversed_by`:
    further ones, where it was reversed more than once.
    """

    number: ErpNumber
    external_reference: str
    party: str | None
    currency_code: str | None
    total: Decimal | None
    company_code: str | None = None
    posting_date: date | None = None
    fiscal_year: int | None = None
    fiscal_period: int | None = None
    reversed_by: str | None = None
    as_demanded: bool = True
    cancelled: bool = False
    also_reversed_by: tuple[str, ...] = ()

    @property
    def reversals(self) -> tuple[str, ...]:
        """Numbers of all reversals of it that stand."""
        return () if self.reversed_by is None else (self.reversed_by, *self.also_reversed_by)

    def agrees_with(self, expected: Expectation) -> bool:
        """True if it stands as demanded and nothing that both sides state differs."""
        if not self.as_demanded:
            return False
        pairs = (
            (self.party, expected.party),
            (self.currency_code, expected.currency_code),
            (self.total, expected.total),
        )
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What the ERP said to a document that it was asked to check, not to post."""

    accepted: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """Documents of a domain by posting date (both ends included), a page at a time (`limit` ≤ 1,000)."""

    domain: str
    posted_from: date | None = None
    posted_until: date | None = None
    company_code: str | None = None
    limit: int = 200
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of found documents; an empty `next_cursor` is the last."""

    documents: tuple[FoundDocument, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Count and money by currency of what a system holds of a domain in a range."""

    count: int
    totals: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the system answers and lets us in; `detail` says what does not work."""

    ready: bool
    detail: str = ""
    latency_s: float = 0.0


@runtime_checkable
class ErpPort(Protocol):
    """One ERP installation.

    Every method that talks raises only the classes of `adapters.errors`, or what `permit` raised.

    A driver MUST
    - send a posting call at most once per `submit`, `change`, `cancel` or `reverse`, never again by itself;
    - call `permit` right before that call's first byte, and send nothing if it raises;
    - put `external_reference` where `inquire` finds it; only a change and a cancellation may be found by the
      document's state instead, and then state what shall be, not by how much it differs, so that a second one
      changes nothing;
    - raise `NotSent`, `Rejected` or `Misconfigured` only when certainly nothing was posted; anything that is not a
      definite success or a definite refusal is `OutcomeUnknown` or `Garbled`;
    - limit the size, depth and time of what it reads.

    A driver MUST NOT
    - post anything in `validate`, `inquire`, `read`, `search`, `control_totals` or `health`;
    - keep state that a posting depends on between calls (sessions and tokens are renewed when lost);
    - put credentials or payloads into errors, logs or spans.
    """

    @property
    def system_id(self) -> str:
        """The id of the system in the rulebook."""
        ...

    def capabilities(self) -> Capabilities:
        """What this system can do, by (domain, operation). Pure."""
        ...

    def expectation(self, posting: Posting) -> Expectation:
        """What an inquiry after this posting must find. Pure."""
        ...

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Post the document once."""
        ...

    async def change(self, change: Change, permit: Permit) -> Posted:
        """Make the document say what `change.document` says, once. All of it happens, or nothing.

        The document is read first: one that stands otherwise than `change.original` says was changed by somebody else
        and is `Rejected`; one that stands as demanded already is `OutcomeUnknown`, so that an inquiry finds it.
        """
        ...

    async def cancel(self, cancellation: Cancellation, permit: Permit) -> Posted:
        """Call the document off, once, by the rules of `change`."""
        ...

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        """All documents that show that the posting happened; empty if none does.

        A submission or reversal: what carries its external reference. A change or cancellation: the document if it
        stands as demanded; nothing while it stands as before; and if it stands in a third way, the document with
        `as_demanded=False`.
        """
        ...

    async def validate(self, submission: Submission) -> ValidationReport:
        """Let the ERP check the document without posting it. `Misconfigured` where `can_validate` is false."""
        ...

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """Post the mirror of a document once."""
        ...

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        """The document of that number, None if there is none."""
        ...

    async def search(self, search: Search) -> Page:
        """Documents by posting date."""
        ...

    async def control_totals(self, search: Search) -> ControlTotals:
        """Count and money of all that `search` would find, without its limit."""
        ...

    async def health(self) -> Health:
        """Whether the system answers; never raises."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...
