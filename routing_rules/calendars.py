"""The calendars of a rulebook, typed, and which one a company code keeps."""

from __future__ import annotations

from collections.abc import Mapping

from routing_rules.calendar import Calendar
from routing_rules.calendar_reader import read_calendar
from routing_rules.rulebook import Governance


def calendars_of(governance: Governance) -> Mapping[str, Calendar]:
    """By id. The data were checked when the rulebook was loaded."""
    return {calendar.id: calendar for calendar, _ in map(read_calendar, governance.calendars)}


def calendar_of(governance: Governance, company_code: str) -> Calendar | None:
    """The calendar that the company code keeps; None if the rulebook gives it none or does not know it."""
    known = governance.company_codes.get(company_code)
    if known is None or known.calendar is None:
        return None
    for data in governance.calendars:
        if data["id"] == known.calendar:
            return read_calendar(data)[0]
    return None
