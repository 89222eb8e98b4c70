"""Measure the relay against a real server: `python -m tests.messaging.measure` from the project's root.

Prints events a second through the relay singly and in batches, the size from which a batch is cheaper, the time from
commit to delivery when the commit wakes the relay, and the cost of building an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from gateway.domain.events import status_event
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.relay import Relay
from gateway.messaging.relay_settings import RelaySettings
from gateway.messaging.server import EmbeddedServer
from tests.messaging.conftest import until
from tests.messaging.outbox import TRACEPARENT, MemoryOutbox, RealClock, event, now, transaction

EVENTS = 5_000


async def through_relay(stream: NatsStream, settings: RelaySettings, name: str) -> float:
    """Events a second for a backlog of `EVENTS`, the outbox in memory."""
    await stream.prepare()
    outbox = MemoryOutbox()
    outbox.commit([event(f"{name}{number}", 1) for number in range(EVENTS)])
    last = list(outbox.rows)[-1]
    relay = Relay(outbox, stream, RealClock(), settings=settings)
    started = time.perf_counter()
    task = asyncio.create_task(relay.run())
    await until(lambda: outbox.rows[last].published_at is not None)
    spent = time.perf_counter() - started
    task.cancel()
    await asyncio.wait([task])
    return EVENTS / spent


async def crossover(stream: NatsStream) -> list[tuple[int, float, float]]:
    """Size, ms as singles, ms as a batch: medians of 15."""
    rows = []
    for size in (2, 5, 8, 10, 12, 14, 16, 20, 30):
        single, batch = [], []
        for attempt in range(15):
            end = (await stream.prepare()).last_sequence
            events = [event(f"s{size}-{attempt}-{number}", 1) for number in range(size)]
            started = time.perf_counter()
            for one in events:
                end = await stream.publish(one, end)
            single.append(time.perf_counter() - started)
            events = [event(f"b{size}-{attempt}-{number}", 1) for number in range(size)]
            started = time.perf_counter()
            await stream.publish_batch(events, end)
            batch.append(time.perf_counter() - started)
        rows.append((size, statistics.median(single) * 1e3, statistics.median(batch) * 1e3))
    return rows


async def latency(stream: NatsStream, reading: NatsStream, *, wake: bool, count: int) -> list[float]:
    """Milliseconds from a commit to the delivery at a consumer on another connection."""
    end = await stream.prepare()
    outbox = MemoryOutbox()
    relay = Relay(outbox, stream, RealClock(), settings=RelaySettings(poll_s=0.05))
    if wake:
        outbox.relay_wake = relay.wake
    task = asyncio.create_task(relay.run())
    reader = await reading.read_after(end.last_sequence)
    found = []
    for number in range(count):
        waiting = asyncio.create_task(reader.next(1, wait_s=5))
        await asyncio.sleep(0.03)  # the reader's request is at the server
        started = time.perf_counter()
        outbox.commit([event(f"latency-{wake}-{now()}", number + 1)])
        await waiting
        found.append((time.perf_counter() - started) * 1e3)
    await reader.close()
    task.cancel()
    await asyncio.wait([task])
    return found


def building() -> float:
    """Microseconds to build one status event."""
    record = transaction("lin_01JD4K3R8Z0000000000000000")
    started = time.perf_counter()
    for number in range(1, 20_001):
        status_event(
            record,
            kind="posted",
            event_id="ev_01JD4K3R8Z0000000000000000",
            sequence=number,
            at=1_795_460_280_000_001,
            gateway_name="eu-1",
            traceparent=TRACEPARENT,
            external_reference="0123456789ABCDEF",
        )
    return (time.perf_counter() - started) / 20_000 * 1e6


async def main() -> None:
    print(f"building one event: {building():.1f} µs, {len(event('a', 1).body)} bytes")
    with tempfile.TemporaryDirectory() as directory:
        async with EmbeddedServer(Path(directory) / "nats") as server:
            address = await asyncio.to_thread(server.address)
            connections = [
                NatsConnection(NatsSettings((address.url,), user=address.user, password=address.password))
                for _ in range(2)
            ]
            stream, reading = (NatsStream(connection) for connection in connections)
            for _ in range(3):
                singles = await through_relay(stream, RelaySettings(batch_from=10**9), f"a{now()}-")
                batches = await through_relay(stream, RelaySettings(), f"b{now()}-")
                print(f"relay, backlog of {EVENTS}: singles {singles:,.0f}/s, batches {batches:,.0f}/s")
            for size, single, batch in await crossover(stream):
                print(f"{size:>4} events: singles {single:.2f} ms, one batch {batch:.2f} ms")
            for wake in (True, False):
                found = sorted(await latency(stream, reading, wake=wake, count=150))
                how = "woken by the commit" if wake else "polling every 50 ms"
                print(
                    f"commit to delivery, {how}: median {statistics.median(found):.2f} ms, "
                    f"p95 {found[int(len(found) * 0.95)]:.2f} ms"
                )
            for connection in connections:
                with contextlib.suppress(Exception):
                    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
