"""What the state says otherwise than the entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SAME_TIME_US: Final = 60_000_000
"""Whoever wrote looked at the clock twice, for the row and then for its entry: µs that may lie between the two."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject`: the id of a transaction, document, lineage, question, legal hold, erasure or overlay; an activation by
    its number. `what`: the field or row. `told`: what entries say."""

    subject: str
    what: str
    stored: object
    told: object

    @property
    def is_of_clocks(self) -> bool:
        """Whether it tells when a checkpoint was kept, which clocks that lie apart make look wrong."""
        return self.what == "kept_at" and self.subject.startswith("log_checkpoints,")

    def __str__(self) -> str:
        return f"{self.subject}: {self.what} is {_said(self.stored)}, and the ledger tells {_said(self.told)}"


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)


def unlike(subject: str, what: str, stored: object, told: object) -> Iterator[Finding]:
    """They differ."""
    if stored != told:
        yield Finding(subject, what, stored, told)


def unlike_time(subject: str, what: str, stored: int | None, told: int) -> Iterator[Finding]:
    """They are further apart than two looks at the clock in one unit (µs): the row's, and that of its entry."""
    if stored is None or abs(stored - told) > SAME_TIME_US:
        yield Finding(subject, what, stored, told)
