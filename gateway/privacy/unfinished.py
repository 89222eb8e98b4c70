"""Going on with approved erasures: what of them must be kept for now holds up neither the rest nor other erasures."""

from __future__ import annotations

from typing import Final

from gateway.domain.privacy import RETENTION_ACTOR
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.requests import AT_ONCE, START, Place, carry_on
from gateway.store.store import Store

MOST: Final = 10_000
"""Transactions of one turn; the next turn goes on where it stopped."""
PAGE: Final = 100
"""Erasures of one read."""


class Unfinished:
    """Goes round the erasures that are approved and not finished, `at_once` transactions of each in turn.

    Where it stopped is in memory: another leader begins at the oldest again. `store`: whose writes are fenced.
    """

    def __init__(self, parts: PrivacyParts, store: Store, most: int = MOST, at_once: int = AT_ONCE) -> None:
        self._parts = parts
        self._store = store
        self._most = most
        self._at_once = at_once
        self._after = ""
        self._places: dict[str, Place] = {}

    async def turn(self) -> int:
        """Once: how many transactions were erased. Each erasure comes to its end once at most.

        Raises StoreUnavailable, LeadLost.
        """
        erased, seen, ended, goes_on = 0, 0, set[str](), False
        while seen < self._most:
            page = await self._store.reads.unfinished_erasures(self._after, PAGE)
            for record in page:
                if seen >= self._most:
                    return erased
                self._after = erasure_id = record.erasure_id
                if erasure_id in ended:
                    continue
                most = min(self._at_once, self._most - seen)
                place = self._places.get(erasure_id, START)
                came = await carry_on(self._parts, self._store, record, RETENTION_ACTOR, place, most)
                erased, seen = erased + came.erased, seen + max(came.seen, 1)
                if came.next is None:
                    ended.add(erasure_id)
                    self._places.pop(erasure_id, None)
                else:
                    goes_on = True
                    self._places[erasure_id] = came.next
            if len(page) < PAGE:
                # round; once more, if something is left that this turn may look at
                self._after = ""
                if not goes_on:
                    break
                goes_on = False
        return erased
