"""`erp-gateway events replay`: status events again."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of


def replay(
    subject: Annotated[str, typer.Argument(help="Where to, below erp.replay.<client>., such as erp.replay.billing.x")],
    lineage: Annotated[str | None, typer.Option(help="Those of a lineage: lin_…")] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this instant on: 2026-11-01T00:00:00Z")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this instant.")] = None,
    domain: Annotated[str | None, typer.Option(help="Such as invoices.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "billing",
    json: JsonOption = False,
) -> None:
    """Have the running gateway send status events again, with the same ids, to a subject of the client's own."""
    if since is None and lineage is None:
        raise Failure("--from is missing, and so is --lineage: say from when on, or of which lineage", 2)
    asked = {
        "natsSubject": subject,
        "lineageId": lineage,
        "occurredFrom": since,
        "occurredUntil": until,
        "domain": domain,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    found = gateway_of(data, url, token, client).post("/v1/events/replays", wanted)
    if json:
        print_json(found)
        return
    print_line(f"{found['events']} events sent to {found['natsSubject']} ({found['replayId']})")
    if not found["complete"]:
        print_line(f"Some may be missing: events from before {found['keptFrom']} are kept no longer.")
