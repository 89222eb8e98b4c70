"""Cancellations that arrive, although a library may swallow them.

`asyncio.wait_for` of Python 3.11 does when what it waits for comes at the same moment; what is raised while a cancelled
block is left hides the cancellation behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, Final

CANCELLED_AGAIN_S: Final = 0.1
"""What has not ended so long after it was cancelled is cancelled once more."""
LAST_ACT_S: Final = 1.0
"""The same for a task that has something to do at its end."""


@contextlib.contextmanager
def cancellable() -> Iterator[None]:
    """Leave with `CancelledError` if the task was cancelled in here, whoever swallowed it on the way."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    except Exception:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError from None
        raise
    if task and task.cancelling() > before:
        raise asyncio.CancelledError


async def ended_within(work: Coroutine[Any, Any, None], limit_s: float) -> None:
    """Await it, at most so long, and raise TimeoutError then.

    It is cancelled until it has ended: whoever swallows the one cancellation of `asyncio.timeout` while a server
    refuses the credentials goes on connecting for ever.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=limit_s)
    finally:
        await end([task], CANCELLED_AGAIN_S)
    if task.cancelled():
        raise TimeoutError
    task.result()


async def end(tasks: Iterable[asyncio.Task[Any]], again_s: float = LAST_ACT_S) -> None:
    """Cancel them until each has ended, whichever way; what it raised is not told.

    `again_s`: seconds that one has for what it does at its end, before it is cancelled once more.
    """
    every = set(tasks)
    left = {task for task in every if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)
    await asyncio.gather(*every, return_exceptions=True)
