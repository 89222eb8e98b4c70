"""Whether one system, or one long run, takes from others: the lanes under load, in one gateway process over HTTP.

1. The cloud ERP answers after 30 s: what the legacy ERP is sent, by callers who wait and by the worker, beside what it
   is sent when the cloud ERP is quiet.
2. A bulk run of invoices is in progress: the latency of callers who wait, beside the latency without it.

Both ERPs are stubs that answer after `--erp-ms`. The run is accepted before its gateway starts, as a batch is: many in
one commit. Run: `python -m benchmarks.isolation [--bulk 100000] [--jobs 1500] [--seconds 10]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gateway_on_stub import use_stub_drivers, write_data
from benchmarks.http_submit import Way, load, started, wait_for
from benchmarks.isolation_report import Found, report
from benchmarks.preload import preload
from gateway.auth import DEFAULT_CLIENTS
from gateway.demo.ports import hold_any_port
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer

CALLERS = 8
SLOW_S = 30.0
TO_CLOUD = {"businessUnit": "Western", "geography": "US"}
ROUNDS = 3
PATIENCE_S = 600.0
"""How long a run may take to be worked off."""


@dataclass
class Erp:
    """A stub and its address."""

    process: subprocess.Popen[str]
    url: str

    def switch(self) -> None:
        """To its other pace."""
        self.process.send_signal(signal.SIGUSR1)


def _erp(stack: ExitStack, first_s: float, then_s: float) -> Erp:
    process = stack.enter_context(started("benchmarks.slow_stub", str(first_s), str(then_s)))
    assert process.stdout is not None
    return Erp(process, f"http://127.0.0.1:{int(process.stdout.readline())}")


@contextmanager
def _gateway(directory: Path, legacy: Erp, cloud: Erp, run: Mapping[str, int]) -> Iterator[Way]:
    """A gateway on an empty record, but for a run: documents by place."""
    data = Path(tempfile.mkdtemp(dir=directory))
    port = hold_any_port()
    write_data(data, legacy.url, port, cloud.url)
    if run:
        asyncio.run(preload(data, run))
    with started("benchmarks.gateway_on_stub", str(data), legacy.url, str(port)) as process:
        wait_for(port, process)
        token = embedded_issuer(data, load_settings(data), time.time).mint(DEFAULT_CLIENTS["salesforce"], 7_200)
        yield Way("gateway", port, None, token)


_DEPTH = re.compile(r'erp_gateway_queue_depth\{lane="bulk",state="(\w+)",system_id="([\w-]+)"\} ([0-9.]+)')


def _bulk_left(way: Way, system_id: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{way.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(int(float(count)) for _, system, count in _DEPTH.findall(text) if system == system_id)


def _worked_off(way: Way, system_id: str, jobs: int) -> float:
    """Jobs/s of a run from now to its end."""
    begun, before = time.monotonic(), _bulk_left(way, system_id)
    while _bulk_left(way, system_id):
        if time.monotonic() - begun > PATIENCE_S:
            raise TimeoutError(f"{system_id} is not through with {jobs} jobs")
        time.sleep(0.05)
    return before / (time.monotonic() - begun)


@contextmanager
def _cloud_callers(way: Way, seconds: float) -> Iterator[None]:
    # they are answered 202 after 8 s: whoever waits for the end of the run does not wait for them
    arguments = [str(way.port), str(CALLERS), str(seconds), f"{time.time_ns():x}", way.token, json.dumps(TO_CLOUD)]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_load", *arguments], stdout=subprocess.DEVNULL
    ) as callers:
        yield
        callers.terminate()


def slow_system(directory: Path, jobs: int, seconds: float, erp_s: float) -> Found:
    """The legacy ERP alone, and beside a cloud ERP that answers after 30 s."""
    with ExitStack() as stack:
        legacy, cloud = _erp(stack, erp_s, erp_s), _erp(stack, SLOW_S, SLOW_S)
        with _gateway(directory, legacy, cloud, {"legacy": jobs}) as quiet:
            alone_jobs = _worked_off(quiet, "legacy-main", jobs)
            with _gateway(directory, legacy, cloud, {"legacy": jobs, "cloud": jobs}) as way:
                beside_jobs = _worked_off(way, "legacy-main", jobs)
                pairs = [_in_turn(quiet, way, seconds) for _ in range(ROUNDS)]
                left = _bulk_left(way, "cloud-main")
    alone, beside = (_median([pair[at] for pair in pairs]) for at in (0, 1))
    return Found(alone, beside, alone_jobs, beside_jobs, left)


def _in_turn(quiet: Way, way: Way, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two gateways one after the other, so that a noisy minute hits both; whoever is not asked is idle."""
    load(quiet, CALLERS, 0.5)
    alone = load(quiet, CALLERS, seconds)
    with _cloud_callers(way, seconds + 1):
        load(way, CALLERS, 0.5)
        return alone, load(way, CALLERS, seconds)


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return sorted(runs, key=lambda one: float(one["rate"]))[len(runs) // 2]


def bulk_run(directory: Path, bulk: int, seconds: float, erp_s: float) -> Found:
    """Callers who wait, without and with a bulk run in progress."""
    with ExitStack() as stack:
        legacy, cloud = _erp(stack, erp_s, erp_s), _erp(stack, erp_s, erp_s)
        with _gateway(directory, legacy, cloud, {}) as way:
            load(way, CALLERS, 1.0)
            alone = load(way, CALLERS, seconds)
        with _gateway(directory, legacy, cloud, {"legacy": bulk}) as way:
            load(way, CALLERS, 1.0)
            begun, before = time.monotonic(), _bulk_left(way, "legacy-main")
            beside = load(way, CALLERS, seconds)
            left = _bulk_left(way, "legacy-main")
            rate = (before - left) / (time.monotonic() - begun)
    return Found(alone, beside, 0.0, rate, left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bulk", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1_500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--erp-ms", type=float, default=50.0)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "isolation.md")
    arguments = parser.parse_args()
    use_stub_drivers()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory, erp_s = Path(name), arguments.erp_ms / 1_000
        slow = slow_system(directory, arguments.jobs, arguments.seconds, erp_s)
        run = bulk_run(directory, arguments.bulk, arguments.seconds, erp_s)
    facts: dict[str, Any] = vars(arguments) | {"callers": CALLERS, "slow_s": SLOW_S, "cores": os.cpu_count()}
    text = report(slow, run, facts)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
