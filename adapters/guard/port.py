"""A port that wraps a port: it decides whether a call is made now, and learns from what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from adapters.canonical import ErpNumber
from adapters.errors import Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.guard.breaker import Breaker, BreakerState
from adapters.guard.budget import CallBudget
from adapters.guard.concurrency import ConcurrencyLimit, NoPlace
from adapters.port import (
    Cancellation,
    Capabilities,
    Change,
    ControlTotals,
    ErpPort,
    Expectation,
    FoundDocument,
    Health,
    Page,
    Permit,
    Posted,
    Posting,
    Reversal,
    Search,
    Submission,
    ValidationReport,
)

T = TypeVar("T")

LONGEST_BUDGET_WAIT_S: Final = 5.0
"""Seconds that an operation waits for the call budget; where more is wanting it is turned away and comes back. Together
with the wait for a place it stays well below the lease's margin of a posting (30 s)."""
BROKEN: Final = frozenset({"500", "502", "504"})
"""What stands before a system says so, as codes, while the system itself is away (RFC 9110 section 15.6)."""
LONGEST_RETRY_AFTER_S: Final = 3_600.0
"""What an ERP asks for beyond this is a mistake, and would shut it for a day."""


@dataclass(frozen=True, slots=True)
class GuardState:
    """How a system stands, for metrics and people. `budget_level`: calls that could be made at once; below 0 a debt.
    `asked_to_wait_s`: what is left of a pause that the system asked for."""

    breaker: BreakerState
    limit: int
    taken: int
    waiting: int
    budget_level: float
    asked_to_wait_s: float


