"""The table of `benchmarks.isolation`, and whether its bars are met."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

BAR_SLOW = 0.9
"""Of its throughput alone, that the legacy ERP keeps beside a slow one."""
BAR_P99 = 2.0
"""Times the p99 without a run, that callers who wait may see beside one."""


@dataclass
class Found:
    """Numbers of the load alone and beside the disturbance; jobs/s of the worker; what was left of the disturbance."""

    alone: Mapping[str, Any]
    beside: Mapping[str, Any]
    alone_jobs: float
    beside_jobs: float
    left: int


def report(slow: Found, run: Found, facts: Mapping[str, Any]) -> str:
    """The whole file."""
    callers, erp_ms, slow_s = facts["callers"], facts["erp_ms"], facts["slow_s"]
    kept = slow.beside["rate"] / slow.alone["rate"]
    kept_jobs = slow.beside_jobs / slow.alone_jobs
    times = run.beside["p99_ms"] / run.alone["p99_ms"]
    when = (
        f"{datetime.now(UTC):%Y-%m-%d}; {facts['cores']} cores {platform.machine()}; Python {platform.python_version()}"
    )
    how = (
        f"{when}, SQLite {sqlite3.sqlite_version}, synchronous=FULL; one gateway process with its worker, ledger and "
        f"relay; both ERPs answer after {erp_ms:g} ms; {callers} callers who wait, runs of {facts['seconds']:g} s, "
        "beside the slow ERP medians of three in turn. The cores are shared: read the ratios."
    )
    lines = [
        "# Isolation: what a slow system and a long run take from others",
        "",
        how,
        "",
        f"## The cloud ERP answers after {slow_s:g} s",
        "",
        f"Beside {callers} callers and a run of {facts['jobs']:,} invoices for it; {slow.left:,} were left at the end.",
        "",
        "| legacy ERP | alone | beside the slow one | kept |",
        "|---|---|---|---|",
        f"| callers who wait, documents/s | {slow.alone['rate']:,.0f} | {slow.beside['rate']:,.0f} | {kept:.0%} |",
        f"| their p99 | {slow.alone['p99_ms']:.0f} ms | {slow.beside['p99_ms']:.0f} ms | |",
        (
            f"| bulk run of {facts['jobs']:,}, documents/s | {slow.alone_jobs:,.0f} | {slow.beside_jobs:,.0f} "
            f"| {kept_jobs:.0%} |"
        ),
        "",
        f"Bar: at least {BAR_SLOW:.0%} kept, {_verdict(min(kept, kept_jobs) >= BAR_SLOW)}.",
        "",
        f"## A bulk run of {facts['bulk']:,} invoices for the same ERP",
        "",
        f"It went on at {run.beside_jobs:,.0f} documents/s beside the callers; {run.left:,} were left at the end.",
        "",
        "| callers who wait | without the run | beside it | |",
        "|---|---|---|---|",
        (
            f"| median | {run.alone['median_ms']:.0f} ms | {run.beside['median_ms']:.0f} ms "
            f"| {run.beside['median_ms'] / run.alone['median_ms']:.2f} × |"
        ),
        f"| p99 | {run.alone['p99_ms']:.0f} ms | {run.beside['p99_ms']:.0f} ms | {times:.2f} × |",
        f"| documents/s | {run.alone['rate']:,.0f} | {run.beside['rate']:,.0f} | |",
        "",
        f"Bar: p99 at most {BAR_P99:g} ×, {_verdict(times <= BAR_P99 and run.left > 0)}.",
        "",
        (
            f"Command: `python -m benchmarks.isolation --bulk {facts['bulk']} --jobs {facts['jobs']} "
            f"--seconds {facts['seconds']:g} --erp-ms {erp_ms:g}`"
        ),
        "",
    ]
    return "\n".join(lines)


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
