"""An event loop whose time passes only when nobody has anything to do: a day of waiting takes no time at all.

Nothing waits for a socket or a thread, so the order of everything is the order of the loop's own queues: the same
program with the same seed does the same.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

MOST_TURNS = 5_000_000
"""Turns of the loop after which a run is taken for endless."""


class NothingLeft(AssertionError):
    """Everybody waits, and no time is set at which anybody goes on."""


class _Selector(selectors.DefaultSelector):
    """Never waits: what should have passed is added to the loop's time."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeft("everybody waits for somebody else")
        if timeout > 0:
            self.loop.pass_time(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 0 s."""

    def __init__(self) -> None:
        self._now = 0.0
        self._turns = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        # timers that lie closer than this are taken in one turn; the real loop's value is that of its own clock
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once."""
        self._now += seconds
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise AssertionError(f"after {MOST_TURNS} turns the run had not ended")


def run(whole: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole)
