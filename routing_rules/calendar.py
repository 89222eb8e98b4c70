"""Fiscal calendars: which period a date lies in, and which close and freeze windows cover it.

A calendar knows no clock and no time zone: its dates are posting dates and, for windows, dates in UTC. Whether a period
is open is no date's matter but an act (docs/rules.md, 'Periods').
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

PeriodKind = Literal["month", "quarter", "4-4-5"]

PERIOD_KINDS: Final[tuple[PeriodKind, ...]] = ("month", "quarter", "4-4-5")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS_IN_YEAR: Final[Mapping[PeriodKind, int]] = {"month": 12, "quarter": 4, "4-4-5": 12}

_PERIOD_ID: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_WEEKS: Final = (4, 4, 5)
_HALF_WEEK: Final = 3
_DAY: Final = timedelta(days=1)
_EARLIEST: Final = date.min.year + 2
_LATEST: Final = date.max.year - 2
"""The years of which the neighbours exist as well, with all their periods and windows."""


class PeriodUnknown(ValueError):
    """The calendar has no such period."""


@dataclass(frozen=True, slots=True)
class Period:
    """One fiscal period. `id`: the fiscal year (the year in which it starts) and the number in it, as `2026-11`.

    `start` is its first day, `end` the first day after it.
    """

    id: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Around every period's end: the last `days_before` of the period, the first `days_after` of the next one.

    `allows`: ids of the changes (drafts) that the window names and that may come into force in it all the same.
    """

    id: str
    days_before: int
    days_after: int
    note: str = ""
    allows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """From one day through another, both included: of every year, or once.

    `start` and `end` are (month, day) of every year, where an end before its start lies in the year after; or two
    dates. `allows` as in `CloseWindow`.
    """

    id: str
    start: tuple[int, int] | date
    end: tuple[int, int] | date
    note: str = ""
    allows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that covers an asked date. `start` is its first day, `end` the first day after it."""

    id: str
    kind: Literal["close", "freeze"]
    start: date
    end: date
    note: str
    allows: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The fiscal calendar of company codes.

    `year_starts`: (month, day) on which the fiscal year starts; with `4-4-5` it starts on the `week_starts` (0 is
    Monday) nearest to that day, has four quarters of 4, 4 and 5 weeks, and its last period takes a 53rd week.
    """

    id: str
    year_starts: tuple[int, int] = (1, 1)
    period_kind: PeriodKind = "month"
    week_starts: int = 0
    close_windows: Sequence[CloseWindow] = ()
    freeze_windows: Sequence[FreezeWindow] = ()

    def period_of(self, day: date) -> Period:
        """The period that the day lies in.

        Raises PeriodUnknown for a day in the first or last years of what a date can hold.
        """
        if _EARLIEST <= day.year <= _LATEST:
            # a year of whole weeks may start some days before its own January
            for year in (day.year + 1, day.year, day.year - 1):
                starts = self._starts(year)
                if starts[0] <= day < starts[-1]:
                    return _numbered(year, starts, bisect_right(starts, day))
        raise PeriodUnknown(f"{day} lies in no fiscal year of the calendar '{self.id}'")

    def period_named(self, period_id: str) -> Period:
        """The period with this id, such as `2026-11`. Raises PeriodUnknown."""
        found = _PERIOD_ID.fullmatch(period_id)
        if found is not None:
            year, number = int(found[1]), int(found[2])
            if _EARLIEST <= year <= _LATEST and 1 <= number <= PERIODS_IN_YEAR[self.period_kind]:
                return _numbered(year, self._starts(year), number)
        last = PERIODS_IN_YEAR[self.period_kind]
        raise PeriodUnknown(
            f"'{period_id[:40]}' is no period of the calendar '{self.id}': write the fiscal year and 01 to {last:02d}, "
            f"such as 2026-{last:02d}"
        )

    def windows_at(self, at: date | datetime) -> tuple[OpenWindow, ...]:
        """The windows that cover a day, close windows first. An instant (aware) counts by its day in UTC.

        Raises PeriodUnknown as `period_of`.
        """
        day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
        closes = [found for window in self.close_windows for found in self._closes(window, day)]
        freezes = [found for window in self.freeze_windows for found in self._freezes(window, day)]
        return (*closes, *freezes)

    def _starts(self, year: int) -> list[date]:
        """The first days of the year's periods, and of the year after it."""
        if self.period_kind == "4-4-5":
            starts = [self._week_year(year)]
            for weeks in _WEEKS * 4:
                starts.append(starts[-1] + timedelta(weeks=weeks))
            starts[-1] = self._week_year(year + 1)
            return starts
        month, day = self.year_starts
        count = PERIODS_IN_YEAR[self.period_kind]
        months = [month - 1 + at * (12 // count) for at in range(count + 1)]
        return [date(year + at // 12, at % 12 + 1, day) for at in months]

    def _week_year(self, year: int) -> date:
        """The day of the week nearest to the nominal start; never more than three days away."""
        nominal = date(year, *self.year_starts)
        ahead = (self.week_starts - nominal.weekday()) % 7
        return nominal + timedelta(days=ahead if ahead <= _HALF_WEEK else ahead - 7)

    def _closes(self, window: CloseWindow, day: date) -> Iterator[OpenWindow]:
        this = self.period_of(day)
        for period in (self.period_of(this.start - _DAY), this):
            start, end = period.end - window.days_before * _DAY, period.end + window.days_after * _DAY
            if start <= day < end:
                window_id = f"{self.id}.{window.id}.{period.id}"
                yield OpenWindow(window_id, "close", start, end, window.note, window.allows)

    def _freezes(self, window: FreezeWindow, day: date) -> Iterator[OpenWindow]:
        for start, last in _occurrences(window, day.year):
            if start <= day <= last:
                window_id = f"{self.id}.{window.id}.{start.isoformat()}"
                yield OpenWindow(window_id, "freeze", start, last + _DAY, window.note, window.allows)


def _numbered(year: int, starts: Sequence[date], number: int) -> Period:
    return Period(f"{year:04d}-{number:02d}", starts[number - 1], starts[number])


def _occurrences(window: FreezeWindow, year: int) -> list[tuple[date, date]]:
    """First and last days: the one time, or those that start in this year and in the one before."""
    start, end = window.start, window.end
    if isinstance(start, date) and isinstance(end, date):
        return [(start, end)]
    if isinstance(start, date) or isinstance(end, date):
        raise TypeError("a freeze window is of every year or of one, not half and half")
    return [(date(one, *start), date(one + (end < start), *end)) for one in (year - 1, year)]
