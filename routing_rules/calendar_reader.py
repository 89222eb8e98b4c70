"""The calendars of a rulebook, from their data: as loaded from rulebook.yaml, or from a stored governance text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from routing_rules.calendar import PERIOD_KINDS, WEEKDAYS, Calendar, CloseWindow, FreezeWindow, PeriodKind

MAX_WINDOWS: Final = 100
"""Close windows and freeze windows of a calendar, each."""
MAX_ALLOWS: Final = 100
"""Changes that a window names."""
MAX_WINDOW_DAYS: Final = 27
"""A close window ends before the next period does: the shortest has 28 days."""
MAX_FREEZE_DAYS: Final = 366

_CALENDAR_FIELDS: Final = ("id", "fiscal_year_starts", "period", "week_starts", "close_windows", "freeze_windows")
_CLOSE_FIELDS: Final = ("id", "days_before_period_end", "days_after_period_end", "note", "allows")
_FREEZE_FIELDS: Final = ("id", "from", "until", "note", "allows")
_MONTH_DAY: Final = re.compile(r"([0-9]{2})-([0-9]{2})")
_WINDOW_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_LEAP_YEAR: Final = 2024

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class CalendarFault:
    """What is wrong, and where in the calendar's data: keys and positions from the outside in."""

    path: Path
    message: str
    remedy: str


def read_calendar(data: Mapping[str, Any]) -> tuple[Calendar, tuple[CalendarFault, ...]]:
    """The calendar and what is wrong with it; with faults the calendar is good for nothing but being complained about.

    `data`: one entry of `calendars`, its `id` checked before.
    """
    reading = _Reading()
    reading.known("the calendar", data, _CALENDAR_FIELDS, ())
    period = reading.period(data.get("period", "month"))
    calendar = Calendar(
        id=str(data["id"]),
        year_starts=reading.year_start(data.get("fiscal_year_starts", "01-01"), period),
        period_kind=period,
        week_starts=reading.weekday(data, period),
        close_windows=tuple(
            reading.close(one, ("close_windows", at))
            for at, one in enumerate(reading.entries(data.get("close_windows"), ("close_windows",)))
        ),
        freeze_windows=tuple(
            reading.freeze(one, ("freeze_windows", at))
            for at, one in enumerate(reading.entries(data.get("freeze_windows"), ("freeze_windows",)))
        ),
    )
    reading.window_ids_differ(calendar)
    return calendar, tuple(reading.faults)


