"""Real processes and real signals: the first ends in good order, the second at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from benchmarks.gateway_on_stub import write_data
from gateway.auth import DEFAULT_CLIENTS
from gateway.domain.leaders import StandingLease
from gateway.settings import load_settings
from gateway.store.store import open_store
from gateway.wiring.issuer import embedded_issuer
from tests.ports import reserved_port

TASKS: Final = 7
"""Tasks that one process does for all."""
SALESFORCE: Final = DEFAULT_CLIENTS["salesforce"]
LIMIT_S = 60.0


def until(met: Callable[[], bool], what: Callable[[], str]) -> None:
    end = time.monotonic() + LIMIT_S
    while not met():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


@contextmanager
def gateway(tmp_path: Path, command: str, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """A process that is ready: the child, its address, its log."""
    data, port = tmp_path / "data", reserved_port()
    data.mkdir()
    write_data(data, "http://127.0.0.1:9", port)
    log = data / "log"
    environment = os.environ | {f"ERP_GATEWAY_{name}": value for name, value in settings.items()}
    environment["ERP_GATEWAY_WORK__PORT"] = str(port)
    environment["ERP_GATEWAY_TELEMETRY__LOG_LEVEL"] = "info"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.restart_gateway", str(data), command],
            stdout=output,
            stderr=output,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(url), lambda: log.read_text(encoding="utf-8")[-3_000:])
        yield child, url, log
    finally:
        child.kill()
        child.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


async def leases(data: Path) -> dict[str, StandingLease]:
    store = await open_store(f"sqlite:///{data / 'gateway.db'}")
    found = {one.task: one for one in await store.reads.leases()}
    await store.close()
    return found


async def test_the_first_signal_ends_it_in_good_order_and_hands_every_task_over(tmp_path: Path) -> None:
    with gateway(tmp_path, "serve") as (child, _, log):
        until(
            lambda: log.read_text(encoding="utf-8").count("lead_taken") == TASKS,
            lambda: log.read_text(encoding="utf-8"),
        )
        led = await leases(tmp_path / "data")
        assert {one.left > 1_000_000_000_000 for one in led.values()} == {True}
        child.send_signal(signal.SIGTERM)
        assert child.wait(LIMIT_S) == 0
    left = await leases(tmp_path / "data")
    assert len(left) == TASKS
    assert {(one.process_id, one.left <= 0) for one in left.values()} == {("", True)}


def test_the_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """The first one waits for a request that hangs: a caller who says what it will send, and sends nothing."""
    with (
        gateway(tmp_path, "serve") as (child, url, log),
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as slow,
    ):
        token = embedded_issuer(tmp_path / "data", load_settings(tmp_path / "data"), time.time).mint(SALESFORCE)
        head = ("POST /v1/orders HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Content-Length: 100")
        slow.sendall("\r\n".join((*head, "Content-Type: application/json", "Expect: 100-continue", "", "")).encode())
        slow.settimeout(LIMIT_S)
        # the gateway reads the body, of which nothing comes: somebody known is under way
        assert slow.recv(200).startswith(b"HTTP/1.1 100 Continue")
        child.send_signal(signal.SIGINT)
        until(lambda: "stopping" in log.read_text(encoding="utf-8"), lambda: log.read_text(encoding="utf-8"))
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        # by our own exit, or by the system's where the handlers are gone already: a shell sees 143 for both
        assert child.wait(LIMIT_S) in {128 + signal.SIGTERM, -signal.SIGTERM}
        assert time.monotonic() - began < 8  # the body that it waits for has ten seconds


def test_a_process_without_an_api_shows_only_how_it_is(tmp_path: Path) -> None:
    with gateway(tmp_path, "work", TELEMETRY__PUBLIC_METRICS="true") as (child, url, log):
        until(lambda: 'erp_gateway_leads{task="relay"} 1.0' in httpx.get(f"{url}/metrics").text, lambda: "no lead")
        assert httpx.get(f"{url}/v1/orders").status_code == 404
        child.send_signal(signal.SIGTERM)
        assert child.wait(LIMIT_S) == 0, log.read_text(encoding="utf-8")[-3_000:]
