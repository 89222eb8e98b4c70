"""The table of `benchmarks.http_submit`, and whether its bars are met."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol

BAR_HTTPX = 4.0
"""Times the requests/s of the httpx proxy, at 32 callers."""
BAR_AIOHTTP = 0.8
"""Times those of the proxy on aiohttp's transport, at 32 callers."""
BAR_ADDED_MS = 5.0
"""Median that the gateway adds to a direct call, one caller."""
BAR_MEMORY_MB = 200.0

NAMES = {
    "stub": "the stub, called directly",
    "httpx": "proxy, httpx",
    "httpx-on-aiohttp": "proxy, httpx on an aiohttp transport",
    "aiohttp": "proxy, aiohttp itself",
    "gateway": "**gateway**",
}


class Numbers(Protocol):
    """All runs of a way at a number of callers."""

    def median(self, number: str) -> float: ...


@dataclass
class Facts:
    """How it was measured. `memory_mb`: resident size of the gateway at the end; `sync_ms`: time that syncing 4 kB to
    disk takes; `costs`: part and share."""

    seconds: float
    rounds: int
    memory_mb: float
    sync_ms: float
    costs: list[tuple[str, float]]


def report(seen: Mapping[tuple[str, int], Numbers], facts: Facts, callers: Sequence[int]) -> str:
    """The whole file."""
    most = callers[-1]
    lines = [
        "# HTTP: orders per second, from the request to the number",
        "",
        _how(facts),
        "",
        "| | "
        + " | ".join(f"{one} callers" for one in callers)
        + " | at 1: median | at 32: median, p99 | CPU a request, at 1, at 32 |",
        "|---|" + "---|" * (len(callers) + 3),
        *(_row(seen, way, callers) for way in NAMES),
        "",
        (
            f"CPU a request: of the serving process, all its threads. At {most} callers the gateway's nats-server "
            f"takes {seen['gateway', most].median('children_cpu_ms'):.2f} ms more. When a run at {most} callers ended, "
            f"{seen['gateway', most].median('events_left'):,.0f} events were not published yet; that took "
            f"{seen['gateway', most].median('drained_s'):.1f} s (medians)."
        ),
        "",
        *_bars(seen, facts, most),
        *_costs(facts),
        "Command: `python -m benchmarks.http_submit`",
        "",
    ]
    return "\n".join(lines)


def _how(facts: Facts) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("granian", "litestar", "aiohttp", "httpx"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}, {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, {libraries}, SQLite {sqlite3.sqlite_version}; "
        f"syncing 4 kB takes {facts.sync_ms:.2f} ms, load average {os.getloadavg()[1]:.1f} over five minutes. "
        f"Callers, server, nats-server and ERP stub share these cores: read the ratios. Medians of {facts.rounds} "
        f"alternating rounds of {facts.seconds:g} s. Each request is a new order of one line, forwarded by the proxies "
        "as it came and without any record; the gateway checks token and body, routes, commits twice with "
        "synchronous=FULL, calls the stub through `adapters.transport.HttpTransport`, and publishes its events from "
        "the outbox to the embedded nats-server while it serves. All servers run on granian with the same settings; "
        "every client may hold 32 connections to the stub."
    )


def _row(seen: Mapping[tuple[str, int], Numbers], way: str, callers: Sequence[int]) -> str:
    rates = " | ".join(f"{seen[way, one].median('rate'):,.0f}" for one in callers)
    first, last = seen[way, callers[0]], seen[way, callers[-1]]
    cpu = "" if way == "stub" else f"{first.median('cpu_ms'):.2f} ms, {last.median('cpu_ms'):.2f} ms"
    return (
        f"| {NAMES[way]} | {rates} | {first.median('median_ms'):.2f} ms | "
        f"{last.median('median_ms'):.1f} ms, {last.median('p99_ms'):.1f} ms | {cpu} |"
    )


def _bars(seen: Mapping[tuple[str, int], Numbers], facts: Facts, most: int) -> list[str]:
    rate = {way: seen[way, most].median("rate") for way in NAMES}
    added = seen["gateway", 1].median("median_ms") - seen["stub", 1].median("median_ms")
    refused = sum(seen["gateway", one].median("refused") for one in (1, most))
    found = [
        ("gateway ÷ httpx proxy", rate["gateway"] / rate["httpx"], BAR_HTTPX),
        ("gateway ÷ proxy with httpx on an aiohttp transport", rate["gateway"] / rate["httpx-on-aiohttp"], BAR_AIOHTTP),
    ]
    return [
        f"| bar ({most} callers where not said) | measured | wanted | |",
        "|---|---|---|---|",
        *(f"| {name} | {ratio:.2f} | ≥ {bar:g} | {_verdict(ratio >= bar)} |" for name, ratio, bar in found),
        f"| gateway ÷ proxy with aiohttp itself | {rate['gateway'] / rate['aiohttp']:.2f} | no bar | |",
        f"| added latency, one caller | {added:.2f} ms | ≤ {BAR_ADDED_MS:g} ms | {_verdict(added <= BAR_ADDED_MS)} |",
        (
            f"| resident memory at the end | {facts.memory_mb:.0f} MB | ≤ {BAR_MEMORY_MB:.0f} MB | "
            f"{_verdict(facts.memory_mb <= BAR_MEMORY_MB)} |"
        ),
        f"| answers of the gateway that were not 201 | {refused:.0f} | 0 | {_verdict(refused == 0)} |",
        "",
    ]


def _verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


def _costs(facts: Facts) -> list[str]:
    if not facts.costs:
        return ["No profile: py-spy was not at hand.", ""]
    return [
        (
            "The largest costs of the gateway's Python threads under 32 callers (py-spy, samples of running threads; "
            "the Rust threads of granian are not among them):"
        ),
        "",
        *(f"{place}. {part}: {share:.0%}" for place, (part, share) in enumerate(facts.costs[:5], 1)),
        "",
    ]