class _Reading:
    """Collects faults; what has one is answered with something harmless."""

    def __init__(self) -> None:
        self.faults: list[CalendarFault] = []

    def fault(self, path: Path, message: str, remedy: str) -> None:
        self.faults.append(CalendarFault(path, message, remedy))

    def known(self, what: str, data: Mapping[str, Any], allowed: tuple[str, ...], path: Path) -> None:
        for key in data:
            if key not in allowed:
                self.fault((*path, key), f"{what} has no '{key[:40]}'", f"Known are: {', '.join(allowed)}")

    def period(self, value: Any) -> PeriodKind:
        for kind in PERIOD_KINDS:
            if value == kind:
                return kind
        self.fault(("period",), f"'{str(value)[:40]}' is no kind of period", f"Write {', '.join(PERIOD_KINDS)}")
        return "month"

    def weekday(self, data: Mapping[str, Any], period: PeriodKind) -> int:
        if "week_starts" not in data:
            return 0
        value = data["week_starts"]
        if period != "4-4-5":
            self.fault(("week_starts",), "only a calendar of weeks has 'week_starts'", "Remove it, or write 4-4-5")
        elif value in WEEKDAYS:
            return WEEKDAYS.index(value)
        else:
            self.fault(("week_starts",), f"'{str(value)[:40]}' is no weekday", f"Write {', '.join(WEEKDAYS)}")
        return 0

    def year_start(self, value: Any, period: PeriodKind) -> tuple[int, int]:
        path = ("fiscal_year_starts",)
        found = self.month_day(value, path)
        if found is None:
            return (1, 1)
        if period != "4-4-5" and found[1] > 28:  # every month has a 28th
            self.fault(path, f"not every month has a day {found[1]}", "Let the fiscal year start on a day up to 28")
            return (1, 1)
        return found

    def month_day(self, value: Any, path: Path) -> tuple[int, int] | None:
        found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            month, day = int(found[1]), int(found[2])
            if (month, day) == (2, 29):
                self.fault(path, "not every year has a 29 February", 'Write "02-28" or "03-01"')
                return None
            if _date(_LEAP_YEAR, month, day) is not None:
                return month, day
        self.fault(path, f"'{str(value)[:40]}' is no day of the year", 'Write month and day, such as "12-20"')
        return None

    def entries(self, value: Any, path: Path) -> list[Mapping[str, Any]]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(path, f"{path[-1]} is no list", "Write one window per dash")
            return []
        if len(value) > MAX_WINDOWS:
            self.fault(path, f"there are more than {MAX_WINDOWS} windows", "Leave some out")
            return []
        for at, one in enumerate(value):
            if not isinstance(one, dict):
                self.fault((*path, at), "the window is no mapping", "Write it as key: value")
        return [one if isinstance(one, dict) else {} for one in value]

    def close(self, data: Mapping[str, Any], path: Path) -> CloseWindow:
        self.known("the close window", data, _CLOSE_FIELDS, path)
        before = self.days(data, "days_before_period_end", path)
        after = self.days(data, "days_after_period_end", path)
        if data and before == after == 0:
            self.fault(path, "the close window covers no day", "Write days_before_period_end or days_after_period_end")
        window_id = self.window_id(data, f"close-{int(path[1]) + 1}", path)
        return CloseWindow(window_id, before, after, self.text(data, "note", path), self.allows(data, path))

    def days(self, data: Mapping[str, Any], key: str, path: Path) -> int:
        value = data.get(key, 0)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_WINDOW_DAYS:
            return value
        self.fault((*path, key), f"{key} is no whole number from 0 to {MAX_WINDOW_DAYS}", "Write one")
        return 0

    def freeze(self, data: Mapping[str, Any], path: Path) -> FreezeWindow:
        self.known("the freeze window", data, _FREEZE_FIELDS, path)
        for key in ("from", "until"):
            if data and key not in data:
                self.fault(path, f"the freeze window lacks '{key}'", "Add it")
        window_id = self.window_id(data, f"freeze-{int(path[1]) + 1}", path)
        note, allows = self.text(data, "note", path), self.allows(data, path)
        harmless = FreezeWindow(window_id, (1, 1), (1, 1), note, allows)
        if not {"from", "until"} <= data.keys():
            return harmless
        once_start, once_end = _iso(data["from"]), _iso(data["until"])
        if once_start is not None and once_end is not None:
            if not 0 <= (once_end - once_start).days < MAX_FREEZE_DAYS:
                self.fault(
                    (*path, "until"),
                    f"the freeze window ends before it starts, or is longer than {MAX_FREEZE_DAYS} days",
                    "Write its last day, which is still frozen",
                )
                return harmless
            return FreezeWindow(window_id, once_start, once_end, note, allows)
        if once_start is not None or once_end is not None:
            self.fault(path, "one end is of every year, the other of one", "Write both with the year, or both without")
            return harmless
        start = self.month_day(data["from"], (*path, "from"))
        end = self.month_day(data["until"], (*path, "until"))
        return harmless if start is None or end is None else FreezeWindow(window_id, start, end, note, allows)

    def window_id(self, data: Mapping[str, Any], default: str, path: Path) -> str:
        value = data.get("id", default)
        if isinstance(value, str) and _WINDOW_ID.fullmatch(value):
            return value
        self.fault((*path, "id"), "the window's id is no id", "Write 1 to 32 letters, digits, - and _")
        return default

    def text(self, data: Mapping[str, Any], key: str, path: Path) -> str:
        value = data.get(key, "")
        if isinstance(value, str):
            return value
        self.fault((*path, key), f"{key} is no text", "Write a text")
        return ""

    def allows(self, data: Mapping[str, Any], path: Path) -> frozenset[str]:
        value = data.get("allows", [])
        if isinstance(value, list) and len(value) <= MAX_ALLOWS and all(isinstance(one, str) for one in value):
            return frozenset(value)
        self.fault((*path, "allows"), f"allows is no list of up to {MAX_ALLOWS} ids of changes", "Write [drf_…, drf_…]")
        return frozenset()

    def window_ids_differ(self, calendar: Calendar) -> None:
        ids = [("close_windows", at, window.id) for at, window in enumerate(calendar.close_windows)]
        ids += [("freeze_windows", at, window.id) for at, window in enumerate(calendar.freeze_windows)]
        seen: set[str] = set()
        for key, at, window_id in ids:
            if window_id in seen:
                self.fault((key, at), f"the window id '{window_id}' stands twice", "Give it an id of its own")
            seen.add(window_id)


def _iso(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) != len("2026-12-20"):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
