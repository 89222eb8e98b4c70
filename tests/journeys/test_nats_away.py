"""nats-server stopped during the load and started again later: no transaction fails, every event arrives, in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest

from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.ports import Outbox
from gateway.messaging.relay import Relay
from gateway.messaging.server import EmbeddedServer
from gateway.messaging.tail import tail
from gateway.store.store import open_store
from gateway.wiring.tools import SystemClock
from tests.journeys.demo_process import demo
from tests.journeys.test_northwind import assert_ties_out
from tests.ports import reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_the_load_goes_on_without_nats_and_every_event_arrives_in_order(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "nats", port=reserved_port())  # nobody takes it while the server is away
    address = await server.start()
    credentials = tmp_path / "nats.credentials"
    credentials.touch(mode=0o600)
    credentials.write_text(f"{address.user}:{address.password}", encoding="utf-8")
    environment = {
        "ERP_GATEWAY_NATS__URL": address.url,
        "ERP_GATEWAY_NATS__CREDENTIALS_FILE": str(credentials),
    }
    with demo(tmp_path / "demo", "--fresh", environment=environment) as running:
        await asyncio.to_thread(running.wait_until_accepted, 300)
        await server.stop()
        await asyncio.to_thread(running.wait_until_accepted, 1_200)
        address = await server.start()
        code, summary = await asyncio.to_thread(running.finish)
    assert_ties_out(code, summary)

    store = await open_store(f"sqlite:///{tmp_path / 'demo' / 'gateway.db'}")
    connection = NatsConnection(NatsSettings(servers=(address.url,), user=address.user, password=address.password))
    stream = NatsStream(connection)
    expected = _counts(tmp_path / "demo" / "gateway.db")
    try:
        await _publish_the_rest(Relay(store.outbox, stream, SystemClock()), store.outbox)
        seen = await _seen(stream, sum(expected.values()))
    finally:
        await connection.close()
        await store.close()
        await server.stop()
    assert seen == {lineage: list(range(1, count + 1)) for lineage, count in expected.items()}


async def _publish_the_rest(relay: Relay, outbox: Outbox) -> None:
    """What the gateway's end left in the outbox is published as after a restart."""
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(120):
            while await outbox.pending(1):  # noqa: ASYNC110 - the outbox tells nobody
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _counts(database: Path) -> dict[str, int]:
    """Events per lineage, as the commits of the facts numbered them."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT lineage_id, event_count FROM lineages WHERE event_count > 0")
        return {str(lineage): int(count) for lineage, count in rows}
    finally:
        connection.close()


async def _seen(stream: NatsStream, expected: int) -> dict[str, list[int]]:
    """Sequence numbers per lineage in the order in which a consumer gets them, each event once."""
    seen: defaultdict[str, list[int]] = defaultdict(list)
    count = 0
    async with asyncio.timeout(120), contextlib.aclosing(tail(stream, from_start=True)) as events:
        async for one in events:
            event = json.loads(one.body)
            seen[event["lineageid"]].append(int(event["sequence"]))
            count += 1
            if count == expected:
                return seen
    return seen
