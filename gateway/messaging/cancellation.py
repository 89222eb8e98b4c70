"""Cancellations that arrive, although a library may swallow them (`asyncio.wait_for` of Python 3.11 does)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, Final

CANCELLED_AGAIN_S: Final = 0.1
"""What has not ended so long after it was cancelled is cancelled once more."""


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
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CANCELLED_AGAIN_S)
    if task.cancelled():
        raise TimeoutError
    task.result()
