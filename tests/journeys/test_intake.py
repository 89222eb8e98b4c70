"""A gateway as it is served, killed with -9 in the middle of a batch and of messages, and sent the same again: nothing
twice, nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.messaging.intake_stream import CONSUMER, STREAM
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.server_directory import ServerDirectory
from tests.command_line import erp_gateway
from tests.intake.batches import body, line
from tests.intake.nats import event
from tests.integration.test_wiring import NOBODY, SETTINGS, TABLES
from tests.line.documents import customer
from tests.ports import reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COMMAND = Path(sys.executable).with_name("erp-gateway")
LINES = 2_000
MESSAGES = 200
SOON_S = 200.0
"""What was handed to a gateway that died is handed out again after a minute."""
PATIENCE_S = 30.0
"""For one answer of NATS."""
SOURCES = [{"subject": "erp.intake.customers", "client": "salesforce", "source": "salesforce"}]


class Served:
    """`erp-gateway serve` on a directory; nobody answers at the addresses of its ERPs."""

    def __init__(self, directory: Path) -> None:
        self.data = directory
        self.port = reserved_port()
        shutil.copytree(TABLES, directory / "rulebook")
        (directory / "secret").write_text("s", encoding="utf-8")
        settings = SETTINGS.format(url=NOBODY).replace("port = 8099", f"port = {self.port}")
        (directory / "gateway.toml").write_text(settings, encoding="utf-8")
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "ERP_GATEWAY_INTAKE__SOURCES": json.dumps(SOURCES),
            "ERP_GATEWAY_INTAKE__AGAIN_S": "0.2",
        }
        with (self.data / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve", "--data", self.data], stdout=log, stderr=log, env=environment
            )
        self.until(self._is_ready, "the gateway is not ready")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def until(self, met: Any, what: str) -> None:
        end = time.monotonic() + SOON_S
        while not met():
            assert self._process is not None
            assert self._process.poll() is None, (self.data / "log").read_text()[-4_000:]
            assert time.monotonic() < end, what
            time.sleep(0.05)

    def count(self, query: str) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def token(self) -> str:
        done = erp_gateway("token", "--client", "salesforce", "--data", self.data)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False

    @contextlib.asynccontextmanager
    async def nats(self) -> Any:
        address = ServerDirectory(self.data / "nats").address()
        assert address is not None
        settings = NatsSettings((address.url,), user=address.user, password=address.password)
        connection = NatsConnection(replace(settings, connect_timeout_s=PATIENCE_S, answer_timeout_s=PATIENCE_S))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    gateway = Served(tmp_path)
    gateway.start()
    yield gateway
    gateway.stop()


def test_killed_in_the_middle_of_a_batch(served: Served, tmp_path: Path) -> None:
    lines = [line("customers", customer(f"B-{number}")) for number in range(LINES)]
    whole = body(*lines)
    (tmp_path / "run.jsonl").write_bytes(whole)

    def killed_on_the_way() -> Iterator[bytes]:
        yield whole[: len(whole) * 2 // 3]
        served.until(lambda: served.count("SELECT count(*) FROM batch_lines") > 0, "nothing was taken in")
        served.kill()
        yield whole[len(whole) * 2 // 3 :]

    headers = {
        "Authorization": f"Bearer {served.token()}",
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": "run-1",
    }
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{served.url}/v1/batches", content=killed_on_the_way(), headers=headers, timeout=60)
    received = served.count("SELECT received FROM batches")
    assert 0 < received < LINES
    served.start()
    where = ("--as", "salesforce", "--data", served.data)
    sent = erp_gateway("batches", "send", tmp_path / "run.jsonl", "--key", "run-1", "--json", *where, limit_s=120)
    assert sent.returncode == 0, sent.stderr
    found = json.loads(sent.stdout)
    assert {name: found[name] for name in ("batchState", "received", "accepted", "refused", "waiting")} == {
        "batchState": "complete", "received": LINES, "accepted": LINES, "refused": 0, "waiting": 0,
    }  # fmt: skip
    assert served.count("SELECT count(*) FROM transactions WHERE external_id LIKE 'B-%'") == LINES
    assert served.count("SELECT count(*) FROM natural_keys WHERE external_id LIKE 'B-%'") == LINES
    shown = erp_gateway("batches", "show", found["batchId"], *where)
    assert f"{LINES} accepted" in shown.stdout, shown.stderr


def test_killed_in_the_middle_of_messages(served: Served) -> None:
    served.until(lambda: asyncio.run(_is_there(served)), "the stream is not there")
    asyncio.run(_publish(served, 0, MESSAGES // 2))
    served.until(lambda: served.count("SELECT count(*) FROM transactions") > 0, "nothing was taken in")
    asyncio.run(_publish(served, MESSAGES // 2, MESSAGES))
    served.kill()
    served.start()
    asyncio.run(_publish(served, 0, 10))
    served.until(lambda: asyncio.run(_left(served)) == 0, "messages are left")
    assert served.count("SELECT count(*) FROM transactions WHERE external_id LIKE 'M-%'") == MESSAGES


async def _publish(served: Served, begin: int, end: int) -> None:
    async with served.nats() as connection:
        for number in range(begin, end):
            async with connection.exchange() as exchange:
                answer = await exchange.request(
                    "erp.intake.customers", event("customers", customer(f"M-{number}"), f"e-{number}")
                )
            assert answer["stream"] == STREAM


async def _is_there(served: Served) -> bool:
    """Whether the gateway has made the stream and its consumer; a sender is told to come again until then."""
    return "num_pending" in await _info(served)


async def _left(served: Served) -> int:
    info = await _info(served)
    return int(info["num_pending"]) + int(info["num_ack_pending"])


async def _info(served: Served) -> dict[str, Any]:
    async with served.nats() as connection, connection.exchange() as exchange:
        return await exchange.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{CONSUMER}")
