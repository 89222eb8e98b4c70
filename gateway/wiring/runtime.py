"""One gateway process: what it is made of, in which order it starts, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from opentelemetry.trace import NoOpTracer

from gateway.api.parts import AppParts
from gateway.budget_shares import BudgetShares
from gateway.cancellation import end
from gateway.cutover.activator import Activator
from gateway.cutover.auto_pause import AutoPause
from gateway.cutover.dark import DarkObserver
from gateway.cutover.ending import ending
from gateway.cutover.gates.of_slices import slice_gates
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.waiting_callers import WaitingCallers
from gateway.intake.consumer import IntakeConsumer
from gateway.intake.cross_references import import_cross_references, read_rows
from gateway.intake.cut_batches import CutBatches
from gateway.intake.parts import IntakeParts
from gateway.leaders import Leaders
from gateway.ledger.key_files import KeyPurpose
from gateway.messaging.relay import Relay
from gateway.privacy.due import Retention
from gateway.settings import Settings, check_secrets
from gateway.store.migrate import migrate
from gateway.store.soundness import check_sound
from gateway.store.store import Store, open_store
from gateway.telemetry import Metrics, Tracing, start_tracing
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, LineParts, Tools
from gateway.transactions.ports import Clock
from gateway.transactions.sweep import Sweep
from gateway.wiring.acts import act_parts
from gateway.wiring.application import app_parts_of, events_flow
from gateway.wiring.authenticator import authenticator
from gateway.wiring.budgets import budget_shares
from gateway.wiring.clocks import ClockOffsets
from gateway.wiring.closing import close_all
from gateway.wiring.cutover import activating, all_gates, draft_parts, evaluation
from gateway.wiring.database_url import store_url
from gateway.wiring.exceptions import exception_parts
from gateway.wiring.intake import intake_consumer, replays
from gateway.wiring.later import Later
from gateway.wiring.leaders import Leads, leader_tasks, sweep_limits
from gateway.wiring.ledger import LiveLog, open_log
from gateway.wiring.ledger_files import key_files
from gateway.wiring.line_limits import line_limits
from gateway.wiring.nats import nats_of
from gateway.wiring.only_writer import only_writer
from gateway.wiring.privacy import privacy_parts
from gateway.wiring.queries import Queries, open_queries
from gateway.wiring.record import (
    forget_ended,
    hand_jobs_over,
    last_restore,
    may_hold_rules,
    register,
)
from gateway.wiring.relay import open_relay
from gateway.wiring.rules import (
    RulesFiles,
    enter_or_hold,
    hold_rules,
    rules_at_start,
    start_activator,
)
from gateway.wiring.simulations import simulation_desk
from gateway.wiring.slices import slice_parts
from gateway.wiring.systems import check_targets, connect_systems
from gateway.wiring.tools import open_tools
from gateway.worker import Worker

DRAIN_S: Final = 20.0
"""How long a stopping process lets calls to ERPs end; what is left is taken over by lease."""
_log = structlog.get_logger(__name__)


@dataclass
class Runtime:
    """The parts of a running process. `app_parts` is what the HTTP application is made of. `alone`: no other process
    can use its database."""

    settings: Settings
    store: Store
    line: Line
    worker: Worker
    relay: Relay
    log: LiveLog
    queries: Queries
    rules: RulesHolder
    activator: Activator
    leaders: Leaders
    clocks: ClockOffsets
    systems: Mapping[str, ErpSystem]
    budgets: BudgetShares | None
    intake: IntakeConsumer | None
    app_parts: AppParts
    process_id: str
    alone: bool
    _ends: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, *, worker: bool = True) -> None:
        """Begin to take leader tasks, to bring activations into force, and to carry jobs on (`worker`)."""
        self._tasks = [
            asyncio.create_task(self.activator.run(), name="activator"),
            asyncio.create_task(self.leaders.run(), name="leaders"),
            asyncio.create_task(self.log.recheck.run(), name="recheck"),
            asyncio.create_task(self.log.state.run(), name="state_audit"),
            asyncio.create_task(self.log.following.run(), name="following"),
            asyncio.create_task(self.clocks.run(), name="clocks"),
            *self.queries.start(),
        ]
        if self.budgets is not None:
            self._tasks.append(asyncio.create_task(self.budgets.run(), name="budgets"))
        if worker:
            self._tasks.append(asyncio.create_task(self.worker.run(), name="worker"))
        if self.intake is not None:
            self._tasks.append(asyncio.create_task(self.intake.run(), name="intake"))
        for task in self._tasks:
            task.add_done_callback(_tell_if_broken)

    def runs(self, name: str) -> bool:
        """Whether that task is under way."""
        return any(task.get_name() == name and not task.done() for task in self._tasks)

    def leave(self) -> None:
        """The process is about to end: it says so, and takes no more jobs and messages. What it leads it leads until
        `stop`."""
        self.app_parts.leaving.begin()
        for task in self._tasks:
            if task.get_name() in {"worker", "intake"}:
                task.cancel()

    async def stop(self) -> None:
        """Take no more jobs, let calls end, hand jobs and leader tasks over, close everything."""
        self.leave()
        if not await self.line.drain(DRAIN_S):
            _log.warning("calls_left_behind", seconds=DRAIN_S)
        await end(self._tasks)
        await hand_jobs_over(self.store, self.process_id, self.line.busy_with)
        await self.leaders.stop()
        await close_all(self._ends)


def _tell_if_broken(task: asyncio.Task[None]) -> None:
    """Each of them lives on with what fails; one that ends all the same must not do so in silence."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("background_task_broken", task=task.get_name(), exc_info=error)


