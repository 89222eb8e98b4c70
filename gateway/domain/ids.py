"""Time-ordered ids: neighbours in time are neighbours in an index (random ids halve the throughput of inserts)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

from gateway.domain.identity import crockford

_RANDOM_BITS: Final = 80
_LENGTH: Final = 26
_LAST: Final = 4
"""Characters that change from one id to the next; the others are made once for the ids of a millisecond."""
_LAST_BITS: Final = 5 * _LAST
_LAST_MASK: Final = (1 << _LAST_BITS) - 1


class TimeOrderedIds:
    """Ids in the form of a ULID: 48 bits of milliseconds, 80 bits random, Crockford base32, after a prefix.

    Within one millisecond the random part counts up, so ids of one process are strictly increasing. `now`: µs since
    1970; `random_bits`: a callable that gives so many unpredictable bits. May be used from several threads: write
    units draw ids in the writer's thread.
    """

    def __init__(self, now: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._now = now
        self._random_bits = random_bits
        self._millis = 0
        self._tail = 0
        self._first = -1
        self._first_text = ""
        self._lock = Lock()

    def new(self, prefix: str) -> str:
        """A new id such as `txn_01JD…`."""
        millis = self._now() // 1_000
        with self._lock:
            if millis > self._millis:
                self._millis = millis
                # the top bit stays free, so that counting up cannot overflow within a millisecond
                self._tail = self._random_bits(_RANDOM_BITS - 1)
            else:
                self._tail += 1
            value = self._millis << _RANDOM_BITS | self._tail
            first = value >> _LAST_BITS
            if first != self._first:
                self._first, self._first_text = first, crockford(first, _LENGTH - _LAST)
            text = self._first_text
        return f"{prefix}_{text}{crockford(value & _LAST_MASK, _LAST)}"
