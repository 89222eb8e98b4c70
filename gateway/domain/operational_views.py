"""What operations read off the ledger over a period: how long, how much, how well, by month, slice and side.

Each view looks at the transactions that were accepted in a period of whole months or parts of them, and at what became
of these since. Times are whole microseconds since 1970-01-01 UTC; months are of UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from gateway.errors import GatewayError

MOST_MONTHS: Final = 13
"""Months of one period: a year and the month that it is compared with."""
MOST_ACCEPTED: Final = 1_000_000
"""Transactions accepted in one period, whatever else narrows the question."""
MOST_VIEWED: Final = 100_000
"""Transactions of one view: those that the filter leaves."""
MOST_ROWS: Final = 5_000
"""Rows of one view."""


class View(StrEnum):
    """Which."""

    CYCLE_TIME = "cycle-time"
    RECOVERY_TIME = "recovery-time"
    COMPLETE_TRACES = "complete-traces"
    INVOICE_ACCURACY = "invoice-accuracy"
    API_USE = "api-use"


class Grouping(StrEnum):
    """What the rows of a view are apart by. `slice`: domain, business unit and geography."""

    MONTH = "month"
    SLICE = "slice"
    SIDE = "side"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFilter:
    """Every condition that is not None must hold: of the order for the cycle time, else of the transaction itself.
    Accepted at [`accepted_from`, `accepted_until`): of the payment for the cycle time. `side`: where it went, also with
    one leg of several."""

    accepted_from: int
    accepted_until: int
    domain: str | None = None
    business_units: frozenset[str] | None = None
    geographies: frozenset[str] | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class ViewKey:
    """What the transactions of a row have in common; None too where they are not apart by it. `side`: None where they
    were never routed, or went to both."""

    month: str | None
    domain: str | None
    business_unit: str | None
    geography: str | None
    side: str | None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long it took (µs): the median and the 95th percentile by nearest rank, of `measured`. `counted`: how many
    there are, those included that have not come to it."""

    key: ViewKey
    counted: int
    measured: int
    median: int | None
    p95: int | None
    longest: int | None


@dataclass(frozen=True, slots=True)
class TraceCounts:
    """`complete`: from `accepted` to the end that is recorded, without a gap, every posting with its number. Each of
    the others is in one of the rest: not ended yet; with a gap; posted without a number."""

    key: ViewKey
    transactions: int
    complete: int
    not_ended: int
    with_gap: int
    without_number: int


@dataclass(frozen=True, slots=True)
class AccuracyCounts:
    """Posted invoices. `accurate`: neither reversed nor credited since, nor refused before. One may be several of the
    rest."""

    key: ViewKey
    invoices: int
    accurate: int
    undone: int
    credited: int
    refused_before: int


@dataclass(frozen=True, slots=True)
class UseCounts:
    """Accepted requests of a client for an operation."""

    key: ViewKey
    client: str
    source: str
    operation: str
    accepted: int
    posted: int
    failed: int


ViewRow = Durations | TraceCounts | AccuracyCounts | UseCounts


def months_of(accepted_from: int, accepted_until: int) -> Sequence[tuple[str, int]]:
    """The months that the period [from, until) touches, `YYYY-MM`, each with the instant (µs) at which it ends."""
    return list(_months(accepted_from, accepted_until))


def month_start(at: int) -> int:
    """When the month of that instant began (µs)."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * 1_000_000


def _months(accepted_from: int, accepted_until: int) -> Iterator[tuple[str, int]]:
    moment = datetime.fromtimestamp(accepted_from // 1_000_000, UTC)
    year, month = moment.year, moment.month
    while True:
        year_after, month_after = (year, month + 1) if month < 12 else (year + 1, 1)
        end = int(datetime(year_after, month_after, 1, tzinfo=UTC).timestamp()) * 1_000_000
        yield f"{year:04d}-{month:02d}", end
        if end >= accepted_until:
            return
        year, month = year_after, month_after


class ViewTooWide(GatewayError):
    """More was accepted in the period than one view looks at."""
