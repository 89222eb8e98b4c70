"""The way of events out of this process: the relay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.relay import Relay
from gateway.store.store import Store
from gateway.telemetry import Metrics, Tracing
from gateway.transactions.parts import Tools


async def open_relay(
    nats: NatsSettings,
    store: Store,
    tools: Tools,
    tracing: Tracing,
    ends: list[Callable[[], Awaitable[object]]],
    metrics: Metrics,
    callers: WaitingCallers = NOBODY,
) -> Relay:
    """The relay from the outbox to NATS. `store`: as the relay's leader writes it; `ends` gets what closes it."""
    connection = NatsConnection(nats)
    ends.append(connection.close)
    return Relay(
        store.outbox,
        NatsStream(connection),
        tools.clock,
        metrics=metrics.relay,
        jitter=tools.randomness.jitter,
        tracer=tracing.tracer,
        callers=callers,
    )
