"""A writer that asks first whether the database may still be written to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from gateway.store.errors import RecordUnsound
from gateway.store.led import Writer
from gateway.store.record_guard import RecordGuard

T = TypeVar("T")


class GuardedWriter:
    """A writer that writes nothing once the guard says so. Raises RecordUnsound beside what the writer raises."""

    def __init__(self, writer: Writer, guard: RecordGuard) -> None:
        self._writer = writer
        self._guard = guard

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        self._guard.refuse()
        try:
            return await self._writer.write(fn)
        except RecordUnsound as error:
            self._guard.end(str(error))  # of a damaged page; whoever found more has said so
            raise

    async def close(self) -> None:
        """Close the writer."""
        await self._writer.close()
