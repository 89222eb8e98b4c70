"""Fiscal calendars: periods, windows, and what is said of a wrong one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_rules import calendar_of, calendars_of
from routing_rules.calendar import Calendar, CloseWindow, FreezeWindow, PeriodKind, PeriodUnknown
from routing_rules.calendar_reader import read_calendar
from tests.rules.small_rulebook import GOOD, YAML, complaints, parse

MONTHS = Calendar(id="year")
APRIL = Calendar(id="april", year_starts=(4, 6))
QUARTERS = Calendar(id="quarters", year_starts=(10, 1), period_kind="quarter")
WEEKS = Calendar(id="weeks", period_kind="4-4-5")
ALL = [MONTHS, APRIL, QUARTERS, WEEKS, Calendar(id="retail", year_starts=(2, 1), period_kind="4-4-5", week_starts=6)]


@pytest.mark.parametrize(
    ("calendar", "day", "period", "start", "end"),
    [
        (MONTHS, "2026-11-27", "2026-11", "2026-11-01", "2026-12-01"),
        (MONTHS, "2024-02-29", "2024-02", "2024-02-01", "2024-03-01"),
        (APRIL, "2026-04-05", "2025-12", "2026-03-06", "2026-04-06"),
        (APRIL, "2026-04-06", "2026-01", "2026-04-06", "2026-05-06"),
        (QUARTERS, "2026-10-01", "2026-01", "2026-10-01", "2027-01-01"),
        (QUARTERS, "2026-09-30", "2025-04", "2026-07-01", "2026-10-01"),
        # ISO 8601 weeks: 2026 starts on Monday 29 December 2025 and has 53 weeks
        (WEEKS, "2025-12-29", "2026-01", "2025-12-29", "2026-01-26"),
        (WEEKS, "2025-12-28", "2025-12", "2025-11-24", "2025-12-29"),
        (WEEKS, "2027-01-03", "2026-12", "2026-11-23", "2027-01-04"),
    ],
)
def test_a_date_lies_in_one_period(calendar: Calendar, day: str, period: str, start: str, end: str) -> None:
    found = calendar.period_of(date.fromisoformat(day))
    assert (found.id, found.start.isoformat(), found.end.isoformat()) == (period, start, end)
    assert calendar.period_named(period) == found


@pytest.mark.parametrize("calendar", ALL, ids=lambda one: one.id)
@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_periods_follow_each_other_without_a_gap(calendar: Calendar, day: date) -> None:
    period = calendar.period_of(day)
    assert period.start <= day < period.end
    assert calendar.period_named(period.id) == period
    assert calendar.period_of(period.end).start == period.end
    assert period.id < calendar.period_of(period.end).id
    assert timedelta(days=28) <= period.end - period.start <= timedelta(days=92)


@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_a_year_of_weeks_from_january_on_is_the_iso_year(day: date) -> None:
    assert WEEKS.period_of(day).id[:4] == str(day.isocalendar().year)


@pytest.mark.parametrize("period", ["2026-13", "2026-00", "2026-1", "0000-01", "9999-01", "x", "2026-01\n", "２026-01"])
def test_what_is_no_period_is_said_so(period: str) -> None:
    with pytest.raises(PeriodUnknown, match="is no period of the calendar 'year'"):
        MONTHS.period_named(period)


def test_the_ends_of_time_lie_in_no_period() -> None:
    for day in (date.min, date.max):
        with pytest.raises(PeriodUnknown):
            MONTHS.period_of(day)


WINDOWS = Calendar(
    id="c",
    close_windows=(CloseWindow("close-1", 1, 3, "month-end close"),),
    freeze_windows=(FreezeWindow("turn", (12, 20), (1, 6), allows=frozenset({"drf_1"})),),
)


@pytest.mark.parametrize(
    ("day", "ids"),
    [
        ("2026-11-29", []),
        ("2026-11-30", ["c.close-1.2026-11"]),
        ("2026-12-03", ["c.close-1.2026-11"]),
        ("2026-12-04", []),
        ("2026-12-19", []),
        ("2026-12-20", ["c.turn.2026-12-20"]),
        ("2026-12-31", ["c.close-1.2026-12", "c.turn.2026-12-20"]),
        ("2027-01-03", ["c.close-1.2026-12", "c.turn.2026-12-20"]),
        ("2027-01-06", ["c.turn.2026-12-20"]),
        ("2027-01-07", []),
    ],
)
def test_windows_cover_their_days_also_over_the_turn_of_the_year(day: str, ids: list[str]) -> None:
    assert [window.id for window in WINDOWS.windows_at(date.fromisoformat(day))] == ids


def test_a_window_says_when_it_ends_and_what_it_allows() -> None:
    (window,) = WINDOWS.windows_at(datetime(2027, 1, 6, 23, 59, tzinfo=UTC))
    assert (window.kind, window.start, window.end) == ("freeze", date(2026, 12, 20), date(2027, 1, 7))
    assert window.allows == {"drf_1"}


def test_a_window_of_one_year_covers_that_one() -> None:
    once = Calendar(id="c", freeze_windows=(FreezeWindow("audit", date(2026, 5, 1), date(2026, 5, 1)),))
    assert once.windows_at(date(2026, 5, 1))
    assert not once.windows_at(date(2026, 5, 2))
    assert not once.windows_at(date(2027, 5, 1))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("fiscal_year_starts: ¶13-01", "'13-01' is no day of the year"),
        ("fiscal_year_starts: ¶02-29", "not every year has a 29 February"),
        ("fiscal_year_starts: ¶01-31", "not every month has a day 31"),
        ("period: ¶fortnight", "'fortnight' is no kind of period"),
        ("week_starts: ¶monday", "only a calendar of weeks has 'week_starts'"),
        ("period: 4-4-5, week_starts: ¶someday", "'someday' is no weekday"),
        ("holidays: ¶[]", "the calendar has no 'holidays'"),
        ("close_windows: ¶7", "close_windows is no list"),
        ("close_windows: [¶7]", "the window is no mapping"),
        ("close_windows: [¶{note: x}]", "the close window covers no day"),
        ("close_windows: [{days_before_period_end: ¶28}]", "is no whole number from 0 to 27"),
        ("freeze_windows: [¶{from: 12-20}]", "the freeze window lacks 'until'"),
        ("freeze_windows: [{from: 12-20, until: ¶soon}]", "'soon' is no day of the year"),
        ("freeze_windows: [¶{from: 2026-12-20, until: 01-06}]", "one end is of every year"),
        ("freeze_windows: [{from: 2026-12-20, until: ¶2026-12-19}]", "ends before it starts"),
        ("freeze_windows: [{from: 12-20, until: 01-06, id: ¶a.b}]", "the window's id is no id"),
        ("freeze_windows: [{from: 12-20, until: 01-06, allows: ¶x}]", "allows is no list"),
        ("freeze_windows: [{id: w, from: 12-20, until: 01-06}, ¶{id: w, from: 05-01, until: 05-01}]", "stands twice"),
    ],
)
def test_a_wrong_calendar_is_complained_about_at_its_place(written: str, told: str) -> None:
    line = f"calendars: [{{id: year, {written}}}]"
    found = complaints(GOOD, yaml=YAML + line.replace("¶", ""))
    place = f"rulebook.yaml:{len(YAML.splitlines()) + 1}:{line.index('¶') + 1}: "
    assert [one for one in found if one.startswith(place) and told in one]


def test_a_company_code_keeps_its_calendar() -> None:
    calendars = "calendars: [{id: w, period: 4-4-5, week_starts: sunday, fiscal_year_starts: 02-01}]"
    yaml = YAML.replace("[{id: C1}]", "[{id: C1, calendar: w}, {id: C2}]") + calendars
    governance = parse(GOOD, yaml=yaml).governance
    calendar = calendar_of(governance, "C1")
    assert calendar == calendars_of(governance)["w"]
    assert calendar is not None
    assert calendar.period_of(date(2026, 2, 1)).id == "2026-01"
    assert calendar_of(governance, "C2") is None
    assert calendar_of(governance, "C3") is None


@pytest.mark.parametrize("kind", ["month", "quarter", "4-4-5"])
def test_read_from_data_without_faults(kind: PeriodKind) -> None:
    calendar, faults = read_calendar({"id": "c", "period": kind})
    assert (calendar.period_kind, faults) == (kind, ())
