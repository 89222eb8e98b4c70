"""Months of the ledger: which one a transaction belongs to, told by its id, which is ordered by time.

A month is one of the calendar in UTC, by the instant at which the transaction was accepted: its id was drawn then, and
all its entries bear it as their trace, however late they come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from gateway.domain.identity import CROCKFORD, crockford

TRANSACTION: Final = "txn_"
"""What ids of transactions begin with. Entries of other traces (drafts, activations, questions, holds) are few and have
no month."""
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_TIME_CHARS: Final = 10
"""Characters of an id that tell its time: 48 bits of milliseconds, the highest two of 50 are zero."""
_ID: Final = re.compile(rf"{TRANSACTION}([0-7][{CROCKFORD}]{{9}})[{CROCKFORD}]{{16}}", re.ASCII)
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


class NoMonth(ValueError):
    """The text names no month."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar, UTC. `year` from 1970 to 9998."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2026-11`. Raises NoMonth."""
        found = _MONTH.fullmatch(text)
        if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
            raise NoMonth(f"{text[:20]!r} is no month; write it as 2026-11")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def at(cls, micros: int) -> Self:
        """The month of an instant in µs since 1970."""
        when = datetime.fromtimestamp(micros // 1_000_000, UTC)
        return cls(when.year, when.month)

    @classmethod
    def of_trace(cls, trace: str) -> Self | None:
        """The month in which the transaction of that id was accepted; None: it is no transaction's id."""
        found = _ID.fullmatch(trace)
        if found is None:
            return None
        millis = 0
        for char in found[1]:
            millis = millis * 32 + CROCKFORD.index(char)
        if millis >= cls(_LAST_YEAR + 1, 1).first_at // 1_000:
            return None
        return cls.at(millis * 1_000)

    @property
    def following(self) -> Self:
        """The next one."""
        return type(self)(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def first_at(self) -> int:
        """Its first instant, µs since 1970."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp()) * 1_000_000

    @property
    def first_trace(self) -> str:
        """No id of this month sorts before it, and all of earlier ones do, byte by byte."""
        return TRANSACTION + crockford(self.first_at // 1_000, _TIME_CHARS)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def month_without(transaction_id: str, seqs: Sequence[int]) -> Month | None:
    """The month in whose archive the entries of a transaction are; None: they are not.

    Every transaction begins with an entry. Where that is not stored its month was taken out; whether that was recorded
    is the business of the background check.
    """
    return None if 1 in seqs else Month.of_trace(transaction_id)
