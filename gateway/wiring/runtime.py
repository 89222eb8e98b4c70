"""One gateway process: what it is made of, in which order it starts, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from opentelemetry.trace import NoOpTracer

from gateway.api.parts import AppParts
from gateway.auth import Authenticator
from gateway.cutover.activation import put_in_force
from gateway.intake.cross_references import import_cross_references, read_rows
from gateway.liveness import this_process
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.relay import Relay
from gateway.messaging.server import EmbeddedServer
from gateway.settings import Settings, SettingsError, read_secret
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from gateway.telemetry import Metrics, Tracing, start_tracing
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, LineLimits, LineParts, Tools
from gateway.transactions.ports import WriteUnit
from gateway.wiring.issuer import authenticator
from gateway.wiring.systems import RulebookRefused, check_targets, connect_systems
from gateway.wiring.tools import open_tools
from gateway.worker import Worker
from routing_rules import Rulebook, load_rulebook

__all__ = ["RulebookRefused", "Runtime", "open_runtime"]

DRAIN_S: Final = 20.0
"""How long a stopping process lets calls to ERPs end; what is left is taken over by lease."""
NATS_DIRECTORY: Final = "nats"
_log = structlog.get_logger(__name__)


class AlreadyRunning(SettingsError):
    """Another process writes this data directory. The embedded default has one writing process."""


@dataclass
class Runtime:
    """The parts of a running process. `app_parts` is what the HTTP application is made of."""

    settings: Settings
    store: Store
    line: Line
    worker: Worker
    relay: Relay
    systems: Mapping[str, ErpSystem]
    app_parts: AppParts
    _ends: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to publish events and to carry jobs on."""
        self._tasks = [
            asyncio.create_task(self.relay.run(), name="relay"),
            asyncio.create_task(self.worker.run(), name="worker"),
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
        for end in reversed(self._ends):
            with contextlib.suppress(Exception):
                await end()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def open_runtime(data: Path, settings: Settings) -> Runtime:
    """Build everything and open what must be open before the first request.

    Raises SettingsError, RulebookInvalid, RulebookRefused, ImportRefused, StoreUnavailable: then nothing runs.
    """
    rulebook = load_rulebook(data / settings.rulebook)
    tools = open_tools(data, settings.name)
    tracing = start_tracing(settings.name, tools.process_id, settings.telemetry.otlp_endpoint or None)
    systems = connect_systems(rulebook, settings.systems, data, tracing.tracer)
    ends: list[Callable[[], Awaitable[object]]] = [lambda: asyncio.to_thread(tracing.shutdown)]
    ends += [system.port.aclose for system in systems.values()]
    try:
        check_targets(rulebook, systems)
        return await _open(data, settings, rulebook, systems, tools, tracing, ends)
    except BaseException:
        for end in reversed(ends):
            with contextlib.suppress(Exception):
                await end()
        raise


async def _open(
    data: Path,
    settings: Settings,
    rulebook: Rulebook,
    systems: Mapping[str, ErpSystem],
    tools: Tools,
    tracing: Tracing,
    ends: list[Callable[[], Awaitable[object]]],
) -> Runtime:
    url = store_url(data, settings)
    if url.startswith("sqlite"):
        ends.append(_only_writer(data))
    await migrate(url)
    store = await open_store(url)
    ends.append(store.close)
    await _register(store, tools)
    rules = await put_in_force(store, tools, rulebook, "gateway")
    if settings.cross_references is not None:
        rows = await asyncio.to_thread(read_rows, data / settings.cross_references, rulebook.systems)
        await import_cross_references(store, tools, rules, rows)
    metrics = Metrics()
    relay = await _relay(data, settings, store, tools, tracing, ends)
    parts = LineParts(tools, rules, systems, _limits(settings), metrics, tracing.tracer or NoOpTracer())
    wake_worker = _Later()
    who_calls = authenticator(data, settings, tools, ends)
    line = Line(store, store.reads, parts, events_left=relay.wake, jobs_due=wake_worker)
    worker = Worker(line, concurrent=settings.line.concurrent_jobs, poll_s=settings.line.poll_s)
    wake_worker.to = worker.wake
    return Runtime(
        settings=settings,
        store=store,
        line=line,
        worker=worker,
        relay=relay,
        systems=systems,
        app_parts=_app_parts(data, settings, store, line, relay, rulebook, tools, metrics, tracing, who_calls),
        _ends=ends,
    )


class _Later:
    """A call whose target is made after its caller."""

    def __init__(self) -> None:
        self.to: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.to()


def store_url(data: Path, settings: Settings) -> str:
    """The database's address: from its file, from the settings, else the embedded default."""
    if settings.store.url_file is not None:
        return read_secret(data / settings.store.url_file)
    return settings.store.url or f"sqlite:///{data / 'gateway.db'}"


def shown_url(data: Path, settings: Settings) -> str:
    """The database's address for people: without what may hold a password."""
    if settings.store.url_file is not None:
        return "as its url_file says"
    return re.sub(r"//[^/@]*@", "//", store_url(data, settings))


def _only_writer(data: Path) -> Callable[[], Awaitable[object]]:
    """Take the data directory for this process alone; the kernel gives it back when the process ends, however."""
    descriptor = os.open(data / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunning(f"another gateway runs on {data}; stop it first, or use PostgreSQL") from error

    async def release() -> None:
        os.close(descriptor)

    return release


async def _register(store: Store, tools: Tools) -> None:
    """Make this process known, and free the leases of processes that are proven ended."""
    record = this_process(tools.process_id, tools.clock.now())
    await store.write(lambda unit: unit.insert_process(record))
    now = tools.clock.now()
    holders = await store.write(lambda unit: unit.processes_holding_leases(now))
    for holder in holders:
        if tools.liveness.has_ended(holder):
            freed = await store.write(partial(_free, owner=holder.process_id, now=now))
            _log.info("leases_freed", process=holder.process_id, jobs=freed)


async def _free(unit: WriteUnit, owner: str, now: int) -> int:
    return await unit.release_leases_of(owner, now)


async def _relay(
    data: Path,
    settings: Settings,
    store: Store,
    tools: Tools,
    tracing: Tracing,
    ends: list[Callable[[], Awaitable[object]]],
) -> Relay:
    connection = NatsConnection(await _nats_settings(data, settings, ends))
    ends.append(connection.close)
    return Relay(
        store.outbox, NatsStream(connection), tools.clock, jitter=tools.randomness.jitter, tracer=tracing.tracer
    )


async def _nats_settings(data: Path, settings: Settings, ends: list[Callable[[], Awaitable[object]]]) -> NatsSettings:
    """Where NATS is; without a setting, a server of our own is started in the data directory."""
    if settings.nats.url:
        return remote_nats(data, settings)
    server = EmbeddedServer(data / NATS_DIRECTORY, port=settings.nats.port or None)
    address = await server.start()
    ends.append(server.stop)
    return NatsSettings(servers=(address.url,), name=settings.name, user=address.user, password=address.password)


def remote_nats(data: Path, settings: Settings) -> NatsSettings:
    """A NATS of the operator's; the credentials file holds `user:password`."""
    user, _, password = _credentials(data, settings).partition(":")
    return NatsSettings(
        servers=tuple(settings.nats.url.split(",")),
        name=settings.name,
        user=user or None,
        password=password or None,
    )


def _credentials(data: Path, settings: Settings) -> str:
    file = settings.nats.credentials_file
    return read_secret(data / file) if file is not None else ""


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
    data: Path,
    settings: Settings,
    store: Store,
    line: Line,
    relay: Relay,
    rulebook: Rulebook,
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
        rulebook=lambda: rulebook,
        clock=tools.clock,
        metrics=metrics,
        capabilities=lambda: {name: system.port.capabilities() for name, system in line.systems.items()},
        readiness={"record": store.reads.is_alive},
        watched={"events": events_flow, **{name: _answers(system) for name, system in line.systems.items()}},
        tracer=tracing.tracer,
        metrics_public=settings.telemetry.public_metrics,
    )
