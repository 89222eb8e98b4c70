"""The call budget: how many calls a minute a system allows, counted where the calls are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adapters.port import Permit
from adapters.transport import ErpRequest, ErpResponse, Transport

BURST_S: Final = 5.0
"""Seconds' worth of calls that may be made at once after a pause: a twelfth of what a minute allows."""


class CallBudget:
    """A bucket of calls that fills steadily (a token bucket, as in RFC 2697) and may go into debt.

    What is about to make calls asks before; how many it makes is known only afterwards, so the bucket is charged per
    call and whoever comes next waits until the debt is paid. `now`: seconds on a clock that never goes back.
    """

    def __init__(self, calls_per_minute: float, now: Callable[[], float]) -> None:
        if calls_per_minute <= 0:
            raise ValueError("a budget allows at least some calls a minute")
        self._rate = calls_per_minute / 60
        self._most = max(1.0, self._rate * BURST_S)
        self._now = now
        self._level = self._most
        self._at = now()

    @property
    def fullness(self) -> float:
        """What is there of the burst that a minute allows: 1 after a pause, 0 or less where calls have to wait."""
        self._fill()
        return self._level / self._most

    @property
    def level(self) -> float:
        """Calls that may be made at once; below 0 it is a debt."""
        self._fill()
        return self._level

    def wait_s(self) -> float:
        """Seconds until a call may be made; 0 for at once."""
        self._fill()
        return max(0.0, (1.0 - self._level) / self._rate)

    def charge(self) -> None:
        """One call is made."""
        self._fill()
        self._level -= 1

    def _fill(self) -> None:
        now = self._now()
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now


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