class GuardedPort:
    """An `ErpPort` around another. What it turns away is `NotSent` with the time after which to try again.

    `now`: seconds on a clock that never goes back. A pause that the system asks for (`Retry-After`) holds for every
    operation at it, not only for the one that was told. `resized`: told of the system's places when they change.
    """

    def __init__(
        self,
        port: ErpPort,
        breaker: Breaker,
        concurrency: ConcurrencyLimit,
        budget: CallBudget,
        now: Callable[[], float],
        resized: Callable[[int], None] = lambda _places: None,
    ) -> None:
        self._port = port
        self._breaker = breaker
        self._concurrency = concurrency
        self._budget = budget
        self._now = now
        self._resized = resized
        self._told_until = self._paused_until = float("-inf")
        self._turned_away = False

    @property
    def system_id(self) -> str:
        """See `ErpPort`."""
        return self._port.system_id

    @property
    def state(self) -> GuardState:
        """How the system stands now."""
        return GuardState(
            self._breaker.state,
            self._concurrency.limit,
            self._concurrency.taken,
            self._concurrency.waiting,
            self._budget.level,
            max(0.0, self._paused_until - self._now()),
        )

    def room(self, share: float) -> int:
        """Operations that may be there at once now, of those who may fill only that share of places and call budget.

        0 while the system is left alone, while one call tries whether it is back, and where what is left of the budget
        is for others; 1 for that call; else at least 1.
        """
        breaker, concurrency = self._breaker.state, self._concurrency
        if breaker is BreakerState.OPEN or self._breaker.probing or self._paused_until > self._now():
            return 0
        if concurrency.allowed == 0:
            self._turned_away = True
            return 0
        if self._budget.fullness < 1 - share:
            return 0
        if breaker is BreakerState.HALF_OPEN:
            return 1
        # of all processes together, as far as it can be told from this one's part
        whole = concurrency.most * min(concurrency.learnt, concurrency.allowed) // concurrency.allowed
        return max(1, int(whole * share))

    @property
    def places(self) -> int:
        """Operations of this process that may be there at once, as its share of the budget is now."""
        return self._concurrency.allowed

    @property
    def places_of_all(self) -> int:
        """Those of all processes together."""
        return self._concurrency.most

    @property
    def ceiling(self) -> int:
        """Those of this process that may be there until `allow` says otherwise."""
        return max(self._concurrency.allowed, self._concurrency.taken)

    @property
    def is_short(self) -> bool:
        """Whether operations wait here for places that other processes may have."""
        return self._concurrency.waiting > 0 and self._concurrency.allowed < self._concurrency.most

    @property
    def told_to_wait_s(self) -> float:
        """What is left of a pause that the system asked this process for."""
        return max(0.0, self._told_until - self._now())

    def wanted(self) -> int:
        """Places that could have been used since this was asked last; 1 if operations stayed away for lack of one."""
        turned_away, self._turned_away = self._turned_away, False
        return max(self._concurrency.wanted(), int(turned_away))

    def allow(self, places: int, until: float) -> None:
        """This process may use so many places until then, by `now`, and that part of the minute's calls."""
        self._budget.allow(min(1.0, places / self._concurrency.most))
        self._concurrency.allow(places, until)

    def resize(self, places: int, calls_per_minute: float) -> None:
        """The system's budget is another now, of all processes together. A share of it stays until `allow` says
        otherwise, but for places that there are no more; calls under way go on."""
        self._resized(places)
        self._budget.resize(calls_per_minute)
        self._concurrency.resize(places)

    def pause(self, seconds: float) -> None:
        """The system asked another process to wait so long."""
        self._paused_until = max(self._paused_until, self._now() + min(seconds, LONGEST_RETRY_AFTER_S))

    def capabilities(self) -> Capabilities:
        """See `ErpPort`."""
        return self._port.capabilities()

    def expectation(self, posting: Posting) -> Expectation:
        """See `ErpPort`."""
        return self._port.expectation(posting)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.submit(submission, permit))

    async def change(self, change: Change, permit: Permit) -> Posted:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.change(change, permit))

    async def cancel(self, cancellation: Cancellation, permit: Permit) -> Posted:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.cancel(cancellation, permit))

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.inquire(posting))

    async def validate(self, submission: Submission) -> ValidationReport:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.validate(submission))

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.reverse(reversal, permit))

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.read(number))

    async def search(self, search: Search) -> Page:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.search(search))

    async def control_totals(self, search: Search) -> ControlTotals:
        """See `ErpPort`."""
        return await self._guarded(lambda: self._port.control_totals(search))

    async def health(self) -> Health:
        """See `ErpPort`. Never turned away: it is how people look at a system that is shut."""
        return await self._port.health()

    async def aclose(self) -> None:
        """See `ErpPort`."""
        await self._port.aclose()

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        self._turn_away_if_shut()
        try:
            await self._concurrency.take()
        except NoPlace as full:
            raise _turned_away("no place at the system", "no-place", full.retry_after_s) from full
        try:
            # again: the system may have been shut while this one waited for its place
            self._turn_away_if_shut()
            await self._wait_for_budget()
            refusal = self._breaker.refusal_s()
            if refusal is not None:
                raise _shut(refusal)
            return await self._learn(call)
        finally:
            self._concurrency.give_back()

    def _turn_away_if_shut(self) -> None:
        pause = self._paused_until - self._now()
        if pause > 0:
            raise _turned_away("the system asked to wait", "asked-to-wait", pause)
        # asked only, and not taken: what has no place yet would hold the probe without making a call
        left = self._breaker.open_s
        if left > 0:
            raise _shut(left)

    async def _wait_for_budget(self) -> None:
        wait = self._budget.wait_s()
        if wait > LONGEST_BUDGET_WAIT_S:
            raise _turned_away("the call budget of the system is used up", "budget-used-up", wait)
        if wait > 0:
            await asyncio.sleep(wait)

    async def _learn(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await call()
        except (Rejected, Misconfigured):
            self._breaker.answered()
            self._concurrency.did_well()
            raise
        except NotSent as error:
            self._not_sent(error)
            raise
        except OutcomeUnknown:
            self._breaker.failed()
            self._concurrency.was_overloaded()
            raise
        except Garbled:
            self._breaker.failed()
            raise
        except BaseException:
            # the permit was refused, or the task was cancelled: nothing is known of the system
            self._breaker.told_nothing()
            raise
        self._breaker.answered()
        self._concurrency.did_well()
        return result

    def _not_sent(self, error: NotSent) -> None:
        if error.overloaded:
            self._concurrency.was_overloaded()
            pause = min(max(0.0, error.retry_after_s or 0.0), LONGEST_RETRY_AFTER_S)
            self._told_until = max(self._told_until, self._now() + pause)
            self._paused_until = max(self._paused_until, self._told_until)
        if error.code and error.code not in BROKEN:
            # the system spoke, with a code of its own: it is there
            self._breaker.answered()
        else:
            self._breaker.failed()


def _shut(retry_after_s: float) -> NotSent:
    return _turned_away("the system did not answer lately and is left alone", "breaker-open", retry_after_s)


def _turned_away(message: str, code: str, retry_after_s: float) -> NotSent:
    return NotSent(message, code=code, retry_after_s=retry_after_s, turned_away=True)
