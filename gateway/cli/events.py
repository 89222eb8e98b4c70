"""`erp-gateway events tail|replay`: status events as they come, and again."""

from __future__ import annotations

import typer

from gateway.cli.listing import Listed, listing

app = typer.Typer(
    cls=listing(
        Listed("tail", "events_tail:tail"),
        Listed("replay", "events_replay:replay"),
    ),
    no_args_is_help=True,
)


@app.callback()
def events() -> None:
    """Status events."""
