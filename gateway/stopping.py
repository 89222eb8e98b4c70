"""How a process is asked to end: by the first SIGTERM or SIGINT in good order, by the second at once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

END_S: Final = 45.0
"""How long a process has for its end. What it has not handed over then is taken over, as after a crash."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_log = structlog.get_logger(__name__)


class Stop:
    """The end of this process. `on_asked`: called in their order when it is asked for. `end_s`: seconds for it."""

    def __init__(self, end_s: float = END_S) -> None:
        self.on_asked: list[Callable[[], None]] = []
        self._asked = asyncio.Event()
        # a thread: whatever the loop waits for, or is kept from, the process ends
        self._last_call = threading.Timer(end_s, _end_now, (end_s,))
        self._last_call.daemon = True

    async def wait(self) -> None:
        """Until it is asked for."""
        await self._asked.wait()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Until the end of the block signals come here, on the loop that runs now."""
        loop = asyncio.get_running_loop()
        for one in SIGNALS:
            loop.add_signal_handler(one, self._hear, one)
        try:
            yield
        finally:
            for one in SIGNALS:
                loop.remove_signal_handler(one)

    def _hear(self, number: signal.Signals) -> None:
        if self._asked.is_set():
            # what is under way is taken over, as after a crash
            _log.warning("ends_at_once", signal=number.name)
            os._exit(128 + number)
        _log.info("stopping", signal=number.name)
        self._asked.set()
        self._last_call.start()
        for call in self.on_asked:
            call()


def _end_now(end_s: float) -> None:
    _log.error("ends_unfinished", seconds=end_s)
    os._exit(1)
