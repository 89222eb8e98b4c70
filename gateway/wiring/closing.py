"""What was opened for a process is closed at its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

CLOSE_S: Final = 10.0
"""How long one may take to close; the process ends all the same."""


async def close_all(ends: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Close all, what was opened last first; one that fails, or does not end, keeps no other open."""
    for close in reversed(ends):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await close()
