"""The worker: claims jobs that are due and lets the line carry them on. Runs inside the API process or alone."""

from __future__ import annotations

import asyncio

import structlog

from gateway.errors import StoreUnavailable
from gateway.transactions.line import Line

_log = structlog.get_logger(__name__)


class Worker:
    """Claims when woken, when a place becomes free behind which others wait, and every `poll_s` seconds."""

    def __init__(self, line: Line, *, poll_s: float) -> None:
        self._line = line
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._everywhere = True
        line.when_place_is_free(self._woken.set)

    def wake(self) -> None:
        """Look for due jobs now, everywhere."""
        self._everywhere = True
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for; what nobody expected is logged, and tried again."""
        while True:
            self._woken.clear()
            if await self._claim() == 0:
                await self._sleep()

    async def _claim(self) -> int:
        everywhere, self._everywhere = self._everywhere, False
        try:
            return await self._line.work(everywhere=everywhere)
        except StoreUnavailable as error:
            _log.warning("jobs_not_claimed", error=str(error))
            return 0
        except Exception as error:
            # with a traceback, yet without the exception's text: see telemetry.logs
            _log.error("jobs_not_claimed", exc_info=error)
            self._everywhere = self._everywhere or everywhere  # it may have been woken meanwhile
            # whoever wakes it does not make it fail faster
            await asyncio.sleep(self._poll_s)
            return 0

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
        except TimeoutError:
            self._everywhere = True
