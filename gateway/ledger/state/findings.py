"""What the state says otherwise than the entries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ledger.errors import LogRefused
from gateway.ledger.months.wrong import ArchiveWrong
from gateway.store.errors import StatementRefused
from gateway.store.statement import RowUnreadable

Given = TypeVar("Given")
Other = TypeVar("Other")

UNREADABLE: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    GatewayError,
)
"""What reading a row raises that the gateway never wrote; `NO_FINDING` is to be let through before."""
NO_FINDING: Final = (StoreUnavailable, StatementRefused, LogRefused, ArchiveWrong)
"""Of these the first is mended by time, the second is no row's fault, and the others name themselves what is wrong."""
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


def unreadable(subject: str, what: str, error: Exception) -> Finding:
    """A row that is none that the gateway ever wrote; the error names it as far as can be."""
    said = str(error) if isinstance(error, RowUnreadable) else f"{type(error).__name__}: {error}"
    return Finding(subject, what, f"not readable ({said})", "readable")


async def as_far_as_readable(work: Awaitable[Given], otherwise: Callable[[Exception], Other]) -> Given | Other:
    """What the work gives; `otherwise` says what is given where a row cannot be read."""
    try:
        return await work
    except NO_FINDING:
        raise
    except UNREADABLE as error:
        return otherwise(error)


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
