"""What the HTTP application is made of in a process that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.api.parts import AppParts
from gateway.auth import Authenticator
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.leaders import RELAY
from gateway.leaders import Leaders
from gateway.messaging.relay import Relay
from gateway.settings import Settings
from gateway.store.store import Store
from gateway.telemetry import Metrics, Tracing
from gateway.transactions.line import Line
from gateway.transactions.parts import ErpSystem, Tools
from gateway.wiring.leaders import Leads
from gateway.wiring.ledger import LiveLog


def _answers(system: ErpSystem) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return (await system.port.health()).ready

    return answers


def events_flow(relay: Relay, leads: Leads, leaders: Leaders) -> Callable[[], Awaitable[bool]]:
    """Here, or in the process that relays for all."""

    async def flow() -> bool:
        return relay.connected if leads.relay.epoch is not None else leaders.is_led(RELAY)

    return flow


def app_parts_of(
    settings: Settings,
    store: Store,
    line: Line,
    flow: Callable[[], Awaitable[bool]],
    log: LiveLog,
    holder: RulesHolder,
    tools: Tools,
    metrics: Metrics,
    tracing: Tracing,
    who_calls: Authenticator,
) -> AppParts:
    """What the line and the record give; the rulebook's side is added by the caller."""
    return AppParts(
        submissions=line,
        reads=store.reads,
        authenticator=who_calls,
        rulebook=lambda: holder.current.rulebook,
        clock=tools.clock,
        metrics=metrics,
        capabilities=lambda: {name: system.port.capabilities() for name, system in line.systems.items()},
        readiness={"record": store.is_usable, "rules": holder.ready},
        published_log=log.files,
        watched={
            "events": flow,
            "ledger": log.is_sound,
            **{name: _answers(system) for name, system in line.systems.items()},
        },
        tracer=tracing.tracer,
        metrics_public=settings.telemetry.public_metrics,
        bulk_clients=frozenset(settings.line.bulk_clients),
        overlays=lambda: holder.current.acts.overlays,
        refresh=holder.refresh,
    )
