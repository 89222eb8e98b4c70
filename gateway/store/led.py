"""The record as the leader of a task writes it: every write says its epoch, and counts only while that is the newest.

A process that was frozen past its lease and wakes does not know it; its next write fails in the same commit in which
the new leader's epoch is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from gateway.domain.leaders import Lead
from gateway.store.errors import LeadLost
from gateway.store.leaders import HOLD
from gateway.store.unit import Unit

T = TypeVar("T")


class Writer(Protocol):
    """Either database's writer."""

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T: ...
    async def close(self) -> None: ...


class LedWriter:
    """A writer whose units hold the lead's epoch until their commit.

    Raises LeadLost beside what the writer raises: nothing was written, and the lead is given up.
    """

    def __init__(self, writer: Writer, lead: Lead) -> None:
        self._writer = writer
        self._lead = lead

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        task, epoch = self._lead.task, self._lead.epoch
        if epoch is None:
            raise LeadLost(f"this process does not lead {task}")

        async def fenced(unit: Unit) -> T:
            if await unit.one(HOLD, {"task": task, "mine": epoch}) is None:
                raise LeadLost(f"epoch {epoch} of {task} is over: another process leads")
            return await fn(unit)

        try:
            return await self._writer.write(fenced)
        except LeadLost:
            self._lead.lose(epoch)
            raise

    async def close(self) -> None:
        """Nothing: the connections are the record's own."""
