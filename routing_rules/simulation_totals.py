"""Running totals of a simulation: documents and money under keys, customers on both sides, calls a minute."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Context, Decimal, Inexact
from typing import Any, Final

from routing_rules.model import Side, System
from routing_rules.simulation_result import OpenInBoth, Peak, Total, Unmatched

EXAMPLES: Final = 20
"""Transactions that are named of those that no row matches."""

_ZERO: Final = Decimal(0)
# Sums of a year's documents have more digits than the default keeps; a sum that does not fit is an error, not a guess.
_EXACT: Final = Context(prec=60, traps=[Inexact])


class Sums:
    """Documents and money by key. Adding raises decimal.Inexact beyond 60 digits."""

    def __init__(self) -> None:
        self._found: dict[Any, list[Any]] = {}

    def add(self, key: Any, amount: Decimal | None) -> None:
        known = self._found.get(key)
        if known is None:
            self._found[key] = [1, _ZERO if amount is None else amount]
            return
        known[0] += 1
        if amount is not None:
            known[1] = _EXACT.add(known[1], amount)

    def add_all(self, key: Any, documents: int, amount: Decimal) -> None:
        known = self._found.setdefault(key, [0, _ZERO])
        known[0] += documents
        known[1] = _EXACT.add(known[1], amount)

    def items(self) -> Iterable[tuple[Any, int, Decimal]]:
        """Key, documents, amount, in the order of the keys."""
        for key in sorted(self._found):
            documents, amount = self._found[key]
            yield key, documents, amount

    def totals(self) -> tuple[Total, ...]:
        """For keys of (name, currency)."""
        return tuple(
            Total(name=name, currency=currency, documents=documents, amount=amount)
            for (name, currency), documents, amount in self.items()
        )


class UnmatchedDocuments:
    """What a version gives no system, by kind and currency."""

    def __init__(self) -> None:
        self._sums = Sums()
        self._transactions: dict[str, list[str]] = {}

    def add(self, kind: str, currency: str, amount: Decimal | None, transaction_id: str) -> None:
        self._sums.add((kind, currency), amount)
        named = self._transactions.setdefault(kind, [])
        if len(named) < EXAMPLES:
            named.append(transaction_id)

    def found(self) -> tuple[Unmatched, ...]:
        return tuple(
            Unmatched(
                kind=kind,
                currency=currency,
                documents=documents,
                amount=amount,
                transactions=tuple(self._transactions[kind]),
            )
            for (kind, currency), documents, amount in self._sums.items()
        )


class OpenLineages:
    """What customers have open on each side under one version."""

    def __init__(self) -> None:
        self._open: dict[str, dict[Side, Sums]] = {}

    def add(self, customer: str, side: Side, currency: str, amount: Decimal) -> None:
        sides = self._open.get(customer)
        if sides is None:
            sides = self._open[customer] = {}
        sums = sides.get(side)
        if sums is None:
            sums = sides[side] = Sums()
        sums.add(("open", currency), amount)

    def found(self) -> OpenInBoth:
        both = [sides for sides in self._open.values() if len(sides) == len(Side)]
        totals = {side: Sums() for side in Side}
        for sides in both:
            for side, sums in sides.items():
                for key, lineages, amount in sums.items():
                    totals[side].add_all(key, lineages, amount)
        return OpenInBoth(customers=len(both), legacy=totals[Side.LEGACY].totals(), cloud=totals[Side.CLOUD].totals())


Calls = dict[tuple[str, int], int]
"""By system and minute."""


def peaks(systems: Iterable[System], in_force: Calls, candidate: Calls) -> tuple[Peak, ...]:
    """The busiest minute of each system, the earliest of several."""
    busiest = [_busiest(calls) for calls in (in_force, candidate)]
    found: list[Peak] = []
    for system in sorted(systems, key=lambda one: one.id):
        (before, at), (after, then) = (one.get(system.id, (0, None)) for one in busiest)
        found.append(
            Peak(
                system_id=system.id,
                budget=system.budget.calls_per_minute,
                in_force_calls=before,
                in_force_minute=at,
                candidate_calls=after,
                candidate_minute=then,
            )
        )
    return tuple(found)


def _busiest(calls: Calls) -> dict[str, tuple[int, int | None]]:
    found: dict[str, tuple[int, int | None]] = {}
    for (system_id, minute), number in sorted(calls.items()):
        if number > found.get(system_id, (0, None))[0]:
            found[system_id] = (number, minute)
    return found


class Largest:
    """The largest documents of each currency; of equal ones those that came first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heaps: dict[str, list[tuple[Decimal, int, Any]]] = {}
        self._count = 0

    def add(self, currency: str, amount: Decimal, what: Any) -> None:
        heap = self._heaps.setdefault(currency, [])
        self._count += 1
        if len(heap) < self._most:
            heapq.heappush(heap, (amount, -self._count, what))
        elif amount > heap[0][0]:
            heapq.heapreplace(heap, (amount, -self._count, what))

    def found(self) -> Iterable[tuple[str, Decimal, Any]]:
        """Currency, amount and what was added, the largest first."""
        for currency, heap in sorted(self._heaps.items()):
            for amount, _, what in sorted(heap, key=lambda one: (-one[0], -one[1])):
                yield currency, amount, what
