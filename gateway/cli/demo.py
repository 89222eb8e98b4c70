"""`erp-gateway demo`: the main job on real input, on embedded parts."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.console import DataOption, data_directory, written
from gateway.demo.run import DemoOptions, run_demo


def demo(
    data: DataOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of going on with the data.")] = False,
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="End after the summary; 0 only if the tie-out holds.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Only the summary on stdout, as JSON.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="The gateway's port.")] = None,
) -> None:
    """Start two ERPs, NATS and the gateway, send the Northwind business, and tie it out to the cent."""
    place = data_directory(data).expanduser().absolute()
    with written(place):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = DemoOptions(data=place, fresh=fresh, exit_when_done=exit_when_done, as_json=json, port=port)
    raise typer.Exit(run_demo(options))
