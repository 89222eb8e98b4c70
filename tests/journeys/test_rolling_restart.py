"""Two processes behind a balancer are restarted one by one under load: no request fails, nothing is posted twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gateway.auth.clients import Client
from gateway.domain.caller import DataScope
from gateway.domain.leaders import RELAY, SEQUENCER
from gateway.domain.queries import TransactionFilter, Visible
from gateway.messaging.jetstream import NatsStream, StoredMessage
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.server import EmbeddedServer
from gateway.messaging.server_directory import ServerAddress
from gateway.settings import load_settings
from gateway.store.store import Store, open_store
from gateway.wiring.issuer import embedded_issuer
from tests.journeys.balancer import Balancer, CountingErp, answers_ready, listening
from tests.journeys.test_activation import CUSTOMERS, written
from tests.line.rig import order
from tests.messaging.conftest import lineages_in_order
from tests.ports import reserved_port

CALLERS = 6
THINK_S = 0.1
PLACES = 3
"""Operations that each of the two systems allows at once."""
ROUNDS = 2
LEAVE_S = 8.0
"""In which the balancer looks, and each caller comes once more and is told to leave, on a busy machine too."""
STOP_S = 90.0
"""Twice what docs/operations.md says of the end of a process."""
PATIENCE_S = 30.0
"""For an answer of NATS."""
READY_S = 90.0
SETTLED_S = 270.0
"""What a process stopped with is asked for when its lease is over: that of a claimed job, or of one posting."""

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(1_200)]


class Gateway:
    """One process, which is started again on its port."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = reserved_port()
        self._log = data / f"gateway-{self.port}.log"
        self._child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = {
            **os.environ,
            "ERP_GATEWAY_HTTP__PORT": str(self.port),
            "ERP_GATEWAY_HTTP__LEAVE_S": str(LEAVE_S),
        }
        with self._log.open("ab") as output:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.journeys.restart_gateway", str(self._data)),
                stdout=output,
                stderr=output,
                env=environment,
                cwd=Path(__file__).parents[2],
            )

    async def stop(self) -> float:
        """SIGTERM; the seconds that it took to end well."""
        assert self._child is not None
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = await asyncio.wait_for(self._child.wait(), STOP_S)
        assert code == 0, self.log()
        return time.monotonic() - began

    async def is_ready(self) -> bool:
        """Whether it says so."""
        self.assert_runs()
        return await answers_ready(self.port)

    def assert_runs(self) -> None:
        """It was started, and did not end by itself."""
        assert self._child is not None
        assert self._child.returncode is None, self.log()

    def log(self) -> str:
        """Its end."""
        return self.whole_log()[-4_000:]

    def whole_log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Send it to the process."""
        assert self._child is not None
        self._child.send_signal(number)

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def kill(self) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.kill()


class Load:
    """What the callers sent and got."""

    def __init__(self, port: int, token: str, prefix: str = "SO-") -> None:
        self._url, self._token, self._prefix = f"http://127.0.0.1:{port}", token, prefix
        self._numbers = itertools.count()
        self.accepted: set[str] = set()
        self.failed: list[str] = []
        self.stop = False

    async def call(self) -> None:
        """One caller, which keeps its connection as long as it may."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(headers=headers, limits=httpx.Limits(max_connections=1), timeout=60) as http:
            while not self.stop:
                number = next(self._numbers)
                body = order(f"{self._prefix}{number}", businessUnit="Eastern", geography="DE")
                body["customer"] = {"externalId": f"C{number % CUSTOMERS}"}
                try:
                    answer = await http.post(f"{self._url}/v1/orders", json=body)
                except httpx.HTTPError as error:
                    self.failed.append(f"SO-{number}: {error!r}")
                else:
                    if answer.status_code in {201, 202}:
                        self.accepted.add(answer.json()["transactionId"])
                    else:
                        self.failed.append(f"SO-{number}: {answer.status_code} {answer.text}")
                await asyncio.sleep(THINK_S)


async def until(met: object, what: str, limit_s: float = READY_S) -> None:
    end = time.monotonic() + limit_s
    while not await met():  # type: ignore[operator]
        assert time.monotonic() < end, what
        await asyncio.sleep(0.05)


async def leaders(store: Store) -> dict[str, tuple[str, int]]:
    """Who leads relay and sequencer, and under which epoch."""
    return {one.task: (one.process_id, one.epoch) for one in await store.reads.leases() if one.left > 0}


