"""An ERP of the simulation: it keeps a book, does not deduplicate, and fails in the ways of real ones.

A call takes virtual time. It may be refused before anything happened; posted, and its answer lost; never executed, and
its caller told nothing; or executed long after its caller gave up, but never later than `LONGEST_EXECUTION_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from adapters.canonical import ErpNumber
from adapters.errors import Garbled, NotSent, OutcomeUnknown, Rejected
from adapters.port import Posted, Posting, Submission
from tests.line.book_erp import BookErp

CALL_LIMIT_S = 10.0
LONGEST_EXECUTION_S = 100.0
INQUIRY_DELAY_S = 2.0

FIRST_BYTE: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("first_byte", default=None)
"""What its sender does right before and right after the permit: it may stand still there, or die."""

GOOD = "post"
BAD = (
    *("lost_answer", "lost_call", "hung", "garbled_after", "garbled_before", "locked", "down", "busy"),
    # the two that are hardest to get right come more often
    *("late", "late", "late", "reject", "reject"),
)
MEDDLED = ("other", "two", "undone")
"""What others do there with a document whose answer was lost: nobody but a person can tell what is to become of it."""
MEDDLING: Final = 0.03
"""The share of calls in which one does, of those that go wrong."""


@dataclass
class SimErp(BookErp):
    """`trouble`: the share of calls that go wrong, 0 to 1."""

    chance: random.Random = field(default_factory=random.Random)
    trouble: float = 0.0
    running: set[asyncio.Task[None]] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    """References of which it refused an attempt."""
    told: dict[str, int] = field(default_factory=dict)
    """How often each way of failing happened."""
    meddled: dict[str, str] = field(default_factory=dict)
    """What others did, by reference."""

    async def _called(self, posting: Posting, permit: Callable[[], None]) -> Posted:
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        point = FIRST_BYTE.get()
        assert point is not None
        await point()
        permit()
        await point()
        self.calls += 1
        self.seen.append(posting)
        way = self._way(posting)
        self.told[way] = self.told.get(way, 0) + 1
        await asyncio.sleep(self.chance.uniform(0, 2))
        match way:
            case "lost_answer":
                self.post(posting)
                raise OutcomeUnknown("the connection was cut")
            case "lost_call":
                raise OutcomeUnknown("the connection was cut")
            case "hung":
                await asyncio.sleep(CALL_LIMIT_S - 3)
                raise OutcomeUnknown("no answer in time")
            case "other" | "two" | "undone":
                self._meddle(posting, way)
                raise OutcomeUnknown("the connection was cut")
            case "late":
                self._execute_later(posting)
                await asyncio.sleep(CALL_LIMIT_S - 3)
                raise OutcomeUnknown("no answer in time")
            case "garbled_after":
                self.post(posting)
                raise Garbled("<html>502</html>")
            case "garbled_before":
                raise Garbled("<html>502</html>")
            case "locked":
                raise NotSent("locked", code="423", retry_after_s=2.0)
            case "down":
                raise NotSent("connection refused")
            case "busy":
                raise NotSent("busy", code="503", retry_after_s=5.0, overloaded=True)
            case "reject":
                self.refused.add(posting.external_reference)
                raise Rejected("the credit limit is exceeded", code="V1/152", field="customer")
            case _:
                return self.post(posting)

    def _way(self, posting: Posting) -> str:
        if self.chance.random() >= self.trouble:
            return GOOD
        if self.chance.random() < MEDDLING and self._may_meddle(posting):
            return self.chance.choice(MEDDLED)
        return self.chance.choice(BAD)

    def _may_meddle(self, posting: Posting) -> bool:
        """With what is not there yet, and is no part of another document."""
        there = any(one.external_reference == posting.external_reference for one in self.book)
        return isinstance(posting, Submission) and posting.document.domain in {"orders", "invoices"} and not there

    def _meddle(self, posting: Posting, way: str) -> None:
        """Somebody else's document has the reference, or two have it, or what was posted was called off there."""
        if not self._may_meddle(posting):
            # an attempt before it was executed meanwhile
            self.post(posting)
            return
        if way == "two" and self.reference_unique:
            way = "undone"
        self.meddled[posting.external_reference] = way
        number = super().post(posting).number
        match way:
            case "other":
                self._alter(number, party="somebody else", currency_code="XXX", total=Decimal(1))
            case "two":
                super().post(posting)
            case _ if isinstance(posting, Submission) and posting.document.domain == "orders":
                self._alter(number, cancelled=True)
            case _:
                self._alter(number, reversed_by="999999")

    def post(self, posting: Posting) -> Posted:
        """Where references are unique, a second document of one is refused; its driver says that nobody knows, so that
        an inquiry finds the first."""
        if self.reference_unique and any(one.external_reference == posting.external_reference for one in self.book):
            raise OutcomeUnknown("there is a document with this reference")
        return super().post(posting)

    async def inquire(self, posting: Posting):  # type: ignore[no-untyped-def]  # as its parent
        await asyncio.sleep(self.chance.uniform(0, 1))
        if self.chance.random() < self.trouble / 2:
            raise OutcomeUnknown("the inquiry was cut")
        return await super().inquire(posting)

    async def read(self, number: ErpNumber):  # type: ignore[no-untyped-def]  # as its parent
        await asyncio.sleep(self.chance.uniform(0, 1))
        return await super().read(number)

    def _execute_later(self, posting: Posting) -> None:
        """The ERP goes on with it, whatever became of the caller; its process dying changes nothing."""

        async def execute() -> None:
            await asyncio.sleep(self.chance.uniform(0, LONGEST_EXECUTION_S - CALL_LIMIT_S))
            with contextlib.suppress(OutcomeUnknown):
                self.post(posting)

        task = asyncio.create_task(execute())
        self.running.add(task)
        task.add_done_callback(self.running.discard)
