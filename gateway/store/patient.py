"""The record as a process that starts writes it: it waits for locks that another process holds.

A process that stands still in the middle of a write holds its locks until the database ends its transaction (on
PostgreSQL `PoolLimits.idle_s`), and that is longer than one statement waits for a lock. Who serves turns its caller
away then, and the caller comes again; who starts has no caller, and to end would only mean to be started again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import structlog

from gateway.store.errors import StoreBusy
from gateway.store.led import Writer

T = TypeVar("T")

PATIENCE_S: Final = 60.0
"""Of a start. The database ends the transaction of a process that stands still after a sixth of this."""
_PAUSE_S: Final = 0.5
"""Between two tries that fail at once: a try that waits for a lock takes some seconds by itself."""

_log = structlog.get_logger(__name__)


class PatientWriter:
    """A writer whose units are tried again while a limit of the store is reached, for PATIENCE_S. `what`: what the
    process is about to do, in the words of its log.

    Raises what the writer raises; StoreBusy only once the patience is over.
    """

    def __init__(self, writer: Writer, what: str) -> None:
        self._writer = writer
        self._what = what

    async def write(self, fn: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        began = time.monotonic()
        while True:
            try:
                return await self._writer.write(fn)
            except StoreBusy as busy:
                waited = time.monotonic() - began
                if waited >= PATIENCE_S:
                    raise StoreBusy(f"waited {waited:.1f} s {self._what}: {busy}") from busy
                _log.warning(
                    "start_waits_for_database",
                    what=self._what,
                    error=str(busy),
                    waited_s=round(waited, 1),
                    gives_up_after_s=PATIENCE_S,
                )
            await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Nothing: the connections are the record's own."""
