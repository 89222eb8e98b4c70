"""The atoms of the two columns of ranges: amounts by currency, and posting dates. See atoms.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import chain, product
from string import ascii_uppercase
from typing import Any, Final

from routing_rules.atoms import Atom, merged
from routing_rules.dimensions import AmountRange, DateRange, Money
from routing_rules.extents import Amounts, Days, Interval
from routing_rules.ranges import DAY_AFTER_LAST, FIRST_DAY

_FAMILIAR_CURRENCIES: Final = ("EUR", "USD", "GBP", "JPY", "CHF")
_ANY_AMOUNT: Final = Decimal(100)


class AmountColumn:
    """Amounts with their currency. 'Any other currency' is one atom, and a document without amount is in it."""

    name = "amount"
    default: Money = (None, None)

    def is_universal(self, cell: AmountRange) -> bool:
        return cell.currency is None

    def split(self, cells: Sequence[AmountRange]) -> Iterator[Atom]:
        everywhere = [number for number, cell in enumerate(cells) if cell.currency is None]
        by_currency: dict[str, list[int]] = {}
        for number, cell in enumerate(cells):
            if cell.currency is not None:
                by_currency.setdefault(cell.currency, []).append(number)
        rest: dict[str, list[Interval]] = {currency: [] for currency in by_currency}
        for currency, numbers in sorted(by_currency.items()):
            ends = [(cells[number].lower, cells[number].upper, number) for number in numbers]
            for (low, high), held in _stretches(ends, None, None):
                if held:
                    extent = partial(Amounts, ((currency, ((low, high),)),))
                    yield Atom((_amount_in((low, high)), currency), merged(held, everywhere), extent)
                else:
                    rest[currency].append((low, high))
        names = ("".join(letters) for letters in product(ascii_uppercase, repeat=3))
        other = next((one for one in chain(_FAMILIAR_CURRENCIES, names) if one not in by_currency), None)
        fact = (None, None) if other is None else (_ANY_AMOUNT, other)
        yield Atom(fact, tuple(everywhere), partial(Amounts.of, rest, rest=True))

    def effort(self, cells: Sequence[AmountRange]) -> int:
        return len(cells)


def _amount_in(interval: Interval) -> Decimal:
    low, high = interval
    if low is not None:
        return low
    if high is None:
        return Decimal(0)
    return Decimal(0) if high > 0 else high - 1


class DateColumn:
    """Posting dates, and the document without one."""

    name = "valid"
    default = None

    def is_universal(self, cell: DateRange) -> bool:
        return cell.is_all

    def split(self, cells: Sequence[DateRange]) -> Iterator[Atom]:
        everywhere = [number for number, cell in enumerate(cells) if cell.is_all]
        ends = [(*cell.days, number) for number, cell in enumerate(cells) if not cell.is_all]
        outside: list[tuple[int, int]] = []
        for days, held in _stretches(ends, FIRST_DAY, DAY_AFTER_LAST):
            if held:
                yield Atom(_day_in(days), merged(held, everywhere), partial(Days, (days,), False))
            else:
                outside.append(days)
        # No range holds the days outside, and none the absent date: one atom, shown by a day where there is one.
        fact = _day_in(outside[0]) if outside else None
        yield Atom(fact, tuple(everywhere), partial(Days, tuple(outside), True))

    def effort(self, cells: Sequence[DateRange]) -> int:
        return len(cells)


def _day_in(days: tuple[int, int]) -> date:
    low, high = days
    return date.fromordinal(high - 1 if low == FIRST_DAY else low)


def _stretches(
    ranges: Sequence[tuple[Any, Any, int]], first: Any, last: Any
) -> Iterator[tuple[tuple[Any, Any], list[int]]]:
    """The stretches between all ends of half-open ranges, in order, each with the numbers of the ranges over it.

    ``first`` and ``last`` are the ends of everything; ``None`` is open. Ends are of one kind, decimals or day numbers.
    """
    begins: dict[Any, list[int]] = {}
    stops: dict[Any, list[int]] = {}
    over = set[int]()
    for low, high, number in ranges:
        if low is None or low == first:
            over.add(number)
        else:
            begins.setdefault(low, []).append(number)
        if high is not None and high != last:
            stops.setdefault(high, []).append(number)
    low_end = first
    for end in sorted({*begins, *stops}):
        yield (low_end, end), sorted(over)
        over.difference_update(stops.get(end, ()))
        over.update(begins.get(end, ()))
        low_end = end
    yield (low_end, last), sorted(over)
