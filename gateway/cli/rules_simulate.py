"""`erp-gateway rules simulate`: recorded traffic through what is in force and a candidate.

A directory is simulated on the record itself, whether its gateway runs or not, and nothing is stored. A draft is
simulated by the running gateway, which stores the result: that is what approvals and gates rest on.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli import rules_files
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.cli.instants import micros
from gateway.cli.rules_drafted import simulate_draft
from gateway.cli.simulation_progress import Progress
from gateway.cutover.simulation import Window, WindowInvalid
from gateway.cutover.simulation_html import html_of
from gateway.cutover.simulation_text import text_of

DRAFT: Final = re.compile(r"drf_[0-9A-HJKMNP-TV-Z]{26}")


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
        from gateway.cli.rules_simulate_record import simulated  # noqa: PLC0415 - where no gateway is asked

        stored = simulated(data_directory(data), book, window)
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
