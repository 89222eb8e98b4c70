"""The leader is frozen (SIGSTOP) past its lease and wakes beside its successor: nothing is published twice or out of
order, and nothing is appended under its old epoch."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from gateway.auth.clients import Client
from gateway.domain.caller import DataScope
from gateway.domain.leaders import RELAY, SEQUENCER
from gateway.leaders import TAKEOVER_S
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.server import EmbeddedServer
from gateway.settings import load_settings
from gateway.store.store import Store, open_store
from gateway.wiring.issuer import embedded_issuer
from tests.journeys.balancer import CountingErp, listening
from tests.journeys.test_activation import written
from tests.journeys.test_rolling_restart import (
    Gateway,
    Load,
    all_is_settled,
    everything,
    leaders,
    patient_connection,
    until,
)
from tests.messaging.conftest import lineages_in_order

FREEZES = 3
CALLERS = 4
FROZEN_IN_A_COMMIT_S = 12.0
"""What PostgreSQL takes to end the transaction of a process that stands still in the middle of it, and a look."""

BUSY_S = 10.0
"""What a machine with other work takes longer."""

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(1_200)]


async def led(store: Store) -> dict[str, tuple[str, int]]:
    """Who leads what, and under which epoch, once somebody relays: on a busy machine a lease may just have ended."""
    found: dict[str, tuple[str, int]] = {}

    async def somebody_relays() -> bool:
        found.clear()
        found.update(await leaders(store))
        return RELAY in found

    await until(somebody_relays, "nobody relays")
    return found


async def one_of(gateways: list[Gateway], store: Store, process_id: str) -> Gateway:
    record = await store.reads.process(process_id)
    assert record is not None
    (found,) = [one for one in gateways if one.pid == record.pid]
    return found


async def freeze_and_wake(store: Store, gateways: list[Gateway], loads: dict[int, Load]) -> float:
    """Freeze who relays until another one does; the seconds that took."""
    before = await led(store)
    frozen = await one_of(gateways, store, before[RELAY][0])
    (other,) = [one for one in gateways if one is not frozen]
    told_before = len(frozen.whole_log())
    began = time.monotonic()
    frozen.signal(signal.SIGSTOP)

    async def taken_over() -> bool:
        now = await leaders(store)
        return all(task in now and now[task] != before[task] for task in before if before[task][0] == before[RELAY][0])

    await until(taken_over, f"{await leaders(store)} after {before}", TAKEOVER_S + FROZEN_IN_A_COMMIT_S + BUSY_S)
    took = time.monotonic() - began
    known = len(loads[other.port].accepted)

    async def goes_on() -> bool:
        return len(loads[other.port].accepted) > known + 20

    await until(goes_on, "the other one takes nothing", 60)
    frozen.signal(signal.SIGCONT)
    known_here = len(loads[frozen.port].accepted)

    async def woken() -> bool:
        return len(loads[frozen.port].accepted) > known_here + 20

    await until(woken, frozen.log(), 60)
    after = await led(store)
    # once more for each time that so busy a machine lets a lease end
    assert after[RELAY][1] > before[RELAY][1]

    async def has_noticed() -> bool:
        told = frozen.whole_log()[told_before:]
        return "lead_lost" in told or "is over" in told

    await until(has_noticed, frozen.log(), 60)
    return took


async def test_a_frozen_leader_wakes_and_does_no_harm(tmp_path: Path, postgres_url: str) -> None:
    nats = EmbeddedServer(tmp_path / "nats")
    address = await nats.start()
    data, erp = tmp_path / "data", CountingErp(0.02)
    written(data, (address.url, f"{address.user}:{address.password}"), postgres_url)
    gateways = [Gateway(data), Gateway(data)]
    connection = patient_connection(address)
    try:
        async with listening(erp) as erp_port:
            text = (data / "gateway.toml").read_text(encoding="utf-8")
            text = text.replace("http://127.0.0.1:9", f"http://127.0.0.1:{erp_port}")
            (data / "gateway.toml").write_text(text, encoding="utf-8")
            for one in gateways:
                await one.start()
                await until(one.is_ready, one.log())
            store = await open_store(postgres_url)
            client = Client(
                "salesforce", "salesforce", frozenset({"documents:submit", "documents:read"}), DataScope(None, None)
            )
            token = embedded_issuer(data, load_settings(data), time.time).mint(client)
            loads = {one.port: Load(one.port, token, f"{one.port}-") for one in gateways}
            callers = [asyncio.create_task(load.call()) for load in loads.values() for _ in range(CALLERS)]
            took = [await freeze_and_wake(store, gateways, loads) for _ in range(FREEZES)]
            for load in loads.values():
                load.stop = True
            await asyncio.gather(*callers)
            for load in loads.values():
                await all_is_settled(store, load)
            await until(lambda: placed(store), "the ledger has entries without a place", 90)
            for one in gateways:
                await one.stop()
        print("taken over after", [f"{seconds:.1f} s" for seconds in took])
        in_order = lineages_in_order(await everything(NatsStream(connection)))
        in_order.pop("control")
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in in_order.values())
        assert set(erp.posted.values()) == {1}
        await assert_ledger_is_whole(postgres_url, store)
        await connection.close()
        await store.close()
    finally:
        for one in gateways:
            one.kill()
        await nats.stop()


async def placed(store: Store) -> bool:
    return await store.log.waiting(1) == 0


async def assert_ledger_is_whole(url: str, store: Store) -> None:
    """Every entry has one place, and the tree was grown by one epoch after the other."""
    database = await asyncpg.connect(url)
    entries, places, last = await database.fetchrow(
        "SELECT (SELECT count(*) FROM ledger_entries), count(*), max(log_index) FROM log_entries"
    )
    await database.close()
    assert (places, last) == (entries, entries - 1)
    assert (await leaders(store)).get(SEQUENCER) is None
