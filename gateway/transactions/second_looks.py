"""Second looks: was a document that was sent again posted once?

A further attempt is sent when inquiries found nothing and the system's longest execution was over. If that setting is
not true of the system, the first attempt may be executed after all, and the document stands there twice. The gateway
cannot take that back by itself, but it must not stay unseen: so references that were sent again are inquired once more,
one, ten and a hundred longest executions later. Nothing is sent, and no status changes: the trace gets an entry, the
sweep shows it, and the alert ErpFoundTwice fires. What somebody has undone there does not count; so one that stands
twice is inquired again and again, until what is too much is undone.

Only what may really stand twice is looked at: where each attempt before the last certainly posted nothing, there is no
second one. Each system has an allowance of its own, so that none waits for another one's inquiries; and an inquiry that
is never answered keeps back none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.domain.entries import EntryKind
from gateway.domain.plan import still_done
from gateway.domain.records import StepRecord
from gateway.domain.sweeps import SentAgain
from gateway.errors import Problem, StoreUnavailable
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
"""Inquiries of one round at one system."""
MOST_TWICE: Final = 5
"""Beside them, of what is known to stand there twice."""
TWICE_AGAIN_S: Final = 300.0
"""After that time it is inquired again."""
ROUND_S: Final = 20.0
"""After that time no more inquiries are begun at a system in one round: the sweep has other things to find too."""
LOOK_BACK_S: Final = 86_400.0
"""A process that begins to look goes back so far: what another looked at is looked at again. What was not answered for
so long is not asked any more."""

_log = structlog.get_logger(__name__)


class SecondLookStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[WriteUnit], Coroutine[Any, Any, T]]) -> T: ...


class SecondLookReads(Protocol):
    """What was sent again, and what stands twice."""

    async def sent_again(self, system_id: str, after: tuple[int, str], until: int, most: int) -> Sequence[SentAgain]:
        """Posted steps that an attempt before the last may have posted too, whose last was sent after one place (an
        instant in µs, a transaction) until an instant; oldest first."""
        ...

    async def posted_twice(self, system_id: str, until: int, most: int) -> Sequence[SentAgain]:
        """Steps that stand in the system several times, as far as that was asked last until an instant (µs); what was
        not asked about for longest first."""
        ...


@dataclass(frozen=True, slots=True)
class _Look:
    """To be made at a step that was sent again; `due` (µs): since when."""

    due: int
    executions: int
    at: SentAgain


class SecondLooks:
    """Looks by and by; where it stopped is known as long as this process looks. `parts`: as of the rules in force."""

    def __init__(self, store: SecondLookStore, reads: SecondLookReads, parts: Callable[[], LineParts]) -> None:
        self._store = store
        self._reads = reads
        self._parts = parts
        self._looked: dict[tuple[str, int], tuple[int, str]] = {}
        self._unanswered: dict[str, list[_Look]] = {}
        self._short = set[SentAgain]()

    async def look(self) -> None:
        """One round. Raises StoreUnavailable."""
        parts = self._parts()
        for system_id in parts.systems:
            await self._look_in(parts, system_id)

    async def twice(self, most: int) -> set[str]:
        """Transactions that stand in a system several times; `most` of each. Raises StoreUnavailable."""
        parts, found = self._parts(), set[str]()
        for system_id in parts.systems:
            known = await self._reads.posted_twice(system_id, parts.tools.clock.now(), most)
            found.update(one.transaction_id for one in known)
        return found

    async def _look_in(self, parts: LineParts, system_id: str) -> None:
        """At those of a system whose time has come, up to the first inquiry that is not answered."""
        clock = parts.tools.clock
        end = clock.now() + int(ROUND_S * SECOND)
        # of a round, what is new comes first: what is not answered for ever has no right of way
        for look in [*await self._due(parts, system_id), *self._put_aside(system_id, clock.now())][:MOST]:
            if clock.now() > end:
                return
            answered = await self._answered(parts, look.at)
            self._made(system_id, look)
            if not answered:
                self._unanswered[system_id].append(look)
                return
        known = await self._reads.posted_twice(system_id, clock.now() - int(TWICE_AGAIN_S * SECOND), MOST_TWICE)
        for one in known:
            if clock.now() > end:
                return
            if not await self._answered(parts, one):
                await self._store.write(partial(_put_off, parts=parts, one=one))
                return

    async def _due(self, parts: LineParts, system_id: str) -> list[_Look]:
        """The looks whose time has come and that were not tried, the oldest first; the allowance of a round at most."""
        due: list[_Look] = []
        for executions in LOOKS:
            wait = int(executions * parts.systems[system_id].policy.longest_execution_s * SECOND)
            until = parts.tools.clock.now() - wait
            after = self._looked.setdefault((system_id, executions), (until - int(LOOK_BACK_S * SECOND), ""))
            found = await self._reads.sent_again(system_id, after, until, MOST)
            due += [_Look(one.dispatched_at + wait, executions, one) for one in found]
        return sorted(due, key=lambda look: look.due)[:MOST]

    def _put_aside(self, system_id: str, now: int) -> list[_Look]:
        """What was not answered before, what waits for longest first."""
        kept: list[_Look] = []
        for one in self._unanswered.get(system_id, []):
            if one.due > now - int(LOOK_BACK_S * SECOND):
                kept.append(one)
            else:
                _log.error("second_look_given_up", transaction=one.at.transaction_id, system=system_id)
        self._unanswered[system_id] = kept
        return list(kept)

    def _made(self, system_id: str, look: _Look) -> None:
        """Whatever came of it."""
        unanswered = self._unanswered[system_id]
        if look in unanswered:
            unanswered.remove(look)
        else:
            self._looked[system_id, look.executions] = look.at.dispatched_at, look.at.transaction_id

    async def _answered(self, parts: LineParts, one: SentAgain) -> bool:
        """Inquire it, and keep whether it stands there several times; False if the system did not answer."""
        try:
            asked = await self._store.write(partial(_posting, one=one))
            if asked is None:
                await self._store.write(partial(_keep, parts=parts, one=one, hits=0, standing=0, gone=True))
                return True
            step, of, undone = asked
            findings = await inquire(parts, step, of)
        except StoreUnavailable:
            raise
        except Exception:
            # a row that cannot be read, or a defect of its driver, must not keep back what else the sweep finds
            _log.exception("second_look_failed", transaction=one.transaction_id)
            return False
        if findings.error is not None:
            error = str(findings.error)
            _log.warning("second_look_unanswered", transaction=one.transaction_id, system=step.system_id, error=error)
            return False
        hits, there = len(findings.found), still_standing(of, findings.found)
        # a master that was taken back is there though it is blocked, but it is not wanted any more
        standing = 0 if undone and all(one.cancelled for one in there) else len(there)
        if standing > 1 or step.twice_at is not None:
            gone = standing <= 1 and self._is_believed(one, whole=undone or hits > 1)
            if standing > 1:
                self._short.discard(one)
            await self._store.write(partial(_keep, parts=parts, one=one, hits=hits, standing=standing, gone=gone))
        return True

    def _is_believed(self, one: SentAgain, *, whole: bool) -> bool:
        """An answer that does not show as undone what stood there, but leaves it out (not `whole`), is believed when it
        is repeated."""
        believed = whole or one in self._short
        if believed:
            self._short.discard(one)
        else:
            self._short.add(one)
        return believed


async def _posting(unit: WriteUnit, *, one: SentAgain) -> tuple[StepRecord, Any, bool] | None:
    """The step, what to ask by, and whether it was taken back; None where there is nothing to ask by."""
    record = await unit.transaction(one.transaction_id)
    step = await _step(unit, one)
    if record is None or step is None:
        return None
    undone = step not in still_done(await unit.steps(one.transaction_id)) and step.direction == "do"
    try:
        return step, await posting_of(unit, record, step), undone
    except Problem:  # its payload was erased
        return None


async def _step(unit: WriteUnit, one: SentAgain) -> StepRecord | None:
    steps = await unit.steps(one.transaction_id)
    return next((step for step in steps if (step.step, step.direction) == (one.step, one.direction)), None)


async def _put_off(unit: WriteUnit, *, parts: LineParts, one: SentAgain) -> None:
    """It was not answered: others that stand there several times come first."""
    await unit.transaction(one.transaction_id)
    step = await _step(unit, one)
    if step is not None and step.twice_at is not None:
        await unit.update_step(replace(step, twice_at=parts.tools.clock.now()))


async def _keep(unit: WriteUnit, *, parts: LineParts, one: SentAgain, hits: int, standing: int, gone: bool) -> None:
    """Write down that it stands there several times, or does so no more (`gone`). When it is found the trace tells it.

    Takes the transaction's row, needs no lease: it changes no status.
    """
    record = await unit.transaction(one.transaction_id)
    step = await _step(unit, one)
    if record is None or step is None:
        return
    twice = standing > 1
    if twice and step.twice_at is None:
        _log.error("posted_twice", transaction=one.transaction_id, system=step.system_id, standing=standing)
        journal = Journal(parts.tools, record, ACTOR)
        journal.note(
            EntryKind.INQUIRED, {**step_members(step), "erp": {"reference": step.external_reference}, "hits": hits}
        )
        await unit.update_transaction(await journal.flush(unit))
    elif gone and step.twice_at is not None:
        _log.info("posted_twice_no_more", transaction=one.transaction_id, system=step.system_id, standing=standing)
    if twice or step.twice_at is not None:
        await unit.update_step(replace(step, twice_at=None if gone else parts.tools.clock.now()))
