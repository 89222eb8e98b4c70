"""The leader task `retention`: goes on with approved erasures, and erases what has been kept for long enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

from gateway.domain.privacy import RETENTION_ACTOR, Erasable, due_after
from gateway.errors import StoreUnavailable
from gateway.privacy.erase import Erased, erase_one, judge, today
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.requests import carry_on
from gateway.privacy.retention import rule_for
from gateway.store.errors import LeadLost
from gateway.store.store import Store

PAGE: Final = 200
PAGES: Final = 50
"""Of one turn; the next turn goes on where it stopped."""
MOST_ERASURES: Final = 100
_DAY: Final = 86_400_000_000

_log = structlog.get_logger(__name__)


class Retention:
    """`led`: the record, whose writes count only while this process leads. `every_s`: how often it looks."""

    def __init__(self, parts: PrivacyParts, led: Store, every_s: float) -> None:
        self._parts = parts
        self._store = led
        self._every_s = every_s
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
        """Once: `erased`, and by reason what had to stay. Raises StoreUnavailable, LeadLost."""
        found: Counter[str] = Counter()
        for record in await self._store.reads.unfinished_erasures(MOST_ERASURES):
            came = await carry_on(self._parts, self._store, record, RETENTION_ACTOR)
            found["erased"] += came.erased
        found.update(await self._due(dry=False))
        if found["erased"]:
            _log.info("erased", transactions=found["erased"])
            self._parts.events_left()
        return dict(found)

    async def dry_run(self) -> Mapping[str, int]:
        """What a turn would find due from the begin on: `erased`, and by reason what would stay. Nothing is written."""
        kept, self._after = self._after, ""
        try:
            return await self._due(dry=True)
        finally:
            self._after = kept

    async def _due(self, *, dry: bool) -> Mapping[str, int]:
        found: Counter[str] = Counter()
        shortest = min(
            (max(one.erase_after_days, one.keep_days) for one in self._parts.rules if one.erase_after_days is not None),
            default=None,
        )
        if shortest is None:
            return found
        # by acceptance, which is never long before the posting date that counts
        before = self._parts.tools.clock.now() - max(0, shortest) * _DAY // 2
        for _ in range(PAGES):
            page = await self._store.reads.erasable_before(before, self._after, PAGE)
            for one in page:
                if self._is_due(one):
                    found[await self._erase(one, dry=dry)] += 1
            self._after = page[-1].transaction_id if len(page) == PAGE else ""
            if not self._after:
                break
        return found

    def _is_due(self, one: Erasable) -> bool:
        last = due_after(rule_for(self._parts.rules, self._parts.rulebook().geographies, one), one)
        return last is not None and last.isoformat() < today(self._parts)

    async def _erase(self, one: Erasable, *, dry: bool) -> str:
        if dry:
            kept = await self._parts.store.write(lambda unit: judge(unit, self._parts, one))
            return "erased" if kept is None else kept.kept_for.value
        done = await self._store.write(
            lambda unit: erase_one(unit, self._parts, one, RETENTION_ACTOR, {"cause": RETENTION_ACTOR})
        )
        return "erased" if isinstance(done, Erased) else done.kept_for.value
