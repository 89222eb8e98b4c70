"""One process alone in a data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.settings import SettingsError


class AlreadyRunning(SettingsError):
    """Another process writes this data directory. The embedded default has one writing process."""


def only_writer(data: Path) -> Callable[[], Awaitable[object]]:
    """Take the data directory for this process alone; the kernel gives it back when the process ends, however."""
    descriptor = os.open(data / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunning(f"another gateway runs on {data}; stop it first, or use PostgreSQL") from error

    async def release() -> None:
        os.close(descriptor)

    return release
