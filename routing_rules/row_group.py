"""The rows that hold the same business unit and geography, compiled for what else they ask.

Rows are bits. For each further column a value gives the bits of the rows that hold it, so the rows that match are one
AND per column that some row restricts; amounts and dates are found between the bounds of all rows by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from routing_rules.dimensions import AmountRange, Choice, DateRange
from routing_rules.facts import Facts
from routing_rules.inclusion import Inclusion
from routing_rules.model import Row
from routing_rules.resolution import Resolution

MAX_RESOLUTIONS: Final = 65_536
"""Sets of matching rows kept per group, some 200 bytes each."""

_READ: Final[dict[str, Callable[[Facts], str | None]]] = {
    "operation": lambda facts: facts.operation,
    "company_code": lambda facts: facts.company_code,
    "document_type": lambda facts: facts.document_type,
    "customer_segment": lambda facts: facts.customer_segment,
}


class RowGroup:
    """Some rows of a table. ``only``: what they come to where none of them asks for anything else."""

    __slots__ = ("_all", "_amounts", "_days", "_inclusion", "_names", "_numbers", "_resolutions", "_rows", "only")

    def __init__(self, rows: tuple[Row, ...], numbers: tuple[int, ...], inclusion: Inclusion) -> None:
        self._rows = rows
        self._numbers = numbers
        self._inclusion = inclusion
        self.only: Resolution | None = None
        held = [rows[number] for number in numbers]
        names = [
            (read, _Names([getattr(row, column) for row in held]))
            for column, read in _READ.items()
            if any(not getattr(row, column).is_all for row in held)
        ]
        self._names = tuple((read, found.by_name, found.rest) for read, found in names)
        self._amounts = None if all(row.amount.is_all for row in held) else _Amounts([row.amount for row in held])
        self._days = None if all(row.valid.is_all for row in held) else _Days([row.valid for row in held])
        self._all = (1 << len(held)) - 1
        self._resolutions: dict[int, Resolution] = {}
        if not self._names and self._amounts is None and self._days is None:
            self.only = Resolution.of(rows, numbers, inclusion)

    def resolve(self, facts: Facts) -> Resolution:
        """The rows that match, and which of them decide."""
        bits = self._all
        for read, by_name, rest in self._names:
            value = read(facts)
            bits &= rest if value is None else by_name.get(value, rest)
        if self._amounts is not None:
            bits &= self._amounts.holding(facts.amount, facts.currency)
        if self._days is not None:
            bits &= self._days.holding(facts.posting_date)
        known = self._resolutions.get(bits)
        if known is None:
            matched = tuple(self._numbers[bit] for bit in set_bits(bits))
            known = Resolution.of(self._rows, matched, self._inclusion)
            if len(self._resolutions) >= MAX_RESOLUTIONS:
                self._resolutions.clear()
            self._resolutions[bits] = known
        return known


def set_bits(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


class _Names:
    """Bits of rows by name; a name that no row lists, and the absent one, gets the rows that hold all."""

    def __init__(self, cells: Sequence[Choice]) -> None:
        self.rest = sum(1 << bit for bit, cell in enumerate(cells) if cell.values is None)
        self.by_name: dict[str, int] = {}
        for bit, cell in enumerate(cells):
            for name in cell.values or ():
                self.by_name[name] = self.by_name.get(name, self.rest) | 1 << bit


class _Amounts:
    """Bits of rows between all bounds of a currency; another currency gets the rows that hold all amounts."""

    __slots__ = ("_by_currency", "_rest")

    def __init__(self, cells: Sequence[AmountRange]) -> None:
        self._rest = sum(1 << bit for bit, cell in enumerate(cells) if cell.currency is None)
        self._by_currency: dict[str, tuple[list[Decimal], list[int]]] = {}
        for currency in {cell.currency for cell in cells if cell.currency is not None}:
            own = [(bit, cell) for bit, cell in enumerate(cells) if cell.currency == currency]
            bounds = sorted({bound for _, cell in own for bound in (cell.lower, cell.upper) if bound is not None})
            bits = [self._rest] * (len(bounds) + 1)
            for bit, cell in own:
                first = 0 if cell.lower is None else bisect_right(bounds, cell.lower)
                last = len(bits) if cell.upper is None else bisect_right(bounds, cell.upper)
                for at in range(first, last):
                    bits[at] |= 1 << bit
            self._by_currency[currency] = (bounds, bits)

    def holding(self, amount: Decimal | None, currency: str | None) -> int:
        found = None if amount is None or currency is None else self._by_currency.get(currency)
        if found is None or amount is None:
            return self._rest
        bounds, bits = found
        return bits[bisect_right(bounds, amount)]


class _Days:
    """Bits of rows between all bounds; a document without posting date gets the rows that hold all."""

    __slots__ = ("_bits", "_bounds", "_rest")

    def __init__(self, cells: Sequence[DateRange]) -> None:
        self._rest = sum(1 << bit for bit, cell in enumerate(cells) if cell.is_all)
        limited = [(bit, *cell.days) for bit, cell in enumerate(cells) if not cell.is_all]
        self._bounds = sorted({end for _, *ends in limited for end in ends})
        self._bits = [self._rest] * (len(self._bounds) + 1)
        for bit, start, end in limited:
            for at in range(bisect_right(self._bounds, start), bisect_right(self._bounds, end)):
                self._bits[at] |= 1 << bit

    def holding(self, day: date | None) -> int:
        return self._rest if day is None else self._bits[bisect_right(self._bounds, day.toordinal())]
