"""The call budget: how many calls a minute a system allows, counted where the calls are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse, Transport

BURST_S: Final = 5.0
"""Seconds' worth of calls that may be made at once after a pause: a twelfth of what a minute allows."""

NOTHING_ALLOWED_S: Final = 60.0
"""Seconds after which to ask again where no part of the minute's calls is this process's."""


class CallBudget:
    """A bucket of calls that fills steadily (a token bucket, as in RFC 2697) and may go into debt.

    What is about to make calls asks before; how many it makes is known only afterwards, so the bucket is charged per
    call and whoever comes next waits until the debt is paid. `now`: seconds on a clock that never goes back.
    """

    def __init__(self, calls_per_minute: float, now: Callable[[], float]) -> None:
        self._whole, self._part = _a_second(calls_per_minute), 1.0
        self._spread()
        self._now = now
        self._level = self._most
        self._at = now()

    @property
    def fullness(self) -> float:
        """What is there of the burst that a minute allows: 1 after a pause, 0 or less where calls have to wait."""
        self._fill()
        return self._level / self._most if self._most > 0 else 0.0

    @property
    def level(self) -> float:
        """Calls that may be made at once; below 0 it is a debt."""
        self._fill()
        return self._level

    def wait_s(self) -> float:
        """Seconds until a call may be made; 0 for at once."""
        self._fill()
        if self._rate == 0:
            return NOTHING_ALLOWED_S
        return max(0.0, (1.0 - self._level) / self._rate)

    def allow(self, part: float) -> None:
        """Fill at that part (0 to 1) of the minute's calls from now on, and keep no more than its burst."""
        self._fill()
        self._part = part
        self._spread()
        self._level = min(self._level, self._most)

    def resize(self, calls_per_minute: float) -> None:
        """So many calls a minute from now on, and the same part of them. A bucket stays as full as it was, a debt as
        large."""
        self._fill()
        before = self._most
        self._whole = _a_second(calls_per_minute)
        self._spread()
        if self._level > 0:
            self._level *= self._most / before

    def charge(self) -> None:
        """One call is made."""
        self._fill()
        self._level -= 1

    def _spread(self) -> None:
        self._rate = self._whole * self._part
        self._most = max(1.0, self._rate * BURST_S) if self._part > 0 else 0.0

    def _fill(self) -> None:
        now = self._now()
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now


def _a_second(calls_per_minute: float) -> float:
    if calls_per_minute <= 0:
        raise ValueError("a budget allows at least some calls a minute")
    return calls_per_minute / 60


class CountingTransport:
    """A `Transport` that charges every call to a budget."""

    def __init__(self, transport: Transport, budget: CallBudget) -> None:
        self._transport = transport
        self._budget = budget

    async def send(self, request: ErpRequest, permit: Permit | None = None) -> ErpResponse:
        """See `Transport.send`."""
        self._budget.charge()
        return await self._transport.send(request, permit)

    async def aclose(self) -> None:
        """See `Transport.aclose`."""
        await self._transport.aclose()
