"""Simulations of drafts: asked for, run in the background, stored with their hash in the ledger.

1. *Ask.* The draft's candidate and what is in force are taken as they stand; the simulation is stored as `running`.
2. *Run.* Page by page beside everything else that the process does; how far it is can be read.
3. *Store.* The result, its hash and the entry `simulated` are one commit. A simulation that cannot be ended is
   `failed`, and one whose process is proven ended is found to be so when the next one is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import rfc8785
import structlog

from gateway.cancellation import end
from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.open_money import OpenLineageReads, OpenMoneyNow
from gateway.cutover.simulation import SimulationRun, Versions, Window, WindowInvalid, run_simulation
from gateway.cutover.simulation_ports import SimulationReads, SimulationUnit
from gateway.cutover.standing import rulebook_of
from gateway.cutover.traffic import Activations, RecordedTraffic
from gateway.cutover.traffic_ports import TrafficReads
from gateway.domain.drafts import DraftRecord
from gateway.domain.entries import EntryKind
from gateway.domain.simulations import SimulationRecord, SimulationState
from gateway.errors import FieldError, GatewayError, Problem
from gateway.transactions.parts import RulesInForce, Tools
from gateway.transactions.ports import WriteUnit
from routing_rules import Rulebook

T = TypeVar("T")

AT_ONCE: Final = 2
"""Simulations that run at the same time over all processes: each takes most of a core."""
PAGE: Final = 250
"""Entries replayed in one go: a few milliseconds in which nobody else is served."""
TELL_EVERY: Final = 20_000
"""Entries between two notes of how far it is."""
BUSY_RETRY_S: Final = 30

_log = structlog.get_logger(__name__)
FAILED_WITHIN_S: Final = 5.0
"""How long one that is ended has to be stored as failed."""


class SimulatorUnit(WriteUnit, SimulationUnit, Protocol):
    """A write unit that knows simulations."""


class SimulatorStore(Protocol):
    """As `gateway.transactions.ports.Store`, with such units."""

    async def write(self, fn: Callable[[SimulatorUnit], Any]) -> Any: ...


class SimulatorReads(SimulationReads, TrafficReads, Activations, OpenLineageReads, Protocol):
    """What a simulation reads."""

    async def draft(self, draft_id: str) -> DraftRecord | None: ...


class Simulator:
    """This process's simulations. `rules`: what is in force now; `events_left`: called when there is an event to
    publish."""

    def __init__(
        self,
        store: SimulatorStore,
        reads: SimulatorReads,
        tools: Tools,
        rules: Callable[[], RulesInForce],
        events_left: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._reads = reads
        self._tools = tools
        self._rules = rules
        self._events_left = events_left
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, client: str, draft_id: str, window: Window) -> SimulationRecord:
        """Ask for one; if just this one runs already, it is that.

        Raises Problem `not-found` (no such draft), `document-closed`, `invalid-request` (the window), `rate-limited`
        (too many run).
        """
        now = self._tools.clock.now()
        try:
            window.check(now)
        except WindowInvalid as error:
            wrong = FieldError("until", str(error), "Take a window that is past.")
            raise Problem("invalid-request", f"until: {error}", errors=(wrong,)) from error
        draft = await self._reads.draft(draft_id)
        if draft is None:
            raise Problem("not-found", f"There is no draft {draft_id}.")
        if draft.state != "open":
            raise Problem(
                "document-closed", f"The draft is {draft.state}: nothing rests on a simulation of it any more."
            )
        rules = self._rules()
        candidate = await asyncio.to_thread(rulebook_of, draft)
        versions = Versions.of(candidate, rules.rulebook, rules.activation_number)
        record = SimulationRecord(
            simulation_id=self._tools.ids.new("sim"),
            draft_id=draft_id,
            table_version=versions.table_version,
            governance_version=versions.governance_version,
            base_activation_number=versions.base_activation_number,
            base_table_version=versions.base_table_version,
            base_governance_version=versions.base_governance_version,
            since=window.since,
            until=window.until,
            state=SimulationState.RUNNING,
            requested_at=now,
            requested_by=client,
            process_id=self._tools.process_id,
            expected=await self._reads.count_routed(window.since, window.until),
        )
        admitted: SimulationRecord = await self._store.write(lambda unit: self._admit(unit, record, now))
        if admitted is not record:
            return admitted
        work = self._run(record, rules.rulebook, candidate, versions)
        task = asyncio.create_task(work, name=record.simulation_id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return record

    async def stop(self) -> None:
        """End what runs; it is stored as failed."""
        await end(self._tasks, FAILED_WITHIN_S)

    async def _admit(self, unit: SimulatorUnit, record: SimulationRecord, now: int) -> SimulationRecord:
        running = 0
        for other in await unit.running_simulations():
            process = await unit.process(other.process_id)
            if process is None or self._tools.liveness.has_ended(process):
                failed = replace(
                    other, state=SimulationState.FAILED, finished_at=now, failure="its process ended before it did"
                )
                await unit.update_simulation(failed)
            elif _same(other, record):
                return other
            else:
                running += 1
        if running >= AT_ONCE:
            raise Problem(
                "rate-limited",
                f"{running} simulations run already.",
                remedy="Ask again when one of them has ended.",
                retry_after_s=BUSY_RETRY_S,
            )
        await unit.insert_simulation(record)
        return record

    async def _run(self, record: SimulationRecord, base: Rulebook, candidate: Rulebook, versions: Versions) -> None:
        told = 0

        async def progress(entries: int) -> None:
            nonlocal told
            if entries - told >= TELL_EVERY:
                told = entries
                await self._store.write(lambda unit: unit.update_simulation(replace(record, entries=entries)))

        window = Window(record.since, record.until)
        traffic = RecordedTraffic(
            self._reads,
            base,
            candidate,
            record.since,
            record.until,
            activations=self._reads,
            opened=OpenMoneyNow(self._reads),
        )
        try:
            run = await run_simulation(base, candidate, versions, window, traffic, page=PAGE, progress=progress)
            await self._keep(record, run)
        except asyncio.CancelledError:
            await self._fail(record, "the process that ran it was stopped")
            raise
        except GatewayError as error:
            _log.warning("simulation_failed", simulation=record.simulation_id, error=str(error))
            await self._fail(record, "the ledger could not be read to the end of the window")
        # A defect must not leave a simulation running for ever; the traceback is in the log.
        except Exception as error:
            _log.error("simulation_broken", simulation=record.simulation_id, exc_info=error)
            await self._fail(record, "it broke; the log says where")

    async def _keep(self, record: SimulationRecord, run: SimulationRun) -> None:
        stored = run.as_json()
        done = replace(
            record,
            state=SimulationState.DONE,
            entries=run.position.entries,
            finished_at=self._tools.clock.now(),
            position=rfc8785.dumps(stored["position"]).decode(),
            digest=run.simulation.digest,
            result_hash=run.result_hash,
            result=rfc8785.dumps(stored).decode(),
        )
        members = simulated_members(done, run)
        event_id = self._tools.ids.new("evt")

        async def unit_of_work(unit: SimulatorUnit) -> None:
            await unit.update_simulation(done)
            trace = ControlTrace(self._tools, record.simulation_id)
            await trace.record(unit, EntryKind.SIMULATED, record.requested_by, members, event_id=event_id)

        await self._store.write(unit_of_work)
        self._events_left()

    async def _fail(self, record: SimulationRecord, why: str) -> None:
        failed = replace(record, state=SimulationState.FAILED, finished_at=self._tools.clock.now(), failure=why)
        await self._store.write(lambda unit: unit.update_simulation(failed))


def _same(one: SimulationRecord, other: SimulationRecord) -> bool:
    """Whether both replay the same window through the same versions."""
    names = ("draft_id", "table_version", "governance_version", "base_activation_number", "since", "until")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def simulated_members(record: SimulationRecord, run: SimulationRun) -> Mapping[str, Any]:
    """What the `simulated` entry says: what was simulated, what was read, and the hash of what was found."""
    evidence = run.evidence()
    return {
        "simulationId": record.simulation_id,
        "draftId": record.draft_id,
        **{name: evidence[name] for name in ("candidate", "base", "window", "position", "resultDigest")},
        "resultHash": run.result_hash,
        "documents": run.simulation.documents,
        "movedDocuments": run.simulation.moved_documents,
    }
