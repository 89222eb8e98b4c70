"""Which reversals of an accounting document count, where an ERP knows a reversal by its text alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

MirrorsOf = Callable[[str], Awaitable[Sequence[str]]]
"""The numbers of all documents that say that they mirror the document of this number, whether or not they stand."""

_MOST: Final = 20
"""Documents that are asked about. What lies behind them counts as standing, so that nothing is reversed twice."""


async def standing(number: str, mirrors_of: MirrorsOf) -> tuple[str, ...]:
    """The mirrors of the document that stand themselves: those without a mirror that stands. A reversed reversal
    reverses nothing, until its own reversal is reversed."""
    known: dict[str, Sequence[str]] = {}
    waiting = [number]
    while waiting and len(known) < _MOST:
        one = waiting.pop(0)
        if one not in known:
            known[one] = await mirrors_of(one)
            waiting += known[one]
    return _standing(number, known, frozenset({number}))


def _standing(number: str, known: Mapping[str, Sequence[str]], above: frozenset[str]) -> tuple[str, ...]:
    # anybody may write a text that names the document itself, or one that it reverses
    return tuple(one for one in known.get(number, ()) if one in above or not _standing(one, known, above | {one}))