async def open_runtime(data: Path, settings: Settings, clock: Clock | None = None) -> Runtime:
    """Build everything and open what must be open before the first request. `clock`: the machine's unless given.

    Raises SettingsError, RulebookInvalid, RulebookRefused, ImportRefused, StoreUnavailable: then nothing runs.
    """
    check_secrets(data, settings)
    files = RulesFiles.read(data / settings.rulebook)
    if not may_hold_rules(data, settings):
        files.needed()
    tools = open_tools(data, settings.name, clock)
    tracing = start_tracing(settings.name, tools.process_id, settings.telemetry.otlp_endpoint or None)
    ends: list[Callable[[], Awaitable[object]]] = [lambda: asyncio.to_thread(tracing.shutdown)]
    try:
        return await _open(data, settings, files, tools, tracing, ends)
    except BaseException:
        await close_all(ends)
        raise


async def _open(
    data: Path,
    settings: Settings,
    files: RulesFiles,
    tools: Tools,
    tracing: Tracing,
    ends: list[Callable[[], Awaitable[object]]],
) -> Runtime:
    url = store_url(data, settings)
    alone = url.startswith("sqlite")
    if alone:
        ends.append(only_writer(data))
    await check_sound(url)
    await migrate(url)
    store = await open_store(url)
    ends.append(store.close)
    metrics, leads, callers = Metrics(), Leads(), WaitingCallers()
    metrics.watch_record(lambda: store.guard.reason is None)
    clocks = ClockOffsets(store.reads, tools.clock, metrics.clocks)
    await clocks.at_start()
    log = await open_log(
        data,
        settings,
        store,
        tools,
        ends,
        lead=leads.sequencer,
        clocks=clocks,
        callers=callers,
        numbers=metrics.ledger,
    )
    queries = open_queries(
        store,
        tools,
        log.origin,
        lambda: leads.sequencer.epoch is not None,
        partial(key_files(data, settings).signer, KeyPurpose.EVIDENCE),
        ends,
        callers,
    )
    restored_at = await last_restore(store, tools, looks_restored=alone and log.held_is_missing)
    await register(store.patient("to register this process and free the leases of ended ones"), tools, data, ends)
    await forget_ended(store, tools.clock.now())
    start = await rules_at_start(data, store, files)
    systems = connect_systems(start.rulebook, settings.systems, data, tracing.tracer)
    ends += [system.port.aclose for system in systems.values()]
    check_targets(start.rulebook, systems)
    rules = await enter_or_hold(store.patient("to put the first rules in force"), tools, start)
    holder = await hold_rules(store, rules, systems, settings.systems, metrics.erp_places)
    if settings.cross_references is not None:
        rows = await asyncio.to_thread(read_rows, data / settings.cross_references, start.rulebook.systems)
        await import_cross_references(store.patient("to import the cross references"), tools, rules, rows)
    nats = await nats_of(data, settings, ends)
    relay = await open_relay(nats, store.led(leads.relay), tools, tracing, ends, metrics, callers)
    parts = LineParts(
        tools, rules, systems, line_limits(settings.line, restored_at), metrics, tracing.tracer or NoOpTracer()
    )
    wake_worker = Later()
    who_calls = authenticator(data, settings, tools, ends)
    line = Line(store, store.reads, parts, events_left=relay.wake, jobs_due=wake_worker, rules=holder, callers=callers)
    gates = [
        *all_gates(store, holder, systems),
        *slice_gates(store.reads, store, tools, systems, lambda: holder.current.acts),
    ]
    drafts = draft_parts(store, tools, holder, gates, systems)
    activator = await start_activator(
        data, store, tools, holder, evaluation(drafts), ending(tools), relay.wake, leads.activations
    )
    ends.append(activator.leave)
    worker = Worker(line, poll_s=settings.line.poll_s)
    wake_worker.to = worker.wake
    budgets = await budget_shares(store, tools, systems, alone=alone, grown=worker.wake, metrics=metrics, ends=ends)
    acts = act_parts(store, tools, holder, relay.wake, wake_worker)
    simulations = simulation_desk(store, tools, holder, relay.wake)
    ends.append(simulations.simulator.stop)
    sweep = Sweep(
        store.led(leads.sweep),
        store.reads,
        lambda: replace(parts, rules=holder.current),
        metrics,
        wake_worker,
        sweep_limits(settings.sweep),
        CutBatches(store.led(leads.sweep), store.reads, tools, metrics.intake, settings.sweep.batch_s).end,
    )
    privacy = privacy_parts(settings.privacy, store, tools, holder, relay.wake)
    tasks = leader_tasks(
        leads,
        relay=relay,
        sequencer=log.sequencer,
        auto_pause=AutoPause(replace(acts, store=store.led(leads.auto_pause))),
        dark=DarkObserver(store.led(leads.dark), store.reads, tools, relay.wake),
        sweep=sweep,
        retention=Retention(privacy, store.led(leads.retention), settings.privacy.every_s),
        guard=store.guard,
    )
    leaders = Leaders(store.leases(), store.reads, tools, tasks, alone=alone, shown=metrics.leads)
    return Runtime(
        settings=settings,
        store=store,
        line=line,
        worker=worker,
        relay=relay,
        log=log,
        queries=queries,
        rules=holder,
        activator=activator,
        leaders=leaders,
        clocks=clocks,
        systems=systems,
        budgets=budgets,
        intake=intake_consumer(nats, settings, line, holder, tools, ends, metrics.intake),
        app_parts=replace(
            app_parts_of(
                settings,
                store,
                line,
                events_flow(relay, leads, leaders),
                log,
                holder,
                tools,
                metrics,
                tracing,
                who_calls,
            ),
            ledger=queries.parts,
            scope_uses=queries.uses,
            api_uses=queries.api_uses,
            drafts=activating(drafts, store, activator.wake, relay.wake),
            acts=acts,
            privacy=privacy,
            exceptions=exception_parts(store, parts, holder, line, relay.wake, wake_worker),
            intake=IntakeParts(store, store.reads, line, tools, metrics.intake),
            replays=replays(nats, store, tools, ends),
            simulations=simulations,
            slices=slice_parts(store, tools, holder, systems, drafts.gates, relay.wake),
        ),
        process_id=tools.process_id,
        alone=alone,
        _ends=ends,
    )
