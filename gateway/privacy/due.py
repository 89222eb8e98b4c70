"""The leader task `retention`: goes on with approved erasures, and erases what has been kept for long enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

from gateway.domain.privacy import RETENTION_ACTOR, Erasable, KeptBack, due_after
from gateway.errors import StoreUnavailable
from gateway.privacy.erase import ERASED, Erased, erase_one, judge, today
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.retention import rule_for
from gateway.privacy.told import lost_of, refuse_lost
from gateway.privacy.unfinished import Unfinished
from gateway.store.errors import LeadLost
from gateway.store.store import Store

PAGE: Final = 200
PAGES: Final = 50
"""Of one turn; the next turn goes on where it stopped."""
DRY_PAGES: Final = 5

_log = structlog.get_logger(__name__)


class Retention:
    """`led`: the record, whose writes count only while this process leads. `every_s`: how often it looks."""

    def __init__(self, parts: PrivacyParts, led: Store, every_s: float) -> None:
        self._parts = parts
        self._store = led
        self._every_s = every_s
        self._unfinished = Unfinished(parts, led)
        self._after = ""

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for. Raises LeadLost."""
        while True:
            try:
                await self.turn()
            except LeadLost:
                raise
            except StoreUnavailable as error:
                _log.warning("retention_waits", error=str(error))
            await self._parts.tools.clock.sleep(self._every_s)

    async def turn(self) -> Mapping[str, int]:
        """Once: how many transactions were `erased`, and by reason how many are due and had to stay.

        Raises StoreUnavailable, LeadLost.
        """
        parts, found = self._parts, Counter[str]()
        found[ERASED] += await self._unfinished.turn()
        after, lost = self._after, set[str]()
        for _ in range(PAGES if _erases_unasked(parts) else 0):
            page = await self._store.reads.erasable_after(after, PAGE)
            for one in page:
                if is_due(parts, one):
                    done = await self._erase(one)
                    found[_word(done)] += 1
                    lost |= lost_of(done)
            after = page[-1].transaction_id if len(page) == PAGE else ""
            if not after:
                break
        self._after = after
        refuse_lost(lost, cause=RETENTION_ACTOR)
        if found[ERASED]:
            _log.info("erased", transactions=found[ERASED])
            parts.events_left()
        return {why: count for why, count in found.items() if count}

    async def _erase(self, one: Erasable) -> Erased | KeptBack:
        return await self._store.write(
            lambda unit: erase_one(unit, self._parts, one, RETENTION_ACTOR, {"cause": RETENTION_ACTOR})
        )


def _word(done: Erased | KeptBack) -> str:
    return ERASED if isinstance(done, Erased) else done.kept_for.value


async def dry_run(parts: PrivacyParts) -> tuple[Mapping[str, int], bool]:
    """What a turn would do with the oldest transactions, as `Retention.turn` says it; and whether there are more than
    were looked at. Nothing is written."""
    found, after = Counter[str](), ""
    for _ in range(DRY_PAGES if _erases_unasked(parts) else 0):
        page = await parts.store.reads.erasable_after(after, PAGE)
        for one in page:
            if is_due(parts, one):
                found[await _judged(parts, one)] += 1
        if len(page) < PAGE:
            return dict(found), False
        after = page[-1].transaction_id
    return dict(found), bool(after)


def is_due(parts: PrivacyParts, one: Erasable) -> bool:
    """Whether it has been there for as long as it may be unasked."""
    last = due_after(rule_for(parts.rules, parts.rulebook().geographies, one), one)
    return last is not None and last.isoformat() < today(parts)


async def _judged(parts: PrivacyParts, one: Erasable) -> str:
    kept = await parts.store.write(lambda unit: judge(unit, parts, one))
    return ERASED if kept is None else kept.kept_for.value


def _erases_unasked(parts: PrivacyParts) -> bool:
    return any(rule.erase_after_days is not None for rule in parts.rules)
