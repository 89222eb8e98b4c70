"""The whole request in one process: HTTP, token, line, SQLite FULL, the ERP call, events out on NATS.

Beside it, in alternating runs against the same ERP stub: the stub called directly, and forwarding proxies that keep no
record. Load comes from a process of its own. Run: `python -m benchmarks.http_submit [--seconds 1.5] [--rounds 5]
[--py-spy PATH]`; with py-spy the gateway is sampled once more at 32 callers after the measured runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.http_submit_report import Facts, report
from benchmarks.sampled_costs import costs
from gateway.auth import DEFAULT_CLIENTS
from gateway.demo.ports import hold_any_port
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer

CALLERS = (1, 8, 32)
START_S = 30.0
"""How long a server may take to answer."""
DRAIN_S = 10.0
"""How long the gateway may take to publish what a run left, before the next run begins."""
PROFILE_S = 5


@dataclass
class Way:
    """One way for an order to reach the stub. `process` serves it; None where the stub itself does."""

    name: str
    port: int
    process: psutil.Process | None
    token: str = "none"


@dataclass
class Run:
    """One run: the load's own numbers, CPU of the serving process in ms per answer, events not out at its end."""

    load: dict[str, Any]
    cpu_ms: float = 0.0
    children_cpu_ms: float = 0.0
    events_left: int = 0
    drained_s: float = 0.0


@dataclass
class Seen:
    """All runs of a way at a number of callers."""

    runs: list[Run] = field(default_factory=list)

    def median(self, number: str) -> float:
        """Of `rate`, `median_ms`, `p99_ms`, `refused` of the load, else of the run itself."""
        return statistics.median(
            float(run.load[number]) if number in run.load else float(getattr(run, number)) for run in self.runs
        )


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args} does not listen")


def load(way: Way, callers: int, seconds: float) -> dict[str, Any]:
    prefix = f"{time.time_ns():x}"
    arguments = [str(way.port), str(callers), str(seconds), prefix, way.token]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.http_load", *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _events_left(way: Way) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{way.port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("erp_gateway_outbox_events "):
                return int(float(line.split()[1]))
    raise RuntimeError("the metric of the outbox is gone")


def measure(way: Way, callers: int, seconds: float) -> Run:
    """One run; for the gateway also what it had not published yet, and how long that then took."""
    if way.process is None:
        return Run(load(way, callers, seconds))
    children = way.process.children()
    before, before_children = _cpu(way.process), sum(_cpu(one) for one in children)
    answered = load(way, callers, seconds)
    run = Run(answered)
    if way.name == "gateway":
        begun = time.monotonic()
        run.events_left = left = _events_left(way)
        while left and time.monotonic() - begun < DRAIN_S:
            time.sleep(0.1)
            left = _events_left(way)
        run.drained_s = time.monotonic() - begun
    # after the drain: publishing what a run caused is part of its cost
    answers = max(1, int(answered["answered"]))
    run.cpu_ms = (_cpu(way.process) - before) / answers * 1_000
    run.children_cpu_ms = (sum(_cpu(one) for one in children) - before_children) / answers * 1_000
    return run


def _ways(stack: ExitStack, directory: Path) -> list[Way]:
    stub = stack.enter_context(started("benchmarks.erp_stub"))
    assert stub.stdout is not None
    stub_port = int(stub.stdout.readline())
    url = f"http://127.0.0.1:{stub_port}"
    ways = [Way("stub", stub_port, None)]
    for name in ("httpx", "httpx-on-aiohttp", "aiohttp"):
        port = hold_any_port()
        proxy = stack.enter_context(started("benchmarks.forwarding", name, url, str(port)))
        wait_for(port, proxy)
        ways.append(Way(name, port, psutil.Process(proxy.pid)))
    port = hold_any_port()
    gateway = stack.enter_context(started("benchmarks.gateway_on_stub", str(directory), url, str(port)))
    wait_for(port, gateway)
    issuer = embedded_issuer(directory, load_settings(directory), time.time)
    token = issuer.mint(DEFAULT_CLIENTS["salesforce"], 3_600)
    ways.append(Way("gateway", port, psutil.Process(gateway.pid), token))
    return ways


def _sync_ms(directory: Path) -> float:
    """Median time of writing 4 kB and syncing it to disk, in ms: what every commit waits for at least."""
    taken: list[float] = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            begun = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(taken)


def _sampled(py_spy: str, way: Way) -> list[tuple[str, float]]:
    """The gateway's costs under load of 32 callers."""
    assert way.process is not None
    arguments = [str(way.port), "32", str(PROFILE_S + 2), f"{time.time_ns():x}", way.token]
    with subprocess.Popen([sys.executable, "-m", "benchmarks.http_load", *arguments], stdout=subprocess.DEVNULL):
        time.sleep(1)
        return costs(py_spy, way.process.pid, PROFILE_S)


def run(seconds: float, rounds: int, py_spy: str | None) -> tuple[dict[tuple[str, int], Seen], Facts]:
    """All ways in turn at every number of callers, `rounds` times."""
    seen: dict[tuple[str, int], Seen] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        ways = _ways(stack, directory)
        for way in ways:
            load(way, 8, 1.0)
        for _ in range(rounds):
            for callers in CALLERS:
                for way in ways:
                    seen.setdefault((way.name, callers), Seen()).runs.append(measure(way, callers, seconds))
        gateway = ways[-1]
        assert gateway.process is not None
        memory = gateway.process.memory_info().rss / 1_000_000
        sampled = _sampled(py_spy, gateway) if py_spy else []
        facts = Facts(seconds, rounds, memory, _sync_ms(directory), sampled)
    return seen, facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--py-spy", default=shutil.which("py-spy"))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "http_submit.md")
    arguments = parser.parse_args()
    seen, facts = run(arguments.seconds, arguments.rounds, arguments.py_spy)
    text = report(seen, facts, CALLERS)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
