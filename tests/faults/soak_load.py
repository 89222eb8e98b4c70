"""The systems that submit in a soak: at a steady rate, whatever the gateway does, and how long each answer took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import httpx

from tests.faults.callers import Asked, Callers

MOST_UNDER_WAY: Final = 48
"""Requests at once. Beyond it the callers' own connections are used up: a request is left out, and that is counted."""


@dataclass
class SteadyCallers(Callers):
    """`per_second` requests, the usual mix. `took`: seconds of each answer since somebody last looked."""

    per_second: float = 12.0
    took: list[float] = field(default_factory=list)
    left_out: int = 0
    again: float = 0.1
    _under_way: int = 0

    async def call(self, enough: asyncio.Event) -> None:
        """Submit until it is enough, and wait for the last answers."""
        begun, requests = time.monotonic(), 0
        async with self._http() as http, asyncio.TaskGroup() as under_way:
            while not enough.is_set():
                # by the clock, so that a slow machine is not a smaller load
                requests += 1
                await asyncio.sleep(max(0.0, begun + requests / self.per_second - time.monotonic()))
                if self._under_way < MOST_UNDER_WAY:
                    prefer = "respond-async" if self.chance.random() < 0.15 else "wait=1"
                    under_way.create_task(self._timed(http, self._next(), prefer))
                else:
                    self.left_out += 1

    def nobody_waits_for(self) -> Asked:
        """A new document, whose caller will be gone before the answer; it is asked again later."""
        return self._next()

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self.patience_s, limits=httpx.Limits(max_connections=MOST_UNDER_WAY))

    async def _timed(self, http: httpx.AsyncClient, one: Asked, prefer: str) -> None:
        began = time.monotonic()
        self._under_way += 1
        try:
            if await self._send(http, one, prefer):
                self.took.append(time.monotonic() - began)
        finally:
            self._under_way -= 1
