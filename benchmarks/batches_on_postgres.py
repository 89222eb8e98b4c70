"""Batches into one PostgreSQL by one process and by two at once; each process is one of its own, as gateways are.

What the server itself takes is told beside it, for it runs on the same processors here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.batch_parts import steady
from gateway.spared import spare_what_stays
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.intake.batches import body, line, send
from tests.line.rig import BILLING, Rig, invoice, order
from tests.store.postgres import RunningServer, running_server

RESULT = "result "


@dataclass(frozen=True)
class Together:
    """Documents a second of all processes; µs of processor time that one takes in its gateway and in the server."""

    name: str
    rate: float
    gateway_us: float
    server_us: float


def measured(lines: int, rounds: int) -> list[Together]:
    """Orders by one and by two processes, then invoices of orders that are posted by one; the fastest of the rounds."""
    found: list[Together] = []
    asked = (("orders, one process", "orders", 1), ("orders, two processes", "orders", 2))
    with running_server(durable=True) as server:
        for name, domain, processes in (*asked, ("invoices of posted orders, one process", "invoices", 1)):
            takes = [_taken(server, name, domain, processes, lines) for _ in range(rounds)]
            found.append(max(takes, key=lambda one: one.rate))
    return found


def _taken(server: RunningServer, name: str, domain: str, processes: int, lines: int) -> Together:
    database = server.create_database()
    url = server.url(database)
    asyncio.run(migrate(url))
    started = [_started(url, domain, number, lines) for number in range(processes)]
    before, begin = _server_seconds(server), time.perf_counter()
    for one in started:
        print("go", file=one.stdin, flush=True)
    spent = [json.loads(_line(one, RESULT)) for one in started]
    wall, server_s = time.perf_counter() - begin, _server_seconds(server) - before
    for one in started:
        one.communicate("end\n", timeout=60)
    server.drop_database(database)
    documents = lines * processes
    return Together(name, documents / wall, sum(spent) / documents * 1e6, server_s / documents * 1e6)


def _started(url: str, domain: str, number: int, lines: int) -> subprocess.Popen[str]:
    """A process that is ready, and waits for the word."""
    command = [sys.executable, "-m", "benchmarks.batches_on_postgres", "--url", url, "--domain", domain]
    command += ["--number", str(number), "--lines", str(lines)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _line(process, "ready")
    return process


def _line(process: subprocess.Popen[str], begin: str) -> str:
    assert process.stdout is not None
    for text in process.stdout:
        if text.startswith(begin):
            return text.removeprefix(begin)
    raise RuntimeError(f"the process ended with {process.wait()} before it said {begin!r}")


def _server_seconds(server: RunningServer) -> float:
    """Of the server and all its processes, ended ones included."""
    root = psutil.Process(server.process.pid)
    times = [root.cpu_times(), *(one.cpu_times() for one in root.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return float(ended + sum(one.user + one.system for one in times))


async def _take(url: str, domain: str, number: int, lines: int) -> None:
    """One process: get ready, wait for the word, take the batch in, and tell the processor's seconds."""
    store = await open_store(url)
    try:
        rig = await Rig.on(store, f"prc_{number}", seed=number * 1_000_000_000)
        steady(rig)
        names = [str(100_000 * (number + 1) + one) for one in range(lines)]
        batch = [line("orders", order(name)) for name in names]
        how: dict[str, Any] = {}
        if domain == "invoices":
            await send(rig, [body(*batch)])
            while await rig.line.work(100):
                await rig.line.drain(60.0)
            batch, how = [line("invoices", invoice(f"INV-{name}", name)) for name in names], {"caller": BILLING}
        spare_what_stays()
        print("ready", flush=True)
        sys.stdin.readline()
        cpu = time.process_time()
        done = await send(rig, [body(*batch[begin : begin + 50]) for begin in range(0, lines, 50)], **how)
        print(f"{RESULT}{time.process_time() - cpu}", flush=True)
        assert done.received == lines
        sys.stdin.readline()
    finally:
        await store.close()


def main() -> None:
    """One process of those that `measured` starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--lines", type=int, required=True)
    asked = parser.parse_args()
    asyncio.run(_take(asked.url, asked.domain, asked.number, asked.lines))


if __name__ == "__main__":
    main()
