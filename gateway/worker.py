"""The worker: claims jobs that are due and lets the line carry them on. Runs inside the API process or alone."""

from __future__ import annotations

import asyncio

import structlog

from gateway.errors import StoreUnavailable
from gateway.transactions.line import Line

_log = structlog.get_logger(__name__)


class Worker:
    """Claims when woken, and every `poll_s` seconds; at most `concurrent` tasks are under way in this process."""

    def __init__(self, line: Line, *, concurrent: int, poll_s: float) -> None:
        self._line = line
        self._concurrent = concurrent
        self._poll_s = poll_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for due jobs now."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        while True:
            self._woken.clear()
            claimed = await self._claim()
            if claimed == 0:
                await self._sleep()

    async def _claim(self) -> int:
        free = self._concurrent - self._line.jobs_under_way
        if free <= 0:
            return 0
        try:
            return await self._line.work(free)
        except StoreUnavailable as error:
            _log.warning("jobs_not_claimed", error=str(error))
            return 0

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), self._poll_s)
        except TimeoutError:
            return
