"""A candidate on the record of a data directory itself. `rules simulate` imports this for a directory of rules."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Final

from gateway.cli.console import Failure
from gateway.cli.record import opened_store
from gateway.cli.running import run
from gateway.cli.simulation_progress import Progress
from gateway.cutover.open_money import OpenMoneyNow
from gateway.cutover.simulation import SimulationRun, Versions, Window, run_simulation
from gateway.cutover.traffic import RecordedTraffic
from gateway.domain.wire import instant
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical

PAGE: Final = 5_000
"""Entries read at once: nobody else waits for this process."""


def simulated(data: Path, candidate: Rulebook, window: Window) -> dict[str, Any]:
    """The result as it would be stored."""
    return run(_simulate(data, candidate, window)).as_json()


async def _simulate(data: Path, candidate: Rulebook, window: Window) -> SimulationRun:
    async with opened_store(data) as store:
        reads = store.reads
        number = (await reads.rules_state()).activation_number
        activation = await reads.activation(number)
        if activation is None:
            raise Failure(f"no rulebook was ever in force on {data}: start its gateway once")
        base = rulebook_from_canonical(activation.rules, activation.governance)
        expected = await reads.count_routed(window.since, window.until)
        # Two rulebooks of many rows stay to the end: without this they are looked through again and again.
        gc.freeze()
        shown = Progress()

        async def progress(read: int) -> None:
            shown.show(read, expected)

        traffic = RecordedTraffic(
            reads, base, candidate, window.since, window.until, activations=reads, opened=OpenMoneyNow(reads)
        )
        run_ = await run_simulation(
            base,
            candidate,
            Versions.of(candidate, base, number),
            window,
            traffic,
            page=PAGE,
            progress=progress,
        )
        shown.end()
        if run_.position.entries == 0:
            told = f"{instant(window.since)} to {instant(window.until)}"
            raise Failure(f"nothing was routed in {told}: take another window")
        return run_
