"""One gateway process: what it is made of, in which order it starts, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import structlog
from opentelemetry.trace import NoOpTracer

from gateway.api.parts import AppParts
from gateway.auth import Authenticator
from gateway.cutover.activator import Activator
from gateway.cutover.auto_pause import AutoPause
from gateway.cutover.dark import DarkObserver
from gateway.cutover.ending import ending
from gateway.cutover.gates.of_slices import slice_gates
from gateway.cutover.rules_holder import RulesHolder
from gateway.intake.cross_references import import_cross_references, read_rows
from gateway.messaging.relay import Relay
from gateway.settings import Settings, check_secrets
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from gateway.telemetry import Metrics, Tracing, start_tracing
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, LineLimits, LineParts, Tools
from gateway.transactions.ports import Clock
from gateway.wiring.acts import act_parts
from gateway.wiring.cutover import activating, all_gates, draft_parts, evaluation
from gateway.wiring.issuer import authenticator
from gateway.wiring.ledger import LiveLog, open_log
from gateway.wiring.record import may_hold_rules, only_writer, register, store_url
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
from gateway.wiring.systems import RulebookRefused, check_targets, connect_systems
from gateway.wiring.tools import open_tools
from gateway.worker import Worker

__all__ = ["RulebookRefused", "Runtime", "open_runtime"]

DRAIN_S: Final = 20.0
"""How long a stopping process lets calls to ERPs end; what is left is taken over by lease."""
FINISH_S: Final = 5.0
"""How long a stopping process signs what was accepted last; the next start does the rest."""
_log = structlog.get_logger(__name__)


@dataclass
class Runtime:
    """The parts of a running process. `app_parts` is what the HTTP application is made of."""

    settings: Settings
    store: Store
    line: Line
    worker: Worker
    relay: Relay
    log: LiveLog
    rules: RulesHolder
    activator: Activator
    auto_pause: AutoPause
    dark: DarkObserver
    systems: Mapping[str, ErpSystem]
    app_parts: AppParts
    _ends: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to publish events, to carry jobs on, to give ledger entries their places, and to bring activations
        into force."""
        self._tasks = [
            asyncio.create_task(self.relay.run(), name="relay"),
            asyncio.create_task(self.worker.run(), name="worker"),
            asyncio.create_task(self.activator.run(), name="activator"),
            asyncio.create_task(self.auto_pause.run(), name="auto_pause"),
            asyncio.create_task(self.dark.run(), name="dark"),
            asyncio.create_task(self.log.sequencer.run(), name="sequencer"),
            asyncio.create_task(self.log.recheck.run(), name="recheck"),
        ]

    def runs(self, name: str) -> bool:
        """Whether that task is under way."""
        return any(task.get_name() == name and not task.done() for task in self._tasks)

    async def stop(self) -> None:
        """Take no more jobs, let calls end, publish what is left if it goes quickly, close everything."""
        worker = [task for task in self._tasks if task.get_name() == "worker"]
        await _cancel(worker)
        if not await self.line.drain(DRAIN_S):
            _log.warning("calls_left_behind", seconds=DRAIN_S)
        await _cancel(self._tasks)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.log.sequencer.finish(), FINISH_S)
        for end in reversed(self._ends):
            with contextlib.suppress(Exception):
                await end()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
        for end in reversed(ends):
            with contextlib.suppress(Exception):
                await end()
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
    if url.startswith("sqlite"):
        ends.append(only_writer(data))
    await migrate(url)
    store = await open_store(url)
    ends.append(store.close)
    log = await open_log(data, settings, store, tools, ends, alone=url.startswith("sqlite"))
    await register(store, tools)
    start = await rules_at_start(data, store, files)
    systems = connect_systems(start.rulebook, settings.systems, data, tracing.tracer)
    ends += [system.port.aclose for system in systems.values()]
    check_targets(start.rulebook, systems)
    rules = await enter_or_hold(store, tools, start)
    holder = await hold_rules(store, rules, lambda rulebook: check_targets(rulebook, systems))
    if settings.cross_references is not None:
        rows = await asyncio.to_thread(read_rows, data / settings.cross_references, start.rulebook.systems)
        await import_cross_references(store, tools, rules, rows)
    metrics = Metrics()
    relay = await open_relay(data, settings, store, tools, tracing, ends, metrics)
    parts = LineParts(tools, rules, systems, _limits(settings), metrics, tracing.tracer or NoOpTracer())
    wake_worker = _Later()
    who_calls = authenticator(data, settings, tools, ends)
    line = Line(store, store.reads, parts, events_left=relay.wake, jobs_due=wake_worker, rules=holder)
    gates = [
        *all_gates(store, holder, systems),
        *slice_gates(store.reads, store, tools, systems, lambda: holder.current.acts),
    ]
    drafts = draft_parts(store, tools, holder, gates)
    activator = await start_activator(data, store, tools, holder, evaluation(drafts), ending(tools), relay.wake)
    ends.append(activator.leave)
    worker = Worker(line, concurrent=settings.line.concurrent_jobs, poll_s=settings.line.poll_s)
    wake_worker.to = worker.wake
    acts = act_parts(store, tools, holder, relay.wake, wake_worker)
    simulations = simulation_desk(store, tools, holder, relay.wake)
    ends.append(simulations.simulator.stop)
    return Runtime(
        settings=settings,
        store=store,
        line=line,
        worker=worker,
        relay=relay,
        log=log,
        rules=holder,
        activator=activator,
        auto_pause=AutoPause(acts),
        dark=simulations.observer,
        systems=systems,
        app_parts=replace(
            _app_parts(settings, store, line, relay, log, holder, tools, metrics, tracing, who_calls),
            drafts=activating(drafts, store, activator.wake, relay.wake),
            acts=acts,
            simulations=simulations,
            slices=slice_parts(store, tools, holder, systems, drafts.gates, relay.wake),
        ),
        _ends=ends,
    )


class _Later:
    """A call whose target is made after its caller."""

    def __init__(self) -> None:
        self.to: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.to()


def _limits(settings: Settings) -> LineLimits:
    line = settings.line
    return LineLimits(
        lease_margin_s=line.lease_margin_s,
        waiting_recheck_s=line.waiting_recheck_s,
        first_retry_s=line.first_retry_s,
        longest_retry_s=line.longest_retry_s,
    )


def _answers(system: ErpSystem) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return (await system.port.health()).ready

    return answers


def _app_parts(
    settings: Settings,
    store: Store,
    line: Line,
    relay: Relay,
    log: LiveLog,
    holder: RulesHolder,
    tools: Tools,
    metrics: Metrics,
    tracing: Tracing,
    who_calls: Authenticator,
) -> AppParts:
    async def events_flow() -> bool:
        return relay.connected

    return AppParts(
        submissions=line,
        reads=store.reads,
        authenticator=who_calls,
        rulebook=lambda: holder.current.rulebook,
        clock=tools.clock,
        metrics=metrics,
        capabilities=lambda: {name: system.port.capabilities() for name, system in line.systems.items()},
        readiness={"record": store.reads.is_alive, "rules": holder.ready},
        published_log=log.files,
        watched={
            "events": events_flow,
            "ledger": log.is_sound,
            **{name: _answers(system) for name, system in line.systems.items()},
        },
        tracer=tracing.tracer,
        metrics_public=settings.telemetry.public_metrics,
    )
