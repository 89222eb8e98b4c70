"""Whether a process of the simulation lives, and whether it stands still."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


class Killed(BaseException):
    """Raised in what is left of a killed process; nothing of it goes on. No `Exception`, so nobody handles it."""


@dataclass
class Life:
    """Whether a process lives, and whether it stands still (SIGSTOP). `killed_at` (µs): None while it lives."""

    name: str
    alive: bool = True
    killed_at: int | None = None
    moving: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.moving.set()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        self.moving.clear()
        asyncio.get_running_loop().call_later(seconds, self.moving.set)

    async def step(self) -> None:
        """A point at which the process may be found dead or standing still."""
        while not self.moving.is_set():
            await self.moving.wait()
        if not self.alive:
            raise Killed

    async def outlast(self) -> None:
        """The same for what is cancelled by the process's own timers. Who stands still does not hear them; and when it
        wakes it goes on to its next wait before it does, as a loop takes what has arrived before it takes its timers.
        """
        heard = False
        while not self.moving.is_set():
            try:
                await self.moving.wait()
            except asyncio.CancelledError:
                if not self.alive:
                    raise
                heard = True
        if not self.alive:
            raise Killed
        if heard and (task := asyncio.current_task()) is not None:
            task.cancel()
