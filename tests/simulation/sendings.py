"""What really left a process for an ERP, and when its connection was closed: nobody in the gateway can see this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.errors import Misconfigured, NotSent, Rejected
from adapters.port import Posted
from tests.simulation.lives import Life


@dataclass
class Sending:
    """One posting call whose first byte was permitted; times in µs. `unique`: the ERP itself refuses a second document
    of its reference. `certain`: its sender was told what came of it."""

    sender: Life
    unique: bool
    begun: int = 0
    certain: bool = False
    _over: int | None = field(default=None, repr=False)

    async def told(self, call: Awaitable[Posted], now: Callable[[], int]) -> Posted:
        """Make the call, and see what its sender is told."""
        try:
            posted = await call
        except (NotSent, Rejected, Misconfigured):
            self.certain = True
            raise
        else:
            self.certain = True
            return posted
        finally:
            self._over = now()

    @property
    def closed_at(self) -> int | None:
        """When nothing of it could leave its sender any more; None: it still may."""
        ends = [one for one in (self._over, self.sender.killed_at) if one is not None]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One inquiry that was answered; times in µs."""

    asked_at: int
    answered_at: int
    hits: int
