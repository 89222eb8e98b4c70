"""Dark observation: a candidate is evaluated on live traffic, beside the real decision; nothing waits for it.

The observer reads the ledger some seconds behind: what is routed is never slowed down, and an entry that was committed
late is not left out. How far it read is kept with what it found, so that any process can go on after any crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final, Protocol

import structlog

from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.dark_findings import DarkFindings
from gateway.cutover.simulation_ports import SimulationReads, SimulationUnit
from gateway.cutover.standing import rulebook_of
from gateway.cutover.traffic_ports import TrafficReads
from gateway.domain.drafts import DraftRecord
from gateway.domain.entries import EntryKind
from gateway.domain.simulations import DarkState, DarkWatchRecord
from gateway.domain.traffic import RoutedEntry, TrafficCursor
from gateway.domain.wire import instant
from gateway.errors import Problem, StoreUnavailable
from gateway.transactions.parts import SECOND, Tools
from gateway.transactions.ports import WriteUnit
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical

MOST_WATCHED: Final = 5
"""Candidates that are observed at the same time: each decides every document once more."""
BEHIND_S: Final = 10.0
"""How far behind now the observer stays: longer than any commit takes from its time to its end."""
POLL_S: Final = 2.0
PAGE: Final = 250
PAGES: Final = 8
"""Pages of one look at one candidate; then others have their turn."""

_log = structlog.get_logger(__name__)


class DarkUnit(WriteUnit, SimulationUnit, Protocol):
    """A write unit that knows watches."""


class DarkStore(Protocol):
    """As `gateway.transactions.ports.Store`, with such units."""

    async def write(self, fn: Callable[[DarkUnit], Any]) -> Any: ...


class DarkReads(SimulationReads, TrafficReads, Protocol):
    """What observation reads."""

    async def draft(self, draft_id: str) -> DraftRecord | None: ...


class DarkObserver:
    """Begins, carries on and ends observations; `run` is its task."""

    def __init__(
        self, store: DarkStore, reads: DarkReads, tools: Tools, events_left: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._reads = reads
        self._tools = tools
        self._events_left = events_left
        self._candidates: dict[str, Rulebook] = {}

    async def begin(self, client: str, draft_id: str) -> DarkWatchRecord:
        """Observe the draft as it stands from now on. What is observed already goes on as it is; a draft that was
        edited begins anew. Raises Problem `not-found`, `rate-limited` (too many are observed)."""
        draft = await self._reads.draft(draft_id)
        if draft is None:
            raise Problem("not-found", f"There is no draft {draft_id}.")
        candidate = await asyncio.to_thread(rulebook_of, draft)
        now = self._tools.clock.now()
        wanted = DarkWatchRecord(
            draft_id=draft_id,
            table_version=candidate.version,
            rules=candidate.canonical_json().decode(),
            governance=candidate.governance_json().decode(),
            state=DarkState.WATCHING,
            started_at=now,
            started_by=client,
            ended_at=None,
            read_at=now,
            read_trace="",
            read_seq=0,
            found="",
        )

        async def unit_of_work(unit: DarkUnit) -> DarkWatchRecord:
            known = await unit.locked_dark_watch(draft_id)
            if known is not None and known.state is DarkState.WATCHING:
                if known.table_version == wanted.table_version:
                    return known
            elif await unit.watching_number() >= MOST_WATCHED:
                raise Problem(
                    "rate-limited",
                    f"{MOST_WATCHED} candidates are observed already.",
                    remedy="End one of them first.",
                    retry_after_s=60,
                )
            await (unit.insert_dark_watch(wanted) if known is None else unit.update_dark_watch(wanted))
            return wanted

        begun: DarkWatchRecord = await self._store.write(unit_of_work)
        return begun

    async def end(self, client: str, draft_id: str) -> DarkWatchRecord:
        """End it, with what was found on the ledger. One that has ended stays as it is. Raises Problem `not-found`."""
        trace, event_id = self._tools.ids.new("sim"), self._tools.ids.new("evt")

        async def unit_of_work(unit: DarkUnit) -> DarkWatchRecord:
            known = await unit.locked_dark_watch(draft_id)
            if known is None:
                raise Problem("not-found", f"The draft {draft_id} was never observed.")
            if known.state is DarkState.ENDED:
                return known
            ended = replace(known, state=DarkState.ENDED, ended_at=self._tools.clock.now())
            await unit.update_dark_watch(ended)
            control = ControlTrace(self._tools, trace)
            await control.record(unit, EntryKind.SIMULATED, client, _members(ended), event_id=event_id)
            return ended

        ended: DarkWatchRecord = await self._store.write(unit_of_work)
        self._candidates.pop(draft_id, None)
        self._events_left()
        return ended

    async def run(self) -> None:
        """Look, for ever. While the store is away nothing is looked at, and nothing is lost."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                _log.warning("dark_observation_waits", error=str(error))
            await self._tools.clock.sleep(POLL_S)

    async def look(self) -> int:
        """Evaluate what came since the last look, for every observed candidate; how many documents."""
        read = 0
        for watch in await self._reads.dark_watches():
            try:
                read += await self._look_at(watch)
            except StoreUnavailable:
                raise
            # One candidate that breaks must not stop the others; the traceback is in the log.
            except Exception as error:
                _log.error("dark_observation_broken", draft=watch.draft_id, exc_info=error)
        return read

    async def _look_at(self, watch: DarkWatchRecord) -> int:
        candidate = await self._candidate(watch)
        until = self._tools.clock.now() - int(BEHIND_S * SECOND)
        found = DarkFindings.read(watch.found)
        after = TrafficCursor(watch.read_at, watch.read_trace, watch.read_seq)
        read: list[RoutedEntry] = []
        for _ in range(PAGES):
            page = await self._reads.routed_entries(after, until, PAGE)
            for one in page:
                found.take(candidate, one)
            read += page[-1:]
            if len(page) < PAGE:
                break
            after = TrafficCursor(page[-1].at, page[-1].trace, page[-1].seq)
            await asyncio.sleep(0)
        if not read:
            return 0
        last = read[-1]
        seen = replace(watch, read_at=last.at, read_trace=last.trace, read_seq=last.seq, found=found.as_text())
        documents = found.documents - DarkFindings.read(watch.found).documents
        return documents if await self._store.write(lambda unit: _keep(unit, watch, seen)) else 0

    async def _candidate(self, watch: DarkWatchRecord) -> Rulebook:
        known = self._candidates.get(watch.draft_id)
        if known is None or known.version != watch.table_version:
            known = await asyncio.to_thread(rulebook_from_canonical, watch.rules, watch.governance)
            self._candidates[watch.draft_id] = known
        return known


async def _keep(unit: DarkUnit, watch: DarkWatchRecord, seen: DarkWatchRecord) -> bool:
    """Unless another process read on meanwhile, or it was ended or begun anew."""
    if await unit.locked_dark_watch(watch.draft_id) != watch:
        return False
    await unit.update_dark_watch(seen)
    return True


def _members(watch: DarkWatchRecord) -> dict[str, Any]:
    found = DarkFindings.read(watch.found).as_json()
    return {
        "draftId": watch.draft_id,
        "observation": "dark",
        "candidate": {"tableVersion": watch.table_version},
        "window": {"since": instant(watch.started_at), "until": instant(watch.read_at)},
        "resultHash": sha256(watch.found.encode()).hexdigest(),
        "documents": found["documents"],
        "differentDocuments": found["differentDocuments"],
    }
