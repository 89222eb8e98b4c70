"""The concurrency limit: how many operations run at one system, learnt within what its owner allows.

Additive increase, multiplicative decrease (as in TCP's congestion avoidance, RFC 5681 section 3.1): every good answer
while the limit is used raises it a little, a sign of overload lowers it at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """`most`: the system's budget; `least`: what is always tried. `waiting`: operations that may wait for a place, and
    `wait_s` how long, in seconds: the lease of a posting runs while it waits. `decrease`: what is left of the limit
    after a sign of overload. `calm_s`: signs within so long after a decrease speak of the same overload."""

    most: int = 8
    least: int = 1
    waiting: int = 1_000
    wait_s: float = 10.0
    decrease: float = 0.7
    calm_s: float = 1.0


class NoPlace(Exception):
    """All places are taken and stay so. Nothing was done; `retry_after_s`: seconds after which to ask again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"no place within {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class ConcurrencyLimit:
    """Gives out places, first come first served. `now`: seconds on a clock that never goes back."""

    def __init__(self, limits: ConcurrencyLimits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._most = limits.most
        self._limit = float(limits.most)
        self._allowed: int | None = None
        self._allowed_until = float("inf")
        self._taken = self._peak = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._decreased_at = float("-inf")

    @property
    def most(self) -> int:
        """Places that the system's owner allows, of all processes together."""
        return self._most

    @property
    def allowed(self) -> int:
        """Those that this process may fill: all, unless it has only a share of them."""
        if self._now() >= self._allowed_until:
            return 0
        return self._most if self._allowed is None else min(self._allowed, self._most)

    @property
    def learnt(self) -> int:
        """Those that the system was seen to bear."""
        return max(self._limits.least, int(self._limit))

    @property
    def limit(self) -> int:
        """Places that there are now."""
        return min(self.learnt, self.allowed)

    def allow(self, places: int, until: float) -> None:
        """This process may fill so many until then, and none afterwards. What is taken stays so."""
        self._allowed, self._allowed_until = places, until
        self._hand_out()

    def resize(self, most: int) -> None:
        """The owner allows so many from now on. What is taken stays so, and what the system was seen to bear only up
        to there; where nothing below the old number was learnt, all of the new one are there at once."""
        self._limit = float(most) if self._limit >= self._most else min(self._limit, float(most))
        self._most = most
        self._hand_out()

    def wanted(self) -> int:
        """Places that could have been used since this was asked last: twice as many as there were where all were."""
        peak, self._peak = self._peak, self._taken + self.waiting
        return min(self.most, 2 * peak if peak >= self.allowed else peak)

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Operations that wait for a place."""
        return sum(not one.done() for one in self._waiting)

    async def take(self) -> None:
        """Take a place, waiting for it if need be.

        Raises:
            NoPlace: too many wait, or it took too long.
        """
        self._peak = max(self._peak, self._taken + len(self._waiting) + 1)
        if self._taken < self.limit and not self._waiting:
            self._taken += 1
            return
        if len(self._waiting) >= self._limits.waiting:
            raise NoPlace(self._limits.wait_s)
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._limits.wait_s):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # it came in the same turn of the loop in which the wait ended
                self._give(place)
            else:
                self._waiting = deque(one for one in self._waiting if one is not place)
            if isinstance(error, TimeoutError):
                raise NoPlace(self._limits.wait_s) from error
            raise

    def give_back(self) -> None:
        """Free a place; who waits longest gets it."""
        self._taken -= 1
        self._hand_out()

    def did_well(self) -> None:
        """An operation was answered. Raises the limit while it is used: an idle system teaches nothing."""
        if self._taken >= self.limit:
            self._limit = min(float(self._most), self._limit + 1 / max(self._limit, 1.0))
            self._hand_out()

    def was_overloaded(self) -> None:
        """The system was busy, or too slow to answer in time."""
        now = self._now()
        if now - self._decreased_at >= self._limits.calm_s:
            self._decreased_at = now
            used = min(self._limit, float(self.allowed or self._most))
            self._limit = max(float(self._limits.least), used * self._limits.decrease)

    def _give(self, place: asyncio.Future[None]) -> None:
        if place.exception() is None:
            self.give_back()

    def _hand_out(self) -> None:
        while self._waiting and self._taken < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._taken += 1
                place.set_result(None)
