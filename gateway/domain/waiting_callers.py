"""Who waits for an answer in this process, and how the work that can wait gives way to them.

A process that catches up (with the log, the index, the stream of events, an audit) would take its interpreter and its
writer whole; a caller would wait behind it. So such work rests after each piece, in proportion to how long the piece
took: under load pieces take longer, and it rests longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LONGEST_REST_S: Final = 2.0
"""After one piece, however long that took."""
CHECKING_SHARE: Final = 0.1
"""Of the time, for what checks again what stands, while callers wait."""


class WaitingCallers:
    """Counts them. Counted on the event loop; asked from any thread."""

    def __init__(self) -> None:
        self._count = 0

    @property
    def count(self) -> int:
        """How many wait now."""
        return self._count

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """As long as the block runs, one more waits."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def rest_s(self, worked_s: float, share: float, most_s: float = LONGEST_REST_S) -> float:
        """Seconds to rest after `worked_s`, so that work takes that share of the time (above 0, at most 1), `most_s` at
        most; 0 where nobody waits."""
        if self._count == 0:
            return 0.0
        return min(most_s, max(0.0, worked_s) * (1 / share - 1))

    def rest_of_checking_s(self, worked_s: float) -> float:
        """Seconds to rest after `worked_s` of checking: it takes half of the time at most, less while callers wait."""
        return max(worked_s, self.rest_s(worked_s, CHECKING_SHARE))


NOBODY: Final = WaitingCallers()
"""For processes and tests without callers."""
