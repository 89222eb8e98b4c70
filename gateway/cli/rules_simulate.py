"""`erp-gateway rules simulate`: recorded traffic through what is in force and a candidate.

A directory is simulated on the record itself, whether its gateway runs or not, and nothing is stored. A draft is
simulated by the running gateway, which stores the result: that is what approvals and gates rest on.
"""

from __future__ import annotations

import gc
import re
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli import rules_files
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, opened_store, print_json, run
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.cli.instants import micros
from gateway.cli.rules_drafted import simulate_draft
from gateway.cutover.open_money import OpenMoneyNow
from gateway.cutover.simulation import SimulationRun, Versions, Window, WindowInvalid, run_simulation
from gateway.cutover.simulation_html import html_of
from gateway.cutover.simulation_text import text_of
from gateway.cutover.traffic import RecordedTraffic
from gateway.domain.wire import instant
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical

DRAFT: Final = re.compile(r"drf_[0-9A-HJKMNP-TV-Z]{26}")
PAGE: Final = 5_000
"""Entries read at once: nobody else waits for this process."""


def simulate(
    candidate: Annotated[str, typer.Argument(help="A directory with rulebook.yaml and the tables; or a draft, drf_…")],
    since: Annotated[str, typer.Option(help="2026-10-01 (UTC), or a time with its offset.")],
    until: Annotated[str | None, typer.Option(help="The end, which is excluded; now, if not given.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    html: Annotated[Path | None, typer.Option(help="Write the report with charts here.")] = None,
    json: JsonOption = False,
) -> None:
    """Replay recorded facts through what is in force and through the candidate: what would move, and how much money."""
    now = time.time_ns() // 1_000
    window = Window(micros(since, "--since"), now if until is None else micros(until, "--until"))
    try:
        window.check(now)
    except WindowInvalid as error:
        raise Failure(str(error), 2) from error
    if DRAFT.fullmatch(candidate):
        shown = Progress()
        stored = simulate_draft(gateway_of(data, url, token, client), candidate, window.since, window.until, shown.show)
        shown.end()
    else:
        book = rules_files.load(Path(candidate), json=json)
        stored = run(_simulate(data_directory(data), book, window)).as_json()
    if html is not None:
        write_report(html, stored)
    if json:
        print_json(stored)
    else:
        sys.stdout.write(text_of(stored))


def write_report(file: Path, stored: dict[str, Any]) -> None:
    """The report with charts, one file."""
    try:
        file.write_text(html_of(stored), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error}", 2) from error


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


class Progress:
    """How far it is, on stderr: in place on a terminal, else a line for each tenth."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._tenth = 0
        self._terminal = sys.stderr.isatty()

    def show(self, read: int, expected: int) -> None:
        """So many are read of so many."""
        seconds = max(time.monotonic() - self._begun, 0.001)
        told = f"{read:,} of {expected:,} documents, {read / seconds:,.0f} a second"
        tenth = read * 10 // max(expected, 1)
        if self._terminal:
            sys.stderr.write(f"\r{told}")
        elif tenth > self._tenth:
            sys.stderr.write(f"{told}\n")
        self._tenth = max(tenth, self._tenth)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._terminal:
            sys.stderr.write("\n")
