"""The real clock, ids and randomness."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from pathlib import Path
from random import SystemRandom
from typing import Final

from gateway.domain.ids import TimeOrderedIds
from gateway.liveness import HostLiveness
from gateway.settings import SettingsError
from gateway.transactions.parts import Tools
from gateway.transactions.ports import Clock

COMMITMENT_KEY_FILE: Final = "commitments.key"
_KEY_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_random = SystemRandom()


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """µs since 1970 UTC."""
        return time.time_ns() // 1_000

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class SystemRandomness:
    """The operating system's random source."""

    def salt(self) -> bytes:
        """16 unpredictable bytes."""
        return secrets.token_bytes(16)

    def jitter(self) -> float:
        """Uniform in [0, 1)."""
        return _random.random()


def open_tools(data: Path, gateway_name: str, clock: Clock | None = None) -> Tools:
    """The tools of one process; the commitment key is made at the first start. `clock`: the machine's unless given."""
    clock = clock or SystemClock()
    ids = TimeOrderedIds(clock.now, secrets.randbits)
    return Tools(
        clock=clock,
        ids=ids,
        randomness=SystemRandomness(),
        liveness=HostLiveness(),
        process_id=ids.new("prc"),
        gateway_name=gateway_name,
        commitment_key=_commitment_key(data / COMMITMENT_KEY_FILE),
    )


def _commitment_key(path: Path) -> bytes:
    """32 bytes in a file that only its owner reads. Losing it makes the ledger's key hashes unopenable, no more."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & _OTHERS:
            raise SettingsError(f"{path} can be read by others: chmod 600 it") from None
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise SettingsError(f"{path} does not hold {_KEY_BYTES} bytes; restore it from a back-up") from None
        return key
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
