"""What cannot be accepted yet: how long it is waited for, and how often it is looked at.

What waits must not keep out what comes, for that may be what it waits for. So the looks at what waits are few, however
much of it there is: each message is looked at more seldom then.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import Problem
from gateway.messaging.intake_stream import TAKE_AGAIN_S, IntakeMessage
from gateway.transactions.commands import Answer
from gateway.transactions.parts import SECOND
from gateway.transactions.ports import Clock

DEFECTS: Final = 5
"""How often a message is tried that makes the gateway fail, by one process since its start."""
COUNTED: Final = 10_000
"""Messages that make the gateway fail, of which a process knows how often. Of one more the deliveries count."""
COUNTED_S: Final = 3_600.0
"""Seconds after which it is forgotten how often one failed: another process may have dealt with it since."""
LOOKS_PER_S: Final = 200
"""At messages that were put off, of all processes together: a part of what one process accepts in a second."""

_LATER: Final = frozenset(
    {"unknown-reference", "in-flight", "document-busy", "frozen", "paused", "erp-unavailable", "not-ready"}
)
"""What another attempt may mend."""
_TOLD: Final = frozenset(10**power for power in range(7))
_MARK_S: Final = 1.0
"""Between two notes of how far the stream was handed out."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `again_s`: between two attempts, as long as few messages wait; `deadline_s`: after this, what still
    cannot be accepted is refused."""

    again_s: float = 5.0
    deadline_s: float = 3_600.0


class PuttingOff:
    """Decides it for one consumer."""

    def __init__(self, patience: Patience, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._reached = 0
        self._blind_until: int | None = None
        self._marks: deque[tuple[int, int]] = deque()
        """When it was noted that all that was stored until an instant had been handed out, and that instant."""
        self._failed: OrderedDict[tuple[int, int], tuple[int, int]] = OrderedDict()
        """By message: how often it made the gateway fail, and when it did last (µs); the oldest first."""

    def missed(self, put_off: int) -> None:
        """Nothing can be looked at, and so many messages wait: the deadline does not count before all of them came
        again."""
        self._blind_until = self._clock.now() + int(2 * self.seconds(put_off) * SECOND)
        self._marks.clear()

    def saw(self, taken: Sequence[IntakeMessage], put_off: int) -> None:
        """These were dealt with; none: the end of the stream was met. `put_off`: how many wait."""
        if self._blind_until is None:
            # whoever has only just begun does not know for how long nobody looked
            self.missed(put_off)
        elif self._clock.now() < self._blind_until:
            return
        elif not taken or any(one.behind == 0 for one in taken):
            self._handed_out(self._clock.now(), put_off)
        else:
            self._handed_out(max((one.stored_at for one in taken if one.delivered == 1), default=0), put_off)

    def _handed_out(self, until: int, put_off: int) -> None:
        """All that was stored until then. Whoever was handed some of it may have been killed with it in hand: it is
        dealt with for sure when it was handed to another one since, and all that waits came again."""
        now = self._clock.now()
        noted_at, noted = self._marks[-1] if self._marks else (0, self._reached)
        if until > noted and noted_at + _MARK_S * SECOND <= now:
            self._marks.append((now, until))
        for_sure = now - int((TAKE_AGAIN_S + 2 * self.seconds(put_off)) * SECOND)
        while self._marks and self._marks[0][0] <= for_sure:
            self._reached = max(self._reached, self._marks.popleft()[1])

    def waits(self, message: IntakeMessage, outcome: Answer | Problem) -> bool:
        """Whether the message is tried again; to be asked once for each attempt, because failures are counted.

        It may have been delivered any number of times before it fails: for its parent, a freeze, a database that was
        away.

        The deadline is over when all that was stored until then was dealt with, not before: after an hour without a
        gateway, what it waits for may lie right behind it, or be in the hands of a process that was killed.
        """
        if isinstance(outcome, Answer):
            return False
        if outcome.slug == "internal-error":
            return self._failures(message) < DEFECTS
        return outcome.slug in _LATER and self._reached < message.stored_at + self._patience.deadline_s * SECOND

    def ended(self, messages: Sequence[IntakeMessage]) -> None:
        """These are acknowledged and do not come again."""
        for one in messages:
            self._failed.pop(_name(one), None)

    def _failures(self, message: IntakeMessage) -> int:
        """How often it made the gateway fail, now included."""
        now, failed = self._clock.now(), self._failed
        while failed and next(iter(failed.values()))[1] <= now - int(COUNTED_S * SECOND):
            failed.popitem(last=False)
        before, _ = failed.pop(_name(message), (0, 0))
        if len(failed) >= COUNTED:
            return message.delivered
        failed[_name(message)] = (before + 1, now)
        return before + 1

    def seconds(self, put_off: int) -> float:
        """Until the next attempt, where so many messages wait. What a problem says itself is for callers whose waiting
        costs them a connection: a freeze that is lifted early is to be seen."""
        return max(self._patience.again_s, put_off / LOOKS_PER_S)

    @staticmethod
    def is_told(message: IntakeMessage) -> bool:
        """Whether this attempt is worth a line in the log: the first, the tenth, the hundredth."""
        return message.delivered in _TOLD


def _name(message: IntakeMessage) -> tuple[int, int]:
    """A stream that is made anew counts from 1 again."""
    return message.stream_sequence, message.stored_at
