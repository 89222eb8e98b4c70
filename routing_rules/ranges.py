"""Amount and date cells of a row: half-open ranges with their exact algebra. Source: docs/rules.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from routing_rules.trees import ALL
from routing_rules.witness import Witness

Money = tuple[Decimal | None, str | None]
"""Amount and currency of a document; either may be missing."""

FIRST_DAY: Final = 1
DAY_AFTER_LAST: Final = date.max.toordinal() + 1


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Amounts of one currency from ``lower`` up to, not including, ``upper``; without currency: all amounts.

    Amounts are compared within their currency only, never converted: a rate would make a decision depend on the
    day's market. A document without amount is held only by the cell that matches all.
    """

    currency: str | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def is_all(self) -> bool:
        return self.currency is None

    @property
    def text(self) -> str:
        if self.currency is None:
            return ALL
        if self.lower is None:
            return f"<{plain(self.upper)} {self.currency}"
        if self.upper is None:
            return f">={plain(self.lower)} {self.currency}"
        return f"{plain(self.lower)}..{plain(self.upper)} {self.currency}"

    def matches(self, amount: Decimal | None, currency: str | None) -> bool:
        if self.currency is None:
            return True
        if amount is None or currency != self.currency:
            return False
        return (self.lower is None or amount >= self.lower) and (self.upper is None or amount < self.upper)

    def contains(self, other: AmountRange) -> bool:
        if self.currency is None:
            return True
        if other.currency != self.currency:
            return False
        from_below = self.lower is None or (other.lower is not None and other.lower >= self.lower)
        return from_below and (self.upper is None or (other.upper is not None and other.upper <= self.upper))

    def overlaps(self, other: AmountRange) -> bool:
        if self.currency is None or other.currency is None:
            return True
        if self.currency != other.currency:
            return False
        return _below(self.lower, other.upper) and _below(other.lower, self.upper)

    def intersection(self, other: AmountRange) -> AmountRange | None:
        """The amounts of both; None where there are none."""
        if not self.overlaps(other):
            return None
        if self.currency is None or other.currency is None:
            return other if self.currency is None else self
        lowers = [one for one in (self.lower, other.lower) if one is not None]
        uppers = [one for one in (self.upper, other.upper) if one is not None]
        return AmountRange(self.currency, max(lowers, default=None), min(uppers, default=None))

    def witness(self, without: Iterable[AmountRange] = ()) -> Witness[Money] | None:
        """An amount with its currency that none of the others holds; None if they cover this one.

        Of all amounts the witness is a document without amount: only another cell of all amounts holds that.
        """
        others = tuple(without)
        if self.currency is None:
            return None if any(one.currency is None for one in others) else Witness((None, None))
        # What others leave of a half-open range begins at its lower end or at an upper end of theirs; without a
        # lower end it may also lie below every number that is written anywhere.
        bounds = [one for cell in (self, *others) for one in (cell.lower, cell.upper) if one is not None]
        begins = [min(bounds) - 1 if self.lower is None else self.lower]
        begins += sorted(one.upper for one in others if one.upper is not None)
        return next(
            (
                Witness((amount, self.currency))
                for amount in begins
                if self.matches(amount, self.currency) and not any(one.matches(amount, self.currency) for one in others)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class DateRange:
    """Posting dates from ``start`` up to, not including, ``end``; with neither, all, also a document without one."""

    start: date | None = None
    end: date | None = None

    @property
    def is_all(self) -> bool:
        return self.start is None and self.end is None

    @property
    def text(self) -> str:
        if self.is_all:
            return ALL
        return f"{self.start or ''}..{self.end or ''}"

    def matches(self, value: date | None) -> bool:
        if self.start is None and self.end is None:
            return True
        if value is None:
            return False
        return (self.start is None or value >= self.start) and (self.end is None or value < self.end)

    def contains(self, other: DateRange) -> bool:
        if self.is_all:
            return True
        if other.is_all:
            return False
        (low, high), (other_low, other_high) = self.days, other.days
        return low <= other_low and other_high <= high

    def overlaps(self, other: DateRange) -> bool:
        (low, high), (other_low, other_high) = self.days, other.days
        return low < other_high and other_low < high

    def intersection(self, other: DateRange) -> DateRange | None:
        """The days of both; None where there are none."""
        if not self.overlaps(other):
            return None
        if self.contains(other):
            return other
        if other.contains(self):
            return self
        starts = [one for one in (self.start, other.start) if one is not None]
        ends = [one for one in (self.end, other.end) if one is not None]
        return DateRange(max(starts, default=None), min(ends, default=None))

    def witness(self, without: Iterable[DateRange] = ()) -> Witness[date | None] | None:
        """A day that none of the others holds; None if they cover this one. Of all days: a document without one."""
        others = tuple(without)
        if self.is_all:
            return None if any(one.is_all for one in others) else Witness(None)
        low, high = self.days
        begins = [low, *sorted(one.days[1] for one in others)]
        days = (date.fromordinal(day) for day in begins if low <= day < high)
        return next((Witness(day) for day in days if not any(one.matches(day) for one in others)), None)

    @property
    def days(self) -> tuple[int, int]:
        """As day numbers, the end excluded: the calendar ends, so 'from its first day on' and 'no start' are one."""
        low = FIRST_DAY if self.start is None else self.start.toordinal()
        return low, DAY_AFTER_LAST if self.end is None else self.end.toordinal()


def plain(value: Decimal | None) -> str:
    """A decimal in the one spelling that the versions rest on: no exponent, no trailing zeros."""
    if value is None:
        return ""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _below(lower: Decimal | None, upper: Decimal | None) -> bool:
    return lower is None or upper is None or lower < upper