async def roll(store: Store, balancer: Balancer, gateways: list[Gateway], load: Load) -> list[str]:
    """Restart each in turn, as often as ROUNDS says; what was led by whom, in order."""
    led: list[str] = []

    async def all_ready() -> bool:
        for one in gateways:
            one.assert_runs()
        return balancer.ready == {one.port for one in gateways} and len(load.accepted) > 0

    for one in gateways * ROUNDS:
        await until(all_ready, one.log())
        before, accepted = await leaders(store), len(load.accepted)
        await one.stop()

        after: dict[str, tuple[str, int]] = {}

        async def taken_over(found: dict[str, tuple[str, int]] = after) -> bool:
            now = await leaders(store)
            found.clear()
            found.update(now)
            return {RELAY, SEQUENCER} <= now.keys() and all(now[task][0] for task in now)

        await until(taken_over, f"nobody leads: {await leaders(store)}", 30)
        for task in (RELAY, SEQUENCER):
            # nobody, where a busy machine let the lease end just then
            led_by, epoch = before.get(task, (None, 0))
            if led_by is not None and after[task][0] != led_by:
                assert after[task][1] > epoch
                led.append(task)

        async def goes_on(known: int = accepted) -> bool:
            return len(load.accepted) > known + CALLERS

        await until(goes_on, "the other one takes nothing", 60)
        await one.start()
    await until(all_ready, "the last one does not come back")
    return led


async def test_two_processes_are_restarted_under_load_and_no_request_fails(tmp_path: Path, postgres_url: str) -> None:
    nats = EmbeddedServer(tmp_path / "nats")
    address = await nats.start()
    data, erp = tmp_path / "data", CountingErp(0.1)
    written(data, (address.url, f"{address.user}:{address.password}"), postgres_url)
    gateways = [Gateway(data), Gateway(data)]
    balancer = Balancer([one.port for one in gateways])
    connection = patient_connection(address)
    probing = asyncio.create_task(balancer.probe())
    try:
        async with listening(erp) as erp_port, listening(balancer) as port:
            text = (data / "gateway.toml").read_text(encoding="utf-8")
            text = text.replace("http://127.0.0.1:9", f"http://127.0.0.1:{erp_port}/one", 1)
            text = text.replace("http://127.0.0.1:9", f"http://127.0.0.1:{erp_port}/other", 1)
            (data / "gateway.toml").write_text(text, encoding="utf-8")
            rulebook = next(data.rglob("rulebook.yaml"))
            budgets = re.sub(r"concurrent: \d+", f"concurrent: {PLACES}", rulebook.read_text(encoding="utf-8"))
            rulebook.write_text(budgets, encoding="utf-8")
            await gateways[0].start()

            async def first() -> bool:
                return gateways[0].port in balancer.ready

            await until(first, gateways[0].log())
            await gateways[1].start()
            store = await open_store(postgres_url)
            settings = load_settings(data)
            scope = frozenset({"documents:submit", "documents:read"})
            client = Client("salesforce", "salesforce", scope, DataScope(None, None))
            load = Load(port, embedded_issuer(data, settings, time.time).mint(client))
            callers = [asyncio.create_task(load.call()) for _ in range(CALLERS)]
            led = await roll(store, balancer, gateways, load)
            load.stop = True
            await asyncio.gather(*callers)
            await all_is_settled(store, load)

            async def placed() -> bool:
                return await store.log.waiting(1) == 0

            # at its end a process gives the last places some seconds only; the next start would give the rest
            await until(placed, "the ledger has entries without a place")
            for one in gateways:
                await one.stop()
        assert not load.failed, "\n".join(load.failed[:5])
        assert balancer.unserved == 0
        assert {RELAY, SEQUENCER} <= set(led)
        assert len(erp.posted) == len(load.accepted)
        assert set(erp.posted.values()) == {1}
        # the budget holds over all processes together, and is used
        assert len(erp.most_at_once) == 2
        assert PLACES - 1 <= max(erp.most_at_once.values()) <= PLACES
        assert await store.log.waiting(1) == 0
        in_order = lineages_in_order(await everything(NatsStream(connection)))
        in_order.pop("control")
        assert len(in_order) == len(load.accepted)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in in_order.values())
        await connection.close()
        await store.close()
    finally:
        probing.cancel()
        for one in gateways:
            one.kill()
        await nats.stop()


def patient_connection(address: ServerAddress) -> NatsConnection:
    """One that does not give a busy machine up."""
    settings = NatsSettings((address.url,), "test", address.user, address.password)
    return NatsConnection(replace(settings, connect_timeout_s=PATIENCE_S, answer_timeout_s=PATIENCE_S))


async def everything(stream: NatsStream) -> list[StoredMessage]:
    """All messages, in the stream's order."""
    end = await stream.prepare()
    reader = await stream.read_after(0)
    found: list[StoredMessage] = []
    while not found or found[-1].stream_sequence < end.last_sequence:
        messages = await reader.next(1_000, wait_s=20)
        assert messages, "the stream does not tell all that it has"
        found += messages
    await reader.close()
    return found


async def left_open(store: Store) -> list[object]:
    """What is neither ended nor published: some of it."""
    transactions = [
        one
        for status in ("accepted", "routed", "dispatched", "unknown")
        for one in await store.reads.transactions(TransactionFilter(status=status), Visible(), 10, None)
    ]
    return [*transactions, *await store.outbox.pending(1)]


async def all_is_settled(store: Store, load: Load) -> None:
    """Every order that was accepted is posted, every event published."""

    async def settled() -> bool:
        return not await left_open(store)

    try:
        await until(settled, "something is left open", SETTLED_S)
    except AssertionError as error:
        raise AssertionError(await left_open(store)) from error
    assert load.accepted
