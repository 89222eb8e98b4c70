"""Second looks: was a document that was sent again posted once?

A further attempt is sent when inquiries found nothing and the system's longest execution was over. If that setting is
not true of the system, the first attempt may be executed after all, and the document stands there twice. The gateway
cannot take that back by itself, but it must not stay unseen: so references that were sent again are inquired once more,
one, ten and a hundred longest executions later. Nothing is sent, and no status changes: the trace gets an entry, the
sweep shows it, and the alert ErpFoundTwice fires. What somebody has undone there does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.domain.entries import EntryKind
from gateway.domain.records import StepRecord
from gateway.domain.sweeps import SentAgain
from gateway.errors import Problem
from gateway.transactions.dispatch import step_members
from gateway.transactions.found import still_standing
from gateway.transactions.journal import Journal
from gateway.transactions.parts import SECOND, LineParts
from gateway.transactions.ports import WriteUnit
from gateway.transactions.posting import posting_of
from gateway.transactions.resolve import inquire
from gateway.transactions.work import ACTOR

T = TypeVar("T")

LOOKS: Final = (1, 10, 100)
"""Longest executions after the last attempt was sent."""
MOST: Final = 20
"""Inquiries of one round."""
LOOK_BACK_S: Final = 86_400.0
"""A process that begins to look goes back so far: what another looked at is looked at again."""

_log = structlog.get_logger(__name__)


class SecondLookStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[WriteUnit], Coroutine[Any, Any, T]]) -> T: ...


class SecondLookReads(Protocol):
    """What was sent again."""

    async def sent_again(self, system_id: str, after: int, until: int, most: int) -> Sequence[SentAgain]:
        """Posted steps of more than one attempt, whose last was sent after one instant until another (µs); oldest
        first."""
        ...


class SecondLooks:
    """Looks by and by; what it found stays known as long as this process looks. `parts`: as of the rules in force."""

    def __init__(self, store: SecondLookStore, reads: SecondLookReads, parts: Callable[[], LineParts]) -> None:
        self._store = store
        self._reads = reads
        self._parts = parts
        self._looked: dict[tuple[str, int], int] = {}
        self.twice: set[str] = set()

    async def look(self) -> None:
        """One round. Raises StoreUnavailable."""
        parts, left = self._parts(), MOST
        for system_id, system in parts.systems.items():
            for executions in LOOKS:
                wait = int(executions * system.policy.longest_execution_s * SECOND)
                left -= await self._look(parts, system_id, executions, parts.tools.clock.now() - wait, left)

    async def _look(self, parts: LineParts, system_id: str, executions: int, until: int, most: int) -> int:
        """At those of a system whose time has come, up to the first inquiry that fails; how many it were."""
        if most <= 0:
            return 0
        after = self._looked.get((system_id, executions), until - int(LOOK_BACK_S * SECOND))
        found = await self._reads.sent_again(system_id, after, until, most)
        for one in found:
            if not await self._answered(parts, one):
                return len(found)
            self._looked[system_id, executions] = one.dispatched_at
        if len(found) < most:
            self._looked[system_id, executions] = until
        return len(found)

    async def _answered(self, parts: LineParts, one: SentAgain) -> bool:
        """Inquire it; False if the system did not answer."""

        async def posting(unit: WriteUnit) -> tuple[StepRecord, Any] | None:
            record = await unit.transaction(one.transaction_id)
            steps = await unit.steps(one.transaction_id)
            step = next((step for step in steps if (step.step, step.direction) == (one.step, one.direction)), None)
            if record is None or step is None:
                return None
            try:
                return step, await posting_of(unit, record, step)
            except Problem:  # its payload was erased: there is nothing to ask by
                return None

        asked = await self._store.write(posting)
        if asked is None:
            return True
        step, of = asked
        findings = await inquire(parts, step, of)
        if findings.error is not None:
            return False
        hits, standing = len(findings.found), len(still_standing(of, findings.found))
        if standing > 1 and one.transaction_id not in self.twice:
            self.twice.add(one.transaction_id)
            _log.error("posted_twice", transaction=one.transaction_id, system=step.system_id, standing=standing)
            await self._store.write(lambda unit: _tell(unit, parts, step, hits))
        return True


async def _tell(unit: WriteUnit, parts: LineParts, step: StepRecord, hits: int) -> None:
    """The trace tells what was found. Takes the transaction's row, needs no lease: it changes no status."""
    record = await unit.transaction(step.transaction_id)
    if record is None:
        return
    journal = Journal(parts.tools, record, ACTOR)
    members = {**step_members(step), "erp": {"reference": step.external_reference}, "hits": hits}
    journal.note(EntryKind.INQUIRED, members)
    await unit.update_transaction(await journal.flush(unit))
