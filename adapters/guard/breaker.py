"""The breaker: an ERP that does not answer is left alone for a while, then tried with a single call.

States and transitions after Nygard, *Release It!*, chapter "Circuit Breaker"::

    closed ── `failures` in a row ──▶ open ── its time is over ──▶ half_open (one call)
      ▲                                ▲                               │
      └────────── it answered ─────────┼───────────────────────────────┤
                                       └── it failed: twice as long ───┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """`failures`: calls in a row that were not answered, before it opens. `first_open_s`, `longest_open_s`: how long it
    stays open, in seconds; doubled each time the probing call fails. `probe_s`: after so long a probe whose end nobody
    reported is given up, so that a lost report cannot keep the system shut for ever."""

    failures: int = 5
    first_open_s: float = 1.0
    longest_open_s: float = 60.0
    probe_s: float = 120.0


class Breaker:
    """Counts what came of calls and says whether another may be made. `now`: seconds on a monotonic clock."""

    def __init__(self, limits: BreakerLimits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._failures = 0
        self._open_until: float | None = None
        self._open_s = limits.first_open_s
        self._probing_since: float | None = None

    @property
    def state(self) -> BreakerState:
        """As it stands now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._now() < self._open_until else BreakerState.HALF_OPEN

    @property
    def open_s(self) -> float:
        """Seconds for which it is still open, 0 where it is not. A look only: it changes nothing."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._now())

    @property
    def probing(self) -> bool:
        """Whether the one call that tries whether the system is back is under way."""
        return self._probing_since is not None and self._now() - self._probing_since < self._limits.probe_s

    def refusal_s(self) -> float | None:
        """None if a call may be made now, and then its end must be reported; else seconds after which to ask again."""
        if self._open_until is None:
            return None
        now = self._now()
        if now < self._open_until:
            return self._open_until - now
        if self.probing:
            return self._limits.first_open_s
        self._probing_since = now
        return None

    def answered(self) -> None:
        """The system answered, whatever it said."""
        self._failures = 0
        self._open_until = None
        self._probing_since = None
        self._open_s = self._limits.first_open_s

    def failed(self) -> None:
        """The system did not answer, or not in its protocol."""
        if self._open_until is not None:
            if self._probing_since is not None:
                self._open_s = min(2 * self._open_s, self._limits.longest_open_s)
                self._open()
            # else: a call from before it opened; what it says is known already
            return
        self._failures += 1
        if self._failures >= self._limits.failures:
            self._open()

    def told_nothing(self) -> None:
        """A call ended without saying anything of the system: it was given up before it was made."""
        self._probing_since = None

    def _open(self) -> None:
        self._failures = 0
        self._probing_since = None
        self._open_until = self._now() + self._open_s
