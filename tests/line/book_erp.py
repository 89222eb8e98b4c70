"""An ERP of the tests that implements the port and keeps a book. It does not deduplicate: a blind retry shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from adapters.canonical import BusinessDocument, CanonicalDocument, ErpNumber, Order
from adapters.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import (
    Cancellation,
    Capability,
    Change,
    Confirmation,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
    Operation,
    Page,
    Posted,
    Posting,
    Reversal,
    Submission,
    ValidationReport,
)

DOMAINS = ("customers", "products", "orders", "invoices", "payments", "journal_entries")
CHANGEABLE = {
    "customers": {"name", "address", "contact", "taxRegistrations", "customerSegment"},
    "products": {"name", "description", "listPrice", "discontinued"},
    "orders": {"lines", "freight", "requestedDeliveryDate", "shipTo"},
}


@dataclass
class BookErp:
    """`script` gives the behaviour of the next calls that post, after it every call posts. `book` is what it really
    holds, `contents` what its documents say, by number."""

    system_id: str
    domains: tuple[str, ...] = DOMAINS
    reference_unique: bool = False
    mixed_lines: bool = False
    max_lines: int = 999
    takes_back: bool = True
    """Whether it can block a customer that it was given."""
    needs_party: bool = False
    """Whether its driver cannot say what a document must be whose customer has no number there."""
    fixed: frozenset[str] = frozenset()
    """Members that it cannot change, of those that others can."""
    script: list[str] = field(default_factory=list)
    book: list[FoundDocument] = field(default_factory=list)
    contents: dict[str, CanonicalDocument] = field(default_factory=dict)
    calls: int = 0
    inquiries: int = 0
    seen: list[Posting] = field(default_factory=list)
    """What it was called with."""
    late: list[Posting] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first call."""
    gate: asyncio.Event | None = None
    """If set, a call waits for it after the permit, before it does anything."""

    def capabilities(self) -> Mapping[tuple[str, Operation], Capability]:
        can = Capability(
            True, reference_unique=self.reference_unique, mixed_lines=self.mixed_lines, max_lines=self.max_lines
        )
        found = {(domain, Operation.CREATE): can for domain in self.domains}
        for domain, members in CHANGEABLE.items():
            found[domain, Operation.CHANGE] = Capability(True, changeable=frozenset(members) - self.fixed)
        found["orders", Operation.CANCEL] = can
        found["customers", Operation.CANCEL] = Capability(self.takes_back, reason="it blocks no customers")
        for domain in ("invoices", "payments", "journal_entries"):
            found[domain, Operation.REVERSE] = can
        return found

    def expectation(self, posting: Posting) -> Expectation:
        match posting:
            case Submission():
                if self.needs_party and "customer" not in posting.numbers:
                    raise Misconfigured("customer has no number there", field="customer")
                return _expected(posting.document, posting.numbers)
            case Change():
                return _expected(posting.document, posting.numbers)
            case Cancellation() | Reversal():
                return self.expectation(posting.original)

    def entry(self, number: ErpNumber) -> FoundDocument:
        """The document in the book."""
        return next(one for one in self.book if one.number == number)

    def post(self, posting: Posting) -> Posted:
        """Really do it: the book grows, or a document in it says something else."""
        expected = self.expectation(posting)
        match posting:
            case Submission():
                number = self._enter(posting.document, posting.external_reference, expected)
            case Change():
                number = posting.number
                self.contents[number.document_number] = posting.document
                self._alter(number, total=expected.total, currency_code=expected.currency_code)
            case Cancellation():
                number = posting.number
                self._alter(number, cancelled=True)
            case Reversal():
                number = self._enter(posting.original.document, posting.external_reference, expected)
                self._alter(posting.number, reversed_by=number.document_number)
        return Posted(number, Confirmation(expected.total, expected.currency_code))

    def _enter(self, document: CanonicalDocument, reference: str, expected: Expectation) -> ErpNumber:
        number = ErpNumber(
            system_id=self.system_id,
            document_type=document.domain.rstrip("s"),
            document_number=f"{len(self.book) + 1:06d}",
        )
        self.book.append(FoundDocument(number, reference, expected.party, expected.currency_code, expected.total))
        self.contents[number.document_number] = document
        return number

    def _alter(self, number: ErpNumber, **changes: object) -> None:
        at = self.book.index(self.entry(number))
        self.book[at] = replace(self.book[at], **changes)  # type: ignore[arg-type]

    def post_what_was_late(self) -> None:
        """The executions that outlived their callers end now."""
        while self.late:
            self.post(self.late.pop(0))

    async def submit(self, submission: Submission, permit: Callable[[], None]) -> Posted:
        return await self._called(submission, permit)

    async def reverse(self, reversal: Reversal, permit: Callable[[], None]) -> Posted:
        return await self._called(reversal, permit)

    async def change(self, change: Change, permit: Callable[[], None]) -> Posted:
        return await self._read_and_call(change, permit)

    async def cancel(self, cancellation: Cancellation, permit: Callable[[], None]) -> Posted:
        return await self._read_and_call(cancellation, permit)

    async def _read_and_call(self, posting: Change | Cancellation, permit: Callable[[], None]) -> Posted:
        stands = self._stands(posting)
        if stands == "as demanded":
            raise OutcomeUnknown("it stands as demanded already")
        if stands == "otherwise":
            raise Rejected("somebody else changed the document", code="CHANGED")
        return await self._called(posting, permit)

    def _stands(self, posting: Change | Cancellation) -> str:
        said = self.contents[posting.number.document_number]
        cancelled = self.entry(posting.number).cancelled
        if isinstance(posting, Cancellation):
            if cancelled:
                return "as demanded"
        elif said == posting.document and not cancelled:
            return "as demanded"
        return "as before" if said == posting.original.document and not cancelled else "otherwise"

    async def _called(self, posting: Posting, permit: Callable[[], None]) -> Posted:
        permit()
        self.calls += 1
        self.seen.append(posting)
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        match self.script.pop(0) if self.script else "post":
            case "post":
                return self.post(posting)
            case "lost_answer":
                self.post(posting)
                raise OutcomeUnknown("the connection was cut")
            case "lost_call":
                raise OutcomeUnknown("the connection was cut")
            case "late":
                self.late.append(posting)
                raise OutcomeUnknown("timed out")
            case "twice":
                self.post(posting)
                self.post(posting)
                raise OutcomeUnknown("the connection was cut")
            case "other":
                self._do_something_else(posting)
                raise OutcomeUnknown("the connection was cut")
            case "reject":
                raise Rejected("the credit limit is exceeded", code="V1/152", field="customer")
            case "busy":
                raise NotSent("locked", code="423", retry_after_s=2.0)
            case "down":
                raise NotSent("connection refused")
            case "wrong_password":
                raise Misconfigured("401")
            case "crash":
                raise RuntimeError("a defect of the driver")
            case unknown:
                raise AssertionError(unknown)

    def _do_something_else(self, posting: Posting) -> None:
        """Leave what was not asked for under the reference, or a document in a third state."""
        if isinstance(posting, Change | Cancellation):
            said = self.contents[posting.number.document_number]
            self.contents[posting.number.document_number] = said.model_copy(update={"external_id": "somebody else's"})
            return
        self.post(posting)
        self.book[-1] = replace(self.book[-1], party="somebody else", currency_code="USD", total=Decimal(1))

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        self.inquiries += 1
        if isinstance(posting, Change | Cancellation):
            stands = self._stands(posting)
            found = replace(self.entry(posting.number), as_demanded=stands == "as demanded")
            return () if stands == "as before" else (found,)
        return tuple(one for one in self.book if one.external_reference == posting.external_reference)

    async def validate(self, submission: Submission) -> ValidationReport:
        raise Misconfigured("cannot validate")

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        return next((one for one in self.book if one.number == number), None)

    async def search(self, search: object) -> Page:
        return Page(tuple(self.book))

    async def control_totals(self, search: object) -> ControlTotals:
        return ControlTotals(len(self.book), {})

    async def health(self) -> Health:
        return Health(ready=True)

    async def aclose(self) -> None:
        return None


def _expected(document: CanonicalDocument, numbers: Mapping[str, ErpNumber]) -> Expectation:
    if not isinstance(document, BusinessDocument):
        return Expectation(None, None, None)
    party = numbers.get("customer")
    total = document.totals.net_amount if isinstance(document, Order) else document.amount
    return Expectation(party and party.document_number, document.currency_code, total)
