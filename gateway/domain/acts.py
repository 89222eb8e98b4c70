"""Acts: what people and monitors lay over the rules between two activations, and that must bite at once.

The value that a unit decides by: the overlays that are set and the periods that are closed, as of one acts number.
Source: docs/rules.md, 'Overlays' and 'Periods'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveOverlay:
    """An overlay that is set and not lifted.

    `overlay_id`: `ovl_…`. `overlay`: `hold`, `freeze` or `paused`. It covers the facts of `domain` at or below both
    nodes. `expected_until` (µs since 1970 UTC): when people expect to lift it; nothing lifts itself.
    """

    overlay_id: str
    overlay: str
    domain: str
    business_unit: str
    geography: str
    expected_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodStanding:
    """A fiscal period of a company code that was acted on. `starts`: its first day, `ends`: the first day after it
    (ISO dates), as the calendar said when it was acted on. `tied_out`: its control totals were found to agree."""

    company_code: str
    period: str
    starts: str
    ends: str
    closed: bool
    tied_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Acts:
    """All acts that bite."""

    overlays: tuple[ActiveOverlay, ...] = field(default=())
    periods: tuple[PeriodStanding, ...] = field(default=())

    def closed_period(self, company_code: str | None, posting_date: str | None) -> PeriodStanding | None:
        """The closed period of the company code in which the ISO date lies."""
        return next((one for one in self._periods(company_code, posting_date) if one.closed), None)

    def first_open_day(self, company_code: str | None, posting_date: str) -> str:
        """That ISO date, or the first day after it that lies in no closed period of the company code."""
        day = posting_date
        while (closed := self.closed_period(company_code, day)) is not None:
            day = closed.ends
        return day

    def tied_out_period(self, company_code: str | None, posting_date: str | None) -> PeriodStanding | None:
        """The same for a period that is tied out."""
        return next((one for one in self._periods(company_code, posting_date) if one.tied_out), None)

    def _periods(self, company_code: str | None, posting_date: str | None) -> Sequence[PeriodStanding]:
        if company_code is None or posting_date is None:
            return ()
        return [one for one in self._by_code.get(company_code, ()) if one.starts <= posting_date < one.ends]

    @cached_property
    def _by_code(self) -> Mapping[str, Sequence[PeriodStanding]]:
        found: dict[str, list[PeriodStanding]] = {}
        for one in self.periods:
            found.setdefault(one.company_code, []).append(one)
        return found


NO_ACTS: Final = Acts()
