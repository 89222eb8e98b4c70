"""An ERP of the tests that implements the port and keeps a book. It does not deduplicate: a blind retry shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.canonical import DocumentHead, ErpNumber, Order
from adapters.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.port import (
    Capability,
    Confirmation,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
    Operation,
    Page,
    Posted,
    Submission,
    ValidationReport,
)

DOMAINS = ("customers", "products", "orders", "invoices", "payments")
Behaviour = Callable[["BookErp", Submission], "Posted | None"]


@dataclass
class BookErp:
    """`script` gives the behaviour of the next calls, after it every call posts. `book` is what it really holds."""

    system_id: str
    domains: tuple[str, ...] = DOMAINS
    reference_unique: bool = False
    script: list[str] = field(default_factory=list)
    book: list[FoundDocument] = field(default_factory=list)
    calls: int = 0
    inquiries: int = 0
    late: list[Submission] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first call."""
    gate: asyncio.Event | None = None
    """If set, a call waits for it after the permit, before it does anything."""

    def capabilities(self) -> Mapping[tuple[str, Operation], Capability]:
        return {
            (domain, Operation.CREATE): Capability(True, reference_unique=self.reference_unique)
            for domain in self.domains
        }

    def expectation(self, submission: Submission) -> Expectation:
        document = submission.document
        if not isinstance(document, DocumentHead):
            return Expectation(None, None, None)
        party = submission.numbers.get("customer")
        return Expectation(party and party.document_number, document.currency_code, _total(submission))

    def post(self, submission: Submission) -> Posted:
        """Really post: the book grows."""
        document = submission.document
        expected = self.expectation(submission)
        number = ErpNumber(
            system_id=self.system_id,
            document_type=document.domain.rstrip("s"),
            document_number=f"{len(self.book) + 1:06d}",
        )
        self.book.append(
            FoundDocument(
                number,
                submission.external_reference,
                expected.party,
                expected.currency_code,
                expected.total,
            )
        )
        return Posted(number, Confirmation(expected.total, expected.currency_code))

    def post_what_was_late(self) -> None:
        """The executions that outlived their callers end now."""
        while self.late:
            self.post(self.late.pop(0))

    async def submit(self, submission: Submission, permit: Callable[[], None]) -> Posted:
        permit()
        self.calls += 1
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        match self.script.pop(0) if self.script else "post":
            case "post":
                return self.post(submission)
            case "lost_answer":
                self.post(submission)
                raise OutcomeUnknown("the connection was cut")
            case "lost_call":
                raise OutcomeUnknown("the connection was cut")
            case "late":
                self.late.append(submission)
                raise OutcomeUnknown("timed out")
            case "twice":
                self.post(submission)
                self.post(submission)
                raise OutcomeUnknown("the connection was cut")
            case "other":
                posted = self.post(submission)
                self.book[-1] = FoundDocument(
                    posted.number, submission.external_reference, "somebody else", "USD", Decimal(1)
                )
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

    async def inquire(self, submission: Submission) -> tuple[FoundDocument, ...]:
        self.inquiries += 1
        return tuple(one for one in self.book if one.external_reference == submission.external_reference)

    async def validate(self, submission: Submission) -> ValidationReport:
        raise Misconfigured("cannot validate")

    async def reverse(self, reversal: object, permit: Callable[[], None]) -> Posted:
        raise Misconfigured("cannot reverse")

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


def _total(submission: Submission) -> Decimal:
    document = submission.document
    return document.totals.net_amount if isinstance(document, Order) else document.amount
